# SPDX-License-Identifier: Apache-2.0
"""Options of the whole test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-examples",
        type=int,
        default=0,
        metavar="N",
        help="damage N models instead of as many as fit into the fuzz test's usual time",
    )
