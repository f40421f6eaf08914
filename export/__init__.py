# SPDX-License-Identifier: Apache-2.0
"""Stage 2: model.keras -> int8 model.tflite -> C, vectors and manifest."""
