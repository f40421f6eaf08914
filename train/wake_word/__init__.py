# SPDX-License-Identifier: Apache-2.0
"""The worked example that streams: synthetic speech, its features, a detector of one word, and its .tflite file."""
