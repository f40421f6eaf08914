# SPDX-License-Identifier: Apache-2.0
"""Cycles of a core, told from the instructions that its emulator executed."""
