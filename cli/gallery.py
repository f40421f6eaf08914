# SPDX-License-Identifier: Apache-2.0
"""The pictures in docs/gallery/, made of the examples by the tool itself: `python -P -m tinyproof.cli.gallery`.

It runs the lesson, the gestures and the wake word, opens their reports and live pages in Chromium without a window, and
writes what is seen there: some minutes.
"""

from __future__ import annotations

import base64
import contextlib
import io
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tinyproof.cli.chromium import start_chromium
from tinyproof.cli.main import main as run_verb
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import read_dataset
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.core.manifest import read_manifest
from tinyproof.host.live.server import Replay, Watch

if TYPE_CHECKING:
    from selenium import webdriver

FOLDER = paths.ROOT / "docs" / "gallery"
MOST_BYTES = 200_000  # of a picture
COLOURS = 224
LOAD_S = 240  # until all answers are there, on a slow machine
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync")
# Of a page with boards: each has answered all frames of the sample that the address names.
ANSWERED = """
const boards = [...document.querySelectorAll(".board")];
const whole = (e) => { const [a, b] = (e?.textContent ?? "1 of 1").split(" of "); return a === b; };
const replayed = document.getElementById("sample-now")?.textContent;
return !document.getElementById("boards") || (boards.length > 0 && replayed
  && boards.every((e, k) => e.querySelector(".verdict.good") && whole(document.getElementById(`frame-${k}`))));
"""
GESTURES = ("rest", "shake", "circle", "lift")
EXAMPLE = paths.BUILD / "example"
SAY_WORD = 0  # a sample of the wake word's test sounds in which it is said

VERBS: tuple[tuple[str, ...], ...] = (
    ("run",),
    ("example",),
    ("run", "--model", f"{EXAMPLE}/gestures.keras", "--calibration", f"{EXAMPLE}/gestures-calibration.npz"),
    ("check", "--model", "gestures", "--dataset", f"{EXAMPLE}/gestures-test.npz"),
    ("profile", "--model", "gestures", "--dataset", f"{EXAMPLE}/gestures-calibration.npz"),
    ("report", "--model", "gestures"),
    ("build", "--model", "gestures", "--board", "qemu-riscv32"),
    ("example", "wake-word"),
)


@dataclass(frozen=True)
class Shot:
    """A picture: the upper `height` pixels of the page at `address`, in a window of `width`."""

    name: str
    address: str
    height: int
    width: int = 1280


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, help="Where to.")
@click.option("--made", is_flag=True, help="The examples have been run before: take their builds as they are.")
def command(folder: Path, made: bool) -> None:
    """Make the pictures of docs/gallery/ anew."""
    with chromium() as browser:
        make(browser, folder, made=made)


def make(browser: webdriver.Chrome, folder: Path, *, made: bool) -> None:
    """The pictures, into `folder`; of builds that are there already where they are `made`."""
    for words in () if made else VERBS:
        click.echo(f"$ ./tinyproof {' '.join(words)}")
        try:
            run_verb(list(words), standalone_mode=False)
        except SystemExit as stop:
            if stop.code:
                raise
    folder.mkdir(parents=True, exist_ok=True)
    with (
        live("gestures", ("qemu-cortex-m4", "qemu-riscv32"), GESTURES) as gestures,
        live("wake-word", ("qemu-cortex-m4",), ()) as word,
    ):
        report = [(paths.build_dir(name) / "report.html").as_uri() for name in ("neuron", "gestures")]
        for shot in (
            Shot("lesson", report[0], 1560),
            Shot("gestures-report", report[1], 1640),
            Shot("gestures-live", f"{gestures}#sample=0", 600),
            Shot("wake-word-live", f"{word}#sample={SAY_WORD}", 600),
        ):
            size = take(browser, shot, folder / f"{shot.name}.png")
            click.echo(f"{shot.name}.png  {size:,} B")


@contextlib.contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Without a window. Raises EnvironmentFaultError where it, or what drives it, is missing."""
    with tempfile.TemporaryDirectory() as profile:
        browser = start_chromium((*FLAGS, f"--user-data-dir={profile}"))
        try:
            yield browser
        finally:
            browser.quit()


@contextlib.contextmanager
def live(model: str, boards: tuple[str, ...], classes: tuple[str, ...]) -> Iterator[str]:
    """The address of the live page of a build."""
    folder = paths.build_dir(model)
    manifest = read_manifest(folder)
    data = read_dataset(EXAMPLE / f"{model}-test.npz", manifest.inputs, sequences=manifest.stateful)
    watch = Watch([(find_board(name), None) for name in boards], folder, CheckConfig(), Replay(data, classes))
    ready = threading.Event()
    thread = threading.Thread(target=watch.serve, args=(lambda _: ready.set(),))
    thread.start()
    try:
        ready.wait(10)
        yield watch.url
    finally:
        watch.stop()
        thread.join()


def take(browser: webdriver.Chrome, shot: Shot, path: Path) -> int:
    """Writes the picture; returns its size in bytes."""
    from PIL import Image

    screen = {"width": shot.width, "height": shot.height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(shot.address)
    end = time.monotonic() + LOAD_S
    while not browser.execute_script(ANSWERED):
        if time.monotonic() > end:
            raise EnvironmentFaultError(f"{shot.name}: not all boards have answered in {LOAD_S} s")
        time.sleep(0.1)
    clip = {"x": 0, "y": 0, "width": shot.width, "height": shot.height, "scale": 1}
    content = base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})["data"])
    with Image.open(io.BytesIO(content)) as page:
        page.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise EnvironmentFaultError(f"{path.name} takes {size:,} B; at most {MOST_BYTES:,} are kept in the repository")
    return size


if __name__ == "__main__":
    sys.exit(command())
