# SPDX-License-Identifier: Apache-2.0
"""tinyproof: a Keras or .tflite model on a microcontroller, with proof that the board computes the same bits."""

from tinyproof.core.version import __version__

__all__ = ["__version__"]
