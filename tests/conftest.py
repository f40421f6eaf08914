# SPDX-License-Identifier: Apache-2.0
"""Options of the whole run, and the models that many tests share."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from support import effort
from support.shared_builds import made_once
from xdist.scheduler import LoadScopeScheduling

from tinyproof.core.config import CheckConfig, ExportConfig, TrainConfig

NIGHTLY_TIMEOUT_S = 3600  # of one test that has no limit of its own
# A file whose tests are dealt out: a worker takes those whose names begin alike, from the others a whole file with its
# fixtures.
DEALT_OUT = ("tests/ops/test_table.py",)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz-examples",
        type=int,
        default=0,
        metavar="N",
        help="damage N models instead of the fuzz test's usual 200",
    )
    parser.addoption(
        "--nightly",
        action="store_true",
        help="try more: tests marked nightly, 500 examples where fewer are drawn, and 20,000 damaged models",
    )


@pytest.hookimpl(tryfirst=True)  # before pytest-timeout reads its option
def pytest_configure(config: pytest.Config) -> None:
    # Started with & by a script, this process ignores interrupts, and so would the children that tests interrupt.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.option.loadscopereorder = False  # the order is the one below
    effort.nightly = bool(config.getoption("--nightly"))
    settings.register_profile("day", max_examples=effort.DAY_EXAMPLES)
    settings.register_profile("nightly", max_examples=effort.NIGHTLY_EXAMPLES)
    settings.load_profile("nightly" if effort.nightly else "day")
    if effort.nightly:
        config.option.timeout = config.option.timeout or NIGHTLY_TIMEOUT_S
        config.option.fuzz_examples = config.option.fuzz_examples or effort.NIGHTLY_DAMAGED_MODELS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is for nights only. Of the rest the files with slow tests come first, those with most of them
    before the others, and last what can be taken test by test: so the workers end at about the same time."""
    if not effort.nightly:
        for_nights = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=for_nights)
        items[:] = [item for item in items if item not in for_nights]
    slow: defaultdict[Path, int] = defaultdict(int)
    for item in items:
        slow[item.path] += bool(item.get_closest_marker("slow"))
    items.sort(key=lambda item: (item.nodeid.startswith(DEALT_OUT), -slow[item.path]))


@pytest.fixture(autouse=True)
def _build_no_second_firmware(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By day only tests with the marker `traces` build the firmware that traces, too: it takes as long as the other."""
    if not effort.nightly and not request.node.get_closest_marker("traces"):
        monkeypatch.setattr("tinyproof.digests.build_trace", lambda _board, _folder: None)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Whole files to a worker, but for those of DEALT_OUT."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("-", 1)[0] if nodeid.startswith(DEALT_OUT) else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)  # without xdist there is nothing to schedule
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(scope="session")
def lesson_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build folders of the trained and exported neuron, 1-16-16-1 (`sine`) and a wide net with per-channel weights.

    Only to be read: a test that builds or changes something copies them.
    """

    def make(root: Path) -> None:
        from tinyproof.export.export import export_model
        from tinyproof.train.builtin import make_sine, make_wide
        from tinyproof.train.training import train_model

        makers: dict[str, Callable[[Path], object]] = {
            "neuron": lambda folder: train_model(TrainConfig(), folder),
            "sine": make_sine,
            "wide": make_wide,
        }
        for name, train in makers.items():
            train(root / name)
            export_model(ExportConfig(), CheckConfig(), root / name)

    root = made_once(tmp_path_factory, "lesson_models", make)
    return {folder.name: folder for folder in sorted(root.iterdir())}
