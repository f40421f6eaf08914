# SPDX-License-Identifier: Apache-2.0
"""The page as a document: well-formed, self-contained, escaped, complete, small, and the same each time."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.core.origin import ModelSource, NeuronTraining, TrainingPoints, Untrained
from tinyproof.core.paths import ROOT
from tinyproof.report.build_data import read_report_data
from tinyproof.report.page import Content
from tinyproof.report.writing import write_page, write_report

VOID = {"meta", "link", "input", "br"}
NASTY = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


class Checker(HTMLParser):
    """Insists that every element is closed in order, and collects ids, references and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.elements: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has a handler {name}"
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "action", "data"):
                self.references.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> at line {self.getpos()[0]} closes another element"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def parsed(page: Path) -> Checker:
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    checker.close()
    assert not checker.open, f"never closed: {checker.open}"
    return checker


def page_of(build_dir: Path) -> Path:
    """The page alone: PNGs take longer."""
    return write_page(Content.of(build_dir, read_report_data(build_dir)), build_dir / "report.html")


def change_manifest(build_dir: Path, **changes: Any) -> Manifest:
    manifest = dataclasses.replace(read_manifest(build_dir), **changes)
    manifest.write(build_dir)
    return manifest


def neuron_training(manifest: Manifest) -> NeuronTraining:
    assert isinstance(manifest.training, NeuronTraining)
    return manifest.training


@pytest.mark.parametrize("activations", [None, "int16"])
def test_a_model_of_16_bits_is_called_so(build_copy: Path, activations: str | None) -> None:
    manifest = read_manifest(build_copy)
    manifest.source = ModelSource("net.keras", "keras", "0" * 64, activations=activations)
    manifest.write(build_copy)
    text = parsed(write_page(Content.of(build_copy, read_report_data(build_copy)), build_copy / "report.html")).text
    assert f"B {activations or 'int8'} .tflite" in text


def test_the_page_is_well_formed_and_refers_to_nothing_outside(finished: Path) -> None:
    page = finished / "report.html"
    checker = parsed(page)
    assert len(checker.ids) == len(set(checker.ids))
    for reference in checker.references:
        assert reference == "data:," or reference.removeprefix("#") in checker.ids
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def test_every_figure_has_words_for_those_who_do_not_see_it(finished: Path) -> None:
    text = (finished / "report.html").read_text(encoding="utf-8")
    drawings = re.findall(
        r'<svg viewBox[^>]*role="img" aria-labelledby="([^"]+)"[^>]*>\s*<title id="([^"]+)">(.*?)<', text
    )
    figures = sorted(path.stem for path in (finished / "figures").glob("*.png"))
    assert sorted(first.removesuffix("-alt") for first, _, _ in drawings) == figures
    for first, second, words in drawings:
        assert first == second
        assert len(words) > 30


def test_the_facts_are_there(finished: Path) -> None:
    text = parsed(finished / "report.html").text
    manifest = read_manifest(finished)
    assert manifest.model_id in text
    for entry in manifest.artefacts.values():
        assert entry.sha256 in text
    for words in ("13.988", "2.018877", "−1.058526", "256 (all)", "✓ Proven", "90b983c2", "18,012", "seed of train"):
        assert words in text, words
    assert "At x = −1 the guess is off by −17, at x = 3 by 15" in text


def test_pngs_are_pngs_of_a_sensible_size(finished: Path) -> None:
    files = sorted((finished / "figures").glob("*.png"))
    assert len(files) == 13
    for path in files:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
        assert 800 <= width <= 1400, path.name
        assert 200 <= height <= 1200, path.name


def test_same_artefacts_same_bytes(finished: Path, build_copy: Path) -> None:
    write_report(build_copy)
    for path in [finished / "report.html", *sorted((finished / "figures").glob("*.png"))]:
        assert path.read_bytes() == (build_copy / path.relative_to(finished)).read_bytes(), path.name


def test_foreign_strings_are_text_never_markup(build_copy: Path) -> None:
    manifest = read_manifest(build_copy)
    training = neuron_training(manifest)
    training = dataclasses.replace(training, data=dataclasses.replace(training.data, source=NASTY))
    inputs = [dataclasses.replace(manifest.inputs[0], name=NASTY)]
    change_manifest(build_copy, model=NASTY, training=training, inputs=inputs, versions={NASTY: NASTY})
    path = build_copy / "boards" / "reference" / "check.json"
    document = json.loads(path.read_text())
    document["engine"] = NASTY
    document["answers"][0].update(source=NASTY, identical=False, fault=NASTY)
    path.write_text(json.dumps(document))
    (path.parent.parent / "qemu-cortex-m4").rename(path.parent.parent / "<b>board&")
    page = page_of(build_copy)
    checker = parsed(page)
    assert checker.elements.count("script") == 2
    assert "img" not in checker.elements
    assert checker.elements.count("b") == 4, "only the readouts of the slider are bold"
    assert checker.text.count(NASTY) >= 7


@pytest.mark.parametrize(
    ("layer", "note", "says"),
    [
        ("operator 2 (CONV_2D)", "", "It begins in operator 2 (CONV_2D): that is the first whose output"),
        ("", "nobody can tell", "The layer is not known: nobody can tell."),
    ],
)
def test_a_mismatch_is_said_at_the_top_and_where_it_begins(build_copy: Path, layer: str, note: str, says: str) -> None:
    path = build_copy / "boards" / "reference" / "check.json"
    document = json.loads(path.read_text())
    document.update(bits_different=3, proven=False, bits_identical=False, layer_note=note)
    divergence = {"index": 7, "x_q": [-121], "element": 0, "expected_q": 5, "board_q": 6, "layer": layer}
    document["divergences"] = [divergence]
    path.write_text(json.dumps(document))
    text = parsed(page_of(build_copy)).text
    assert "✗ Mismatch Not proven on reference" in text
    assert "First difference: input number 7, q = −121: the reference answers 5, engine reference answers 6." in text
    assert says in text


def test_boards_that_answer_alike_share_a_table_and_others_do_not(build_copy: Path) -> None:
    boards = build_copy / "boards"
    document = json.loads((boards / "reference" / "check.json").read_text())
    (boards / "qemu-cortex-m4" / "check.json").write_text(json.dumps({**document, "board": "qemu-cortex-m4"}))
    text = parsed(page_of(build_copy)).text
    assert "These 2 boards give the same answers, so one table stands for them all: qemu-cortex-m4, reference." in text
    document["answers"][0].update(y=[99.0], error=102.0, within=False)
    document.update(answers_within_tolerance=False, proven=False)
    (boards / "reference" / "check.json").write_text(json.dumps(document))
    text = parsed(page_of(build_copy)).text
    assert "Answers of qemu-cortex-m4 From board qemu-cortex-m4." in text
    assert "Answers of reference From board reference." in text
    assert "✗ Mismatch Not proven on reference" in text


def test_changed_artefacts_are_not_proven(build_copy: Path) -> None:
    (build_copy / "model_compiled.c").write_text("/* edited */\n")
    text = parsed(page_of(build_copy)).text
    assert "Not what the manifest recorded: model_compiled.c" in text
    assert "✓ Proven" not in text


def test_a_model_without_the_lesson_skips_it(build_copy: Path) -> None:
    change_manifest(build_copy, training=Untrained("wide"))
    page = page_of(build_copy)
    checker = parsed(page)
    assert "1. The model" in checker.text
    assert "trained" not in checker.text.split("2. Quantization", 1)[0].split("1. The model")[-1]
    assert "script" not in checker.elements
    shown = re.findall(r'<figure id="([^"]+)"', page.read_text(encoding="utf-8"))
    assert shown == ["network", "transfer", "close-up", "quantization-error", "flash", "ram", "flash-map"]


def test_a_model_of_many_inputs_says_why_it_has_no_curve(build_copy: Path) -> None:
    manifest = read_manifest(build_copy)
    inputs = [dataclasses.replace(manifest.inputs[0], shape=[1, 640], bytes=640)]
    change_manifest(build_copy, training=None, inputs=inputs, expected=[])
    (build_copy / "vectors.json").write_text(json.dumps({"kind": "random", "seed": 1, "vectors": []}))
    text = parsed(page_of(build_copy)).text
    assert "A transfer curve needs one input and one output. This model maps 640 input bytes to 1 output bytes" in text


@pytest.mark.parametrize(
    ("dtype", "zero_point", "lowest", "highest"),
    [("int8", 3, "−1.31", "1.24"), ("uint8", 128, "−1.28", "1.27"), ("int16", 0, "−327.7", "327.7")],
)
def test_an_end_reaches_as_far_as_its_type(
    build_copy: Path, dtype: str, zero_point: int, lowest: str, highest: str
) -> None:
    manifest = read_manifest(build_copy)
    end = dataclasses.replace(manifest.inputs[0], dtype=dtype, scale=0.01, zero_point=zero_point, shape=[1, 640])
    change_manifest(build_copy, training=None, inputs=[end], outputs=[end], expected=[])
    (build_copy / "vectors.json").write_text(json.dumps({"kind": "random", "seed": 1, "vectors": []}))
    page = page_of(build_copy).read_text(encoding="utf-8")
    assert page.count(f'lowest" class="right">{lowest}<') == page.count(f'highest" class="right">{highest}<') == 2


def test_after_training_alone_the_later_parts_say_what_to_run(build_copy: Path) -> None:
    change_manifest(build_copy, model_id="", inputs=[], outputs=[], artefacts={}, memory=None)
    text = parsed(page_of(build_copy)).text
    assert "has not been exported yet; run ./tinyproof export" in text
    assert "Not checked" in text
    assert "RMSE" in text


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([0.0, 0.0], [1.0, 2.0]),
        ([3.0], [5.0]),
        ([1e-3, 2e-3], [1e3, -1e3]),
        ([float(k) for k in range(900)], [1.0] * 900),
    ],
)
def test_odd_data_still_make_a_page(build_copy: Path, x: list[float], y: list[float]) -> None:
    training = neuron_training(read_manifest(build_copy))
    change_manifest(build_copy, training=dataclasses.replace(training, data=TrainingPoints("own.csv", "", x, y)))
    parsed(page_of(build_copy))


def test_no_build_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"run \./tinyproof train"):
        write_report(tmp_path / "nothing")


def test_it_takes_under_five_seconds_and_two_megabytes_without_tensorflow(build_copy: Path) -> None:
    program = (
        "import sys, pathlib, time, report.writing\n"
        f"report.writing.write_report(pathlib.Path({str(build_copy)!r}))\n"
        "print(time.process_time(), sorted({'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, loaded = done.stdout.split(maxsplit=1)
    assert loaded.strip() == "[]"
    assert float(seconds) < 5  # processor time, start and imports included: other tests share the machine
    assert (build_copy / "report.html").stat().st_size < 2_000_000


def test_operators_are_shown_once_a_board_was_profiled(build_copy: Path) -> None:
    assert "./tinyproof profile" in page_of(build_copy).read_text(encoding="utf-8")
    profile = {
        "model_id": read_manifest(build_copy).model_id, "tick_unit": "insn", "ticks": 12_345,
        "operators": [
            {
                "index": 0, "name": "CONV_2D", "output": [1, 4], "macs": 1_920, "ticks": 12_345, "share": 1.0,
                "sqnr_db": 41.9,
            },
        ],
    }  # fmt: skip
    (build_copy / "boards" / "qemu-cortex-m4" / "profile.json").write_text(json.dumps(profile), encoding="utf-8")
    text = page_of(build_copy).read_text(encoding="utf-8")
    assert "Operators on qemu-cortex-m4" in text
    for cell in ("0 CONV_2D", "1 × 4", "1,920", "12,345", "41.9"):
        assert f">{cell}</t" in text, cell
    profile["model_id"] = "0" * 16
    (build_copy / "boards" / "qemu-cortex-m4" / "profile.json").write_text(json.dumps(profile), encoding="utf-8")
    stale = page_of(build_copy).read_text(encoding="utf-8")
    assert "Operators on" not in stale, "figures of another model"
