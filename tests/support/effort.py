# SPDX-License-Identifier: Apache-2.0
"""How much the tests try: as usual, or for a night (`pytest --nightly`, which tests/conftest.py sets here)."""

from __future__ import annotations

DAY_EXAMPLES = 50
NIGHTLY_EXAMPLES = 500
NIGHTLY_DAMAGED_MODELS = 20_000
nightly = False


def examples(usual: int, at_night: int = NIGHTLY_EXAMPLES) -> int:
    """How many examples to draw, as max_examples or as a parameter; a night never tries fewer than usual."""
    return max(usual, at_night) if nightly else usual
