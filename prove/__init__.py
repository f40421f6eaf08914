# SPDX-License-Identifier: Apache-2.0
"""Statements about all inputs of a build: what the generated C and its kernels can be shown to compute."""
