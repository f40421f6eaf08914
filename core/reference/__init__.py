# SPDX-License-Identifier: Apache-2.0
"""What a model must answer: the golden reference, and an interpreter of our own behind it."""
