# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: `--tinyproof-board` says where to prove, the fixture `board` hands it to a test.

    from tinyproof import assert_proven

    def test_the_model_is_proven(board):
        assert_proven("model.tflite", board)

Loaded at the start of every pytest of an environment that tinyproof is in, also where nobody asks for it: nothing heavy
is imported here, and nothing is done before a test wants the fixture. A fixture `board` of the user's own goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tinyproof.results import BoardAt


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options, in a group of their own."""
    group = parser.getgroup("tinyproof", "models proven on boards")
    group.addoption("--tinyproof-board", metavar="NAME", help="board to prove on; without it, that of tinyproof.toml")
    group.addoption("--tinyproof-port", metavar="PORT", help="where a real board answers: /dev/ttyACM0, socket://...")


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config) -> BoardAt:
    """The board that the command line names, or tinyproof.toml. Raises UsageError where there is none of that name."""
    from tinyproof.core import paths
    from tinyproof.core.board_spec import find_board
    from tinyproof.core.config import load_config
    from tinyproof.results import BoardAt

    name = pytestconfig.getoption("--tinyproof-board") or load_config(paths.CONFIG_FILE).board
    return BoardAt(find_board(name).name, pytestconfig.getoption("--tinyproof-port"))
