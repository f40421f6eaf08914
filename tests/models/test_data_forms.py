# SPDX-License-Identifier: Apache-2.0
"""Samples in the forms in which people have them: tables without a header, names as labels, folders of files."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support.compiled import compiled
from support.tflite_writer import dense_network

import tinyproof.core.paths
from tinyproof.cli.main import main
from tinyproof.core.data_folder import MAX_BYTES, list_files
from tinyproof.core.data_set import DataForm, hash_data, read_classes, read_dataset
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import TensorSpec, read_manifest
from tinyproof.core.origin import FileCalibration, ModelSource

THREE = (TensorSpec("x", [1, 3], "int8", 1.0, 0, 3),)
FOUR = (TensorSpec("x", [1, 4], "int8", 1.0, 0, 4),)
PIXELS = (TensorSpec("x", [1, 2, 3, 1], "int8", 1.0, 0, 6),)
COLOURS = (TensorSpec("x", [1, 2, 3, 3], "int8", 1.0, 0, 18),)
SOUND = (TensorSpec("x", [1, 4], "int16", 1.0, 0, 8),)
NAMES = DataForm(("rest", "shake"))


@pytest.mark.parametrize(
    ("text", "form", "y"),
    [
        ("1,2.5,-3\n0,1e-3,4\n", DataForm(), None),
        ("1,2.5,-3,1\n0,1e-3,4,0\n", DataForm(), [1, 0]),
        ("1,2.5,-3,shake\n0,1e-3,4,rest\n", NAMES, [1, 0]),
        ("a;b;class;c\n1;2,5;shake;-3\n0;1e-3;rest;4\n", NAMES, [1, 0]),
        ("1;2,5;-3\n0;0,001;4\n", DataForm(), None),
        ("1\t2.5\t-3\t7\n0\t1e-3\t4\t8\n", DataForm(), [7, 8]),
        (",a,b,c,y\n0,1,2.5,-3,1\n1,0,1e-3,4,0\n", DataForm(), [1, 0]),  # pandas' index
        ("0,1,2,label\n1,2.5,-3,shake\n0,1e-3,4,rest\n", NAMES, [1, 0]),
        ("0,1,2,3\n1,2.5,-3,5\n0,1e-3,4,6\n", DataForm(), [5, 6]),  # pandas' columns without names
        ("\ufeffa,b,c\r\n1,2.5,-3\r\n0,1e-3,4\r\n", DataForm(), None),
    ],
)
def test_tables_as_they_are_saved(tmp_path: Path, text: str, form: DataForm, y: list[int] | None) -> None:
    (tmp_path / "d.csv").write_text(text, encoding="utf-8", newline="")
    dataset = read_dataset(tmp_path / "d.csv", THREE, form=form)
    np.testing.assert_array_equal(dataset.x, np.array([[1, 2.5, -3], [0, 1e-3, 4]], np.float32))
    assert (None if dataset.y is None else dataset.y.tolist()) == y


def test_the_first_line_of_points_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("0,1\n1,3\n")
    dataset = read_dataset(tmp_path / "d.csv", (TensorSpec("x", [1, 1], "int8", 1.0, 0, 1),))
    assert (dataset.x.tolist(), dataset.y.tolist()) == ([[0], [1]], [1, 3])


@pytest.mark.parametrize(
    ("text", "form", "says"),
    [
        ("1,2,3,shake\n", DataForm(), r"the answers are words: give --classes in the order of the outputs \(shake\)"),
        ("1,2,3,jump\n", NAMES, "the answer 'jump' is none of --classes rest,shake"),
        ("1,2\n3,4\n", DataForm(), "2 values in each sample, the model takes 3"),
        ("1,2,3\n4,5\n", DataForm(), r"d\.csv:2: 2 cells where the first line has 3"),
        ("1,2,3\n4,5,six\n", DataForm(), r"d\.csv:2: 'six' is not a finite number"),
        ("1,2,3,4,5,6\n", DataForm(), "6 values in each sample, the model takes 3"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, text: str, form: DataForm, says: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(InputFileError, match=says):
        read_dataset(tmp_path / "d.csv", THREE, form=form)


@pytest.mark.parametrize(
    ("columns", "frames", "answered"),
    [(3, 1, False), (4, 1, True), (6, 2, False), (7, 2, True)],
)
def test_a_row_may_be_a_sequence_of_frames(tmp_path: Path, columns: int, frames: int, answered: bool) -> None:
    (tmp_path / "d.csv").write_text(",".join("1" * columns))
    dataset = read_dataset(tmp_path / "d.csv", THREE, sequences=True)
    assert (dataset.frames, dataset.y is not None) == (frames, answered)


def test_a_column_alone_is_no_answer_of_a_model_with_state(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("1\n2\n")
    with pytest.raises(InputFileError, match="1 values in each sample, the model takes 3 or a whole number"):
        read_dataset(tmp_path / "d.csv", THREE, sequences=True)


def test_an_array_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1, 2, 3], [4, 5, 6]], np.int16))
    dataset = read_dataset(tmp_path / "x.npy", THREE)
    assert (dataset.x.tolist(), dataset.y, dataset.quantized) == ([[1, 2, 3], [4, 5, 6]], None, False)
    for content, says in ((b"\x93NUMPY\x01\x00", "not a usable .npy"), (b"", "not a usable .npy")):
        (tmp_path / "bad.npy").write_bytes(content)
        with pytest.raises(InputFileError, match=says):
            read_dataset(tmp_path / "bad.npy", THREE)
    np.save(tmp_path / "object.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputFileError, match=r"not a usable \.npy"):
        read_dataset(tmp_path / "object.npy", THREE)


def test_names_in_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 3)), y=np.array(["shake", "rest"]))
    assert read_dataset(tmp_path / "d.npz", THREE, form=NAMES).y.tolist() == [1, 0]
    with pytest.raises(InputFileError, match="give --classes"):
        read_dataset(tmp_path / "d.npz", THREE)
    assert read_dataset(tmp_path / "d.npz", THREE, form=DataForm(labels=False)).y is None


def test_classes_from_words_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("rest\nshake\n\n", encoding="utf-8-sig")
    assert read_classes("rest, shake") == read_classes(str(tmp_path / "labels.txt")) == ("rest", "shake")
    many = tuple(f"class{number}" for number in range(60))  # together longer than a file's name may be
    assert read_classes(",".join(many)) == many
    for text in ("a,,b", "a,a", ""):
        with pytest.raises(UsageError, match="needs a name of its own"):
            read_classes(text)


def image(path: Path, pixels: Any, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(pixels, np.uint8), mode).save(path)


GRAY = [[0, 51, 255], [102, 204, 153]]


@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_images_in_a_folder_for_each_class(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number, name in enumerate(("cat/1.png", "cat/2.png", "dog/a.bmp")):
        image(folder / name, np.array(GRAY) // (number + 1))
    (folder / "cat" / "notes.txt").touch()
    (folder / ".hidden").mkdir()
    dataset = read_dataset(folder, PIXELS, form=DataForm(values=(-1.0, 1.0)))
    assert dataset.y.tolist() == [0, 1, 0]  # in turns
    np.testing.assert_allclose(dataset.x[0], [-1, -0.6, 1, -0.2, 0.6, 0.2], atol=1e-6)
    swapped = read_dataset(folder, PIXELS, form=DataForm(("dog", "cat"), (0.0, 255.0)))
    assert swapped.y.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(swapped.x[1], np.array(GRAY).reshape(-1))
    assert dataset.sha256 == swapped.sha256
    image(folder / "cat" / "2.png", GRAY)
    assert read_dataset(folder, PIXELS, form=DataForm(values=(0.0, 1.0))).sha256 != dataset.sha256


@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_images_are_brought_to_the_models_size_and_channels(tmp_path: Path) -> None:
    image(tmp_path / "flat.png", np.full((20, 30), 51))
    for inputs in (PIXELS, COLOURS, (TensorSpec("x", [1, 2, 3], "int8", 1.0, 0, 6),)):
        dataset = read_dataset(tmp_path, inputs, form=DataForm(values=(0.0, 1.0)))
        np.testing.assert_allclose(dataset.x, np.full((1, inputs[0].elements), 0.2), atol=1e-6)
        assert dataset.y is None


def sound(path: Path, samples: list[int], *, width: int = 2, channels: int = 1, rate: int = 16000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.array(samples).astype({1: "u1", 2: "<i2", 4: "<i4"}[width]).tobytes())


def test_sounds_are_padded_to_whole_frames(tmp_path: Path) -> None:
    sound(tmp_path / "no" / "a.wav", [-32768, 0, 16384])
    sound(tmp_path / "yes" / "b.wav", [32767] * 6)
    sound(tmp_path / "yes" / "c.wav", [0, 128, 255], width=1)
    form = DataForm(values=(-1.0, 1.0))
    dataset = read_dataset(tmp_path, SOUND, sequences=True, form=form)
    assert (dataset.frames, dataset.y.tolist()) == (2, [0, 1, 1])
    np.testing.assert_array_equal(dataset.x[:2], [[-1, 0, 0.5, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(dataset.x[4], [-1, 0, 127 / 128, 0])
    whole = read_dataset(tmp_path, SOUND, sequences=True, form=DataForm(values=(-32768.0, 32768.0)))
    assert whole.x[2].tolist() == [32767] * 4
    with pytest.raises(InputFileError, match=r"b\.wav: 6 samples, the model takes 4"):
        read_dataset(tmp_path, SOUND, form=form)


def two_rates(folder: Path) -> None:
    for rate in (8000, 16000):
        sound(folder / f"{rate}.wav", [1], rate=rate)


def both_kinds(folder: Path) -> None:
    sound(folder / "a.wav", [1])
    image(folder / "b.png", GRAY)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: sound(folder / "a.wav", [1, 2], channels=2), "2 channels; save it as mono"),
        (lambda folder: (folder / "a.wav").write_bytes(b"RIFFxxxx"), r"not a usable \.wav"),
        (lambda folder: (folder / "a.png").write_bytes(b"\x89PNG"), "not a usable image"),
        (lambda folder: (folder / "a.txt").touch(), "no samples: it needs"),
        (two_rates, "8000 and 16000"),
        (both_kinds, "images and sounds"),
        (lambda folder: sound(folder / "other" / "a.wav", [1]), "the folder other is none of --classes"),
    ],
)
@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_folders_that_cannot_be_used(tmp_path: Path, make: Any, says: str) -> None:
    make(tmp_path)
    with pytest.raises(InputFileError, match=says) as raised:
        read_dataset(tmp_path, SOUND, form=DataForm(("yes", "no"), (-1.0, 1.0)))
    assert "\n" not in raised.value.message


def test_a_folder_is_listed_once_and_never_read_where_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(tmp_path / "yes" / "a.wav", [1])
    listed: list[Path] = []

    def counted(folder: Path, classes: Sequence[str]) -> tuple[list[Path], list[int] | None]:
        listed.append(folder)
        return list_files(folder, classes)

    monkeypatch.setattr("tinyproof.core.data_set.list_files", counted)
    dataset = read_dataset(tmp_path, SOUND, form=DataForm(values=(-1.0, 1.0)))
    assert listed == [tmp_path]
    assert dataset.sha256 == hash_data(tmp_path)
    with (tmp_path / "yes" / "b.wav").open("wb") as file:
        file.truncate(MAX_BYTES)  # of which a disk holds nothing
    for read in (hash_data, lambda path: read_dataset(path, SOUND, form=DataForm(values=(-1.0, 1.0)))):
        monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
        with pytest.raises(InputFileError, match="more than 1,073,741,824 bytes of files"):
            read(tmp_path)


def test_a_folder_says_what_it_needs(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", [1])
    with pytest.raises(InputFileError, match=r"--values LOW,HIGH \(-1,1 or"):
        read_dataset(tmp_path, SOUND)


def test_a_board_is_asked_a_table_with_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled(tmp_path / "net", dense_network(7, [3, 5, 2]))
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    (tmp_path / "d.csv").write_text("1;2,5;-3;shake\n0;0,5;4;rest\n")
    options = ["check", "--model", "net", "--board", "reference", "--dataset", str(tmp_path / "d.csv")]
    done = CliRunner().invoke(main, [*options, "--classes", "rest,shake"])
    assert done.exit_code == 0, done.output
    assert "of 2 labels" in done.output
    refused = CliRunner().invoke(main, options)
    assert refused.exit_code == 4
    assert "give --classes" in refused.stderr
    wrong = CliRunner().invoke(main, [*options, "--values", "1,0"])
    assert wrong.exit_code == 2


@pytest.mark.filterwarnings("ignore:'mode' parameter")
def test_a_profile_reads_samples_as_the_calibration_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no labels, and knows what black and white mean; nothing is measured here."""
    tflite = dense_network(7, [6, 5, 2])
    folder = compiled(tmp_path / "net", tflite)
    (folder / "model_float.tflite").write_bytes(tflite)
    manifest = read_manifest(folder)
    known = FileCalibration("photos", "0" * 64, 1, [-1.0, 1.0])
    manifest.source = ModelSource("net.keras", "keras", "0" * 64, known)
    manifest.inputs[0] = dataclasses.replace(manifest.inputs[0], shape=[1, 2, 3, 1])
    manifest.write(folder)
    heard: list[Any] = []

    def noise(original: bytes, tflite: bytes, samples: Any) -> list[Any]:
        heard.append(samples)
        return []

    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    monkeypatch.setattr("tinyproof.profiling.profile_simulated", lambda *_: ([], []))
    monkeypatch.setattr("tinyproof.export.layer_sqnr.layer_noise", noise)
    image(tmp_path / "photos" / "cat" / "1.png", GRAY)
    (tmp_path / "d.csv").write_text("1,2,3,4,5,6,cat\n")
    for samples in ("photos", "d.csv"):
        asked = ["profile", "--model", "net", "--dataset", str(tmp_path / samples), "--json"]
        done = CliRunner().invoke(main, asked)
        assert done.exit_code == 0, done.output
    np.testing.assert_allclose(heard[0], [[-1, -0.6, 1, -0.2, 0.6, 0.2]], atol=1e-6)
    np.testing.assert_array_equal(heard[1], [[1, 2, 3, 4, 5, 6]])
    asked = ["profile", "--model", "net", "--values", "0,1"]
    done = CliRunner().invoke(main, [*asked, "--json", "--dataset", str(tmp_path / "photos")])
    assert done.exit_code == 0, done.output
    np.testing.assert_allclose(heard[2], [[0, 0.2, 1, 0.4, 0.8, 0.6]], atol=1e-6)
    assert CliRunner().invoke(main, asked).exit_code == 2


# A file of samples, and how one of its kind begins.
HEADS = {"d.csv": b"", "d.npy": b"\x93NUMPY\x01\x00", "a.wav": b"RIFF", "a.png": b"\x89PNG\r\n\x1a\n"}


@pytest.mark.parametrize("name", HEADS)
@given(st.binary(max_size=120))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_bytes_do_worse_than_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / name.replace(".", "_")
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(HEADS[name] + content)
    path = folder / name if name.startswith("d.") else folder
    message = ""
    try:
        dataset = read_dataset(path, THREE, form=DataForm(("a", "b"), (0.0, 1.0)))
    except InputFileError as error:
        message = error.message
    else:
        assert dataset.x.shape[1] == 3
        assert np.isfinite(dataset.x).all()
    assert "\n" not in message
