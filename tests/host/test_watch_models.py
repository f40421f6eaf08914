# SPDX-License-Identifier: Apache-2.0
"""The live view of models that are no neuron: a classifier over time, a net with state, several inputs and outputs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from support.chromium import chromium, console, open_live, text_of, wait_for
from support.compiled import compiled
from support.fake_build import QUICK
from support.report_build import classifier_tflite
from support.report_layout import faults
from support.streaming import FEATURES, ROWS, StreamingNet
from support.tflite_writer import Model

from tinyproof.core.board_spec import find_board
from tinyproof.core.data_set import read_dataset
from tinyproof.core.manifest import TensorSpec, read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.core.sample_form import sample_form
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.live.expected_answers import ExpectedAnswers
from tinyproof.host.live.questions import MAX_FRAMES, Asker, Question
from tinyproof.host.live.server import Replay, Watch

NAMES = ("rest", "shake", "circle", "lift")
FRAME = ROWS * FEATURES
WIDTHS = ((1280, False), (768, True), (390, False))


@contextlib.contextmanager
def served(folder: Path, samples: Replay | None = None) -> Iterator[Watch]:
    watch = Watch([(find_board("reference"), None)], folder, QUICK, samples)
    ready = threading.Event()
    thread = threading.Thread(target=watch.serve, args=(lambda _: ready.set(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield watch
    finally:
        watch.stop()
        thread.join(15)


def samples_of(folder: Path, path: Path, classes: tuple[str, ...] = (), *, sequences: bool = False) -> Replay:
    return Replay(read_dataset(path, read_manifest(folder).inputs, sequences=sequences), classes)


def bars(driver: webdriver.Chrome) -> list[str]:
    texts: list[str] = driver.execute_script(
        "return [...document.querySelectorAll('.bars li')]"
        ".map((e) => [...e.children].map((c) => c.textContent).join(' '))"
    )
    return texts


def asked_values(watch: Watch, conversation: int = 0) -> list[float]:
    question = watch.conversations[conversation]._question
    return [] if question is None else [value for row in question.frames for value in row]


def fits(driver: webdriver.Chrome) -> None:
    for width, dark in WIDTHS:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        assert faults(driver) == [], width


def test_gestures_are_drawn_or_replayed_and_classes_are_bars(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "gestures", classifier_tflite(len(NAMES)))
    x = np.random.default_rng(3).uniform(-2, 2, (5, 48)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=[2, 0, 1, 3, 2])
    with (
        served(folder, samples_of(folder, tmp_path / "d.npz", NAMES)) as watch,
        chromium() as driver,
    ):
        open_live(driver, watch.url)
        wait_for(lambda: "Identical" in text_of(driver, "verdict-0"), "the first answer")
        assert [bar.split()[0] for bar in bars(driver)] == list(NAMES)
        assert asked_values(watch) == [0] * 48
        first = bars(driver)
        pad = driver.find_element("css selector", "canvas.pad")
        half = pad.size["width"] // 2
        ActionChains(driver).move_to_element_with_offset(pad, 20 - half, -60).click_and_hold().move_by_offset(
            2 * half - 40, 0
        ).release().perform()
        wait_for(lambda: bars(driver) != first, "the answer to what was drawn")
        drawn = asked_values(watch)
        assert max(drawn[3:45:3]) == pytest.approx(min(drawn[3:45:3]), abs=0.1)  # a level line, of the first signal
        assert drawn[3] > 0.5
        assert drawn[1::3] == drawn[2::3] == [0] * 16
        driver.find_element("id", "next").click()
        wait_for(lambda: "labelled circle" in text_of(driver, "sample-now"), "the sample")
        wait_for(lambda: asked_values(watch) == pytest.approx(x[0]), "the sample's values")
        wait_for(lambda: "Identical" in text_of(driver, "verdict-0"), "its answer")
        assert sum(
            "most" in str(bar.get_attribute("class")) for bar in driver.find_elements("css selector", ".bars li")
        )
        driver.find_element("id", "random").click()
        wait_for(lambda: text_of(driver, "sample-now") == "", "another question")
        fits(driver)
        assert console(driver) == []


def test_a_net_with_state_hears_frames_and_begins_anew_with_its_board(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "stream", StreamingNet(1).build())
    frames = 20
    x = np.random.default_rng(4).uniform(-12, 12, (2, frames, FRAME)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=[1, 0])
    with (
        served(folder, samples_of(folder, tmp_path / "d.npz", sequences=True)) as watch,
        chromium() as driver,
    ):
        open_live(driver, watch.url)
        wait_for(lambda: text_of(driver, "frame-0") == "50 of 50", "the frames before anything was drawn")
        driver.find_element("id", "next").click()
        done = f"All {frames} frames identical to the golden reference, bit for bit."
        wait_for(lambda: text_of(driver, "verdict-0") == done, "the sample's frames")
        points = "return document.querySelector('.history polyline').getAttribute('points').split(' ').length"
        assert driver.execute_script(points) == frames
        fits(driver)
        (device,) = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if str(folder).encode() in (words := path.read_bytes()) and b"reference_board" in words
        ]
        os.kill(device, signal.SIGKILL)
        wait_for(lambda: "disconnected, trying again" in text_of(driver, "status-0"), "the disconnect")
        wait_for(lambda: text_of(driver, "verdict-0") == done, "all frames again, from the first")
        assert text_of(driver, "status-0") == "connected, engine reference"
        driver.find_element("id", "keep").click()
        driver.find_element("id", "again").click()
        on = f"All {2 * frames} frames identical to the golden reference, bit for bit."
        wait_for(lambda: text_of(driver, "verdict-0") == on, "the same frames, in the state that they have left")
        assert text_of(driver, "frame-0") == f"{frames} of {frames}, {2 * frames} since the reset"
        assert driver.execute_script(points) == 2 * frames
        fits(driver)
        driver.find_element("id", "anew").click()
        wait_for(lambda: text_of(driver, "verdict-0") == done, "the frames after a reset")
        assert text_of(driver, "frame-0") == f"{frames} of {frames}"
        driver.find_element("id", "next").click()
        wait_for(lambda: text_of(driver, "verdict-0") == on, "the other sample as the next")
        assert console(driver) == []


def two_ends() -> bytes:
    """An image of 8 by 8 and a sound of 32 values in; a number and two classes out."""
    rng = np.random.default_rng(5)
    model = Model()
    image, sound = model.input((1, 8, 8, 1), 1 / 255, -128), model.input((1, 32), 0.01, 0)
    outputs = []
    for x, depth, units in ((image, 64, 1), (sound, 32, 2)):
        weights = model.tensor((units, depth), 0.01, 0, rng.integers(-127, 128, units * depth).tolist())
        y = model.tensor((1, units), 0.05, 0)
        model.add("FULLY_CONNECTED", [x, weights], [y])
        outputs.append(y)
    return model.build(*outputs)


def test_two_inputs_are_an_image_and_a_sound_from_files(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "two", two_ends())
    pixels = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    heard = [1000 * k - 16000 for k in range(32)]
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(struct.pack("<32h", *heard))
    with served(folder) as watch, chromium() as driver:
        open_live(driver, watch.url)
        wait_for(lambda: "Identical" in text_of(driver, "verdict-0"), "the first answer")
        assert len(bars(driver)) == 2
        assert "…" not in text_of(driver, "output-0-0")
        for name in ("a.png", "a.wav"):
            kind = "image/*" if name == "a.png" else ".wav,audio/wav"
            driver.find_element("css selector", f"input[accept='{kind}']").send_keys(str(tmp_path / name))
        wait_for(lambda: "32 samples at 16000 Hz" in driver.page_source, "the sound")
        right = [pytest.approx(1.275 * q / 32768 - 0.005, abs=0.01) for q in heard]
        wait_for(lambda: asked_values(watch)[64:] == right, "the sound's question")
        assert asked_values(watch)[:64] == pytest.approx((pixels.ravel() / 255).tolist(), abs=0.003)
        (tmp_path / "b.wav").write_bytes(b"no sound")
        driver.find_element("css selector", "input[accept='.wav,audio/wav']").send_keys(str(tmp_path / "b.wav"))
        wait_for(lambda: "b.wav cannot be read: it is no .wav" in driver.page_source, "the refusal")
        fits(driver)
        assert console(driver) == []


def asker(*, stateful: bool = False) -> Asker:
    layout = TensorLayout((TensorSpec("x", [1, 16, 1, 3], "int8", 0.02, 0, 48),))
    return Asker(layout, stateful=stateful, samples=None)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "4", "null", "[]", "{}", '{"ask": 1}', '{"ask": 1, "x": []}', '{"ask": 1, "x": [1, 2, 3]}',
        '{"ask": true, "x": X}', '{"ask": -1, "x": X}', '{"ask": 1.5, "x": X}', '{"ask": 1, "x": X, "pace": -1}',
        '{"ask": 1, "x": X, "pace": NaN}', '{"ask": 1, "x": [N]}', '{"ask": 1, "x": [[X]]}', '{"ask": 1, "sample": 0}',
        '{"ask": 1, "sample": true}', '{"ask": 1, "x": X, "goes_on": 1}', '{"ask": 1, "x": X, "goes_on": true}',
        '{"ask": 1, "x": XX}', "[" * 100_000, '{"ask": 1, "x": "info"}',
    ],
)  # fmt: skip
def test_only_questions_get_through(text: str) -> None:
    good = json.dumps([0.5] * 48)
    bad = [", ".join([value] + ["0"] * 47) for value in ("NaN", "Infinity", "1e39", "true", '"1"', "9" * 400)]
    twice = json.dumps([0.5] * 96)
    for each in bad if "N]" in text else [""]:
        asked = text.replace("XX", twice).replace("X", good).replace("[N]", f"[{each}]")
        assert asker().read(asked) is None
    assert asker().read(f'{{"ask": 1, "x": {good}}}') == Question(1, ((0.5,) * 48,))
    assert asker(stateful=True).read(f'{{"ask": 1, "x": {twice}, "pace": 50}}') == Question(1, ((0.5,) * 48,) * 2, 50.0)
    assert asker(stateful=True).read(f'{{"ask": 1, "x": {good}, "goes_on": true}}') == Question(
        1, ((0.5,) * 48,), goes_on=True
    )


def test_two_boards_at_different_frames_hear_the_same_right_answers(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "stream", StreamingNet(1).build())
    golden = ExpectedAnswers(folder, read_manifest(folder))
    assert golden.stateful
    rows = tuple(tuple(row) for row in np.random.default_rng(6).uniform(-12, 12, (6, FRAME)).tolist())
    first, other = Question(1, rows), Question(2, rows[::-1])
    right = [golden.frame(first, index) for index in range(6)]
    backwards = [golden.frame(other, index) for index in range(6)]
    assert [golden.frame(first, index) for index in (5, 0, 3)] == [right[index] for index in (5, 0, 3)]
    assert backwards[5][0] == right[0][0]
    assert [output for _, output in backwards] != [output for _, output in right]


def test_a_question_that_goes_on_is_answered_in_the_state_of_those_before(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "stream", StreamingNet(1).build())
    golden = ExpectedAnswers(folder, read_manifest(folder))
    rows = tuple(tuple(row) for row in np.random.default_rng(8).uniform(-12, 12, (9, FRAME)).tolist())
    first = Question(1, rows[:4]).after(None)
    second = Question(2, rows[4:6], goes_on=True).after(first)
    third = Question(3, rows[6:], goes_on=True).after(second)
    assert first.first is second.first is third.first is first
    assert (third.start, third.end) == (6, 9)
    assert [third.at(position)[0].number for position in range(9)] == [1, 1, 1, 1, 2, 2, 3, 3, 3]
    assert [third.at(position)[1] for position in (0, 3, 4, 5, 6, 8)] == [0, 3, 0, 1, 0, 2]
    reference = Reference((folder / "model.tflite").read_bytes(), "tflite-micro")
    contents = [golden.inputs.content(golden.inputs.quantize(row)) for row in rows]
    right = [(content, reference.run(content)) for content in contents]
    heard = [golden.frame(second, 5), golden.frame(first, 0), *(golden.frame(third, place) for place in (8, 4))]
    assert heard == [right[place] for place in (5, 0, 8, 4)]
    anew = Question(4, rows[4:6]).after(third)
    assert anew.before == ()
    assert golden.frame(anew, 1)[1] != right[5][1], "the frames before make no difference"
    full = Question(5, rows[:1] * (MAX_FRAMES - 8), goes_on=True).after(third)
    assert full.before == (), "a stream has its end"


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((1, 1), "numbers"), ((1, 8), "numbers"), ((1, 2, 3), "numbers"), ((1, 9), "series"), ((1, 32, 1, 3), "series"),
        ((1, 28, 28, 1), "image"), ((1, 49, 10), "image"), ((1, 3, 16), "values"), ((1, 8, 8, 5), "values"),
    ],
)  # fmt: skip
def test_a_sample_has_the_form_of_its_shape(shape: tuple[int, ...], kind: str) -> None:
    assert sample_form(shape).kind == kind
