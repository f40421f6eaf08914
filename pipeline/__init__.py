# SPDX-License-Identifier: Apache-2.0
"""The contract that all stages share: configuration, manifest, boards, errors, and the command line."""

__version__ = "0.1.0"
