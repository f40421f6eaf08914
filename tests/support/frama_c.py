# SPDX-License-Identifier: Apache-2.0
"""What needs Frama-C, which no day's machine has."""

from __future__ import annotations

import shutil

import pytest

from tinyproof.prove.eva import PROGRAM

NEEDS_EVA = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="Frama-C is not installed (frama-c-base)")
