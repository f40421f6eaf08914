# SPDX-License-Identifier: Apache-2.0
"""A model that somebody brought becomes a build: build/<name>/model.tflite, int8, and all that follows from it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.data_set import Dataset, read_dataset
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import FILE, Expected, Manifest, Tolerance, read_manifest
from tinyproof.core.model_file import ModelFile
from tinyproof.core.origin import FileCalibration, ImportAccuracy, ModelSource, RangeCalibration
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.export import TFLITE_FILE, compile_model
from tinyproof.export.keras_quantizer import GRID, SAMPLES
from tinyproof.export.tolerance import CURVE_FILE, float_curve, quantization_report

FLOAT_FILE = "model_float.tflite"
MAX_CALIBRATION_SAMPLES = 500  # more do not move a range noticeably, and each costs an inference
MAX_EXPECTED_ANSWERS = 16
MAX_EXPECTED_VALUES = 4096  # of all questions together: the manifest is text


@dataclass(frozen=True)
class Calibration:
    """Where the ranges of a float model come from: a file of samples, or the range of its one number."""

    file: Path | None = None
    low: float | None = None
    high: float | None = None
    seed: int = 1

    @property
    def given(self) -> bool:
        """Whether the user has said enough to find the ranges of a float model."""
        return self.file is not None or (self.low is not None and self.high is not None)


def import_model(source: ModelFile, build_dir: Path, calibration: Calibration) -> Manifest:
    """Copy or convert `source` into `build_dir` and compile it. TensorFlow is loaded only for a float model.

    A float model's answers to samples become the expected answers, with the error that quantization costs on them as
    tolerance; an int8 .tflite brings no answers. Raises InputFileError for a file that cannot be used or needs
    calibration samples, UsageError where the build of that name is somebody else's.
    """
    _check_unused(source, build_dir)
    float_model = _float_model(source)
    if float_model is None:
        if calibration.given:
            raise UsageError(f"{source.file} is int8 already: leave out --calibration, --low and --high")
        tflite = read_file(source.path)
        read_graph(tflite, source.file)
    else:
        graph = read_graph(float_model, source.file)
        shape = _input_shape(graph, source.file)
        samples, dataset = _samples(calibration, shape, source.file)
        from tinyproof.export.tf_converter import quantize_float

        tflite = quantize_float(float_model, samples, source.file)
    build_dir.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own, moved when whole: an import that fails leaves the last one, and two at once stay apart.
    with tempfile.TemporaryDirectory(dir=build_dir.parent, prefix=f"{build_dir.name}.", suffix=".partial") as scratch:
        folder = Path(scratch)
        (folder / TFLITE_FILE).write_bytes(tflite)
        manifest = Manifest(build_dir.name)
        manifest.source = ModelSource(source.file, source.kind, source.sha256)
        manifest.seeds = {"vectors": calibration.seed}
        compile_model(folder, manifest)
        if float_model is not None:
            (folder / FLOAT_FILE).write_bytes(float_model)
            manifest.add_artefact(folder / FLOAT_FILE)
            accuracy = _expect_float_answers(folder, manifest, tflite, float_model, samples, calibration)
            provenance = _provenance(calibration, dataset, len(samples))
            manifest.source = dataclasses.replace(manifest.source, calibration=provenance, accuracy=accuracy)
        manifest.write(folder)
        _replace(folder, build_dir)
    return manifest


def _check_unused(source: ModelFile, build_dir: Path) -> None:
    """An import may replace an earlier import of that name, never a model that was trained here."""
    if not (build_dir / FILE).is_file():
        return
    if read_manifest(build_dir).source is None:
        raise UsageError(f"build/{build_dir.name} holds a trained model; rename {source.file}, and import it again")


def _float_model(source: ModelFile) -> bytes | None:
    """The float .tflite of `source`; None when it is int8 already."""
    if source.kind == "tflite":
        tflite = read_file(source.path)
        graph = read_graph(tflite, source.file)
        if any(tensor.dtype in ("int8", "uint8", "int16") and tensor.scales for tensor in graph.tensors):
            return None
        return tflite
    from tinyproof.export import tf_converter

    convert = tf_converter.keras_to_float if source.kind == "keras" else tf_converter.saved_model_to_float
    return convert(source.path)


def _input_shape(graph: Graph, file: str) -> tuple[int, ...]:
    """Of the float model's one input, without the batch, which must be one."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputFileError(
            f"{file}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; tinyproof takes one of each"
        )
    x = graph.tensors[graph.inputs[0]]
    if x.dtype != "float32" or not x.shape or x.shape[0] != 1 or x.elements < 1:
        raise InputFileError(
            f"{file}: {x.label} is {x.dtype} {list(x.shape)}; tinyproof takes float32 with a batch of 1"
        )
    return x.shape[1:]


def _samples(calibration: Calibration, shape: tuple[int, ...], file: str) -> tuple[Any, Dataset | None]:
    """[N, *shape] float32 to measure ranges on, and the file that they come from."""
    import numpy as np

    elements = math.prod(shape)
    if calibration.file is not None:
        dataset = read_dataset(calibration.file, elements)
        if dataset.quantized:
            raise InputFileError(f"{dataset.file}: calibration needs real values in x, not x_q")
        step = max(1, -(-len(dataset) // MAX_CALIBRATION_SAMPLES))
        return dataset.x[::step].reshape(-1, *shape), dataset
    low, high = calibration.low, calibration.high
    if elements != 1 or low is None or high is None:
        way = "--low and --high, or " if elements == 1 else ""
        raise InputFileError(
            f"{file}: a float model needs samples to quantize it: give {way}--calibration FILE, a .npz with x "
            f"[N, {', '.join(map(str, shape))}] or a .csv with {elements} columns"
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"the range of x must go up, not from {low:g} to {high:g}; see --low and --high")
    return np.linspace(low, high, SAMPLES, dtype=np.float32).reshape(SAMPLES, *shape), None


def _provenance(
    calibration: Calibration, dataset: Dataset | None, samples: int
) -> FileCalibration | RangeCalibration | None:
    if dataset is not None:
        return FileCalibration(dataset.file, dataset.sha256, samples)
    assert calibration.low is not None  # or there were no samples
    assert calibration.high is not None
    return RangeCalibration(calibration.low, calibration.high, samples)


def _expect_float_answers(
    folder: Path, manifest: Manifest, tflite: bytes, float_model: bytes, samples: Any, calibration: Calibration
) -> ImportAccuracy:
    """The float model's answers to some samples, and what int8 makes of all of them as the tolerance; its whole curve
    where it is one."""
    import numpy as np

    from tinyproof.core.tflite.arrays import dequantize_array, quantize_array
    from tinyproof.export.tf_converter import float_outputs

    source, target = manifest.inputs[0], manifest.outputs[0]
    reference = Reference(tflite)

    def answer(sample: Any) -> list[float]:
        x_q = quantize_array(sample, source.scale, source.zero_point).tobytes()
        signed = np.frombuffer(reference.run(x_q), np.int8)
        y: list[float] = dequantize_array(signed, target.scale, target.zero_point).tolist()
        return y

    right = float_outputs(float_model, samples)
    ours = np.array([answer(sample) for sample in samples])
    worst = float(np.abs(ours - right).max())
    noise = float(((ours - right) ** 2).sum())
    power = float((right.astype(np.float64) ** 2).sum())
    accuracy = ImportAccuracy(
        samples=len(samples),
        worst_error=worst,
        sqnr_db=10 * math.log10(power / noise) if noise > 0 and power > 0 else None,
        same_class_share=float((ours.argmax(1) == right.argmax(1)).mean()) if right.shape[1] > 1 else None,
    )
    if source.bytes == target.bytes == 1:

        def evaluate(x: Sequence[float]) -> list[float]:
            column = np.array(x, np.float32).reshape(-1, *samples.shape[1:])
            return [float(y) for y in float_outputs(float_model, column).reshape(-1)]

        if calibration.file is None:
            x = np.linspace(calibration.low or 0.0, calibration.high or 0.0, GRID, dtype=np.float32).tolist()
            answers = {q: reference.run(bytes([q & 0xFF]))[0] for q in range(-128, 128)}
            manifest.quantization = quantization_report(manifest, x, evaluate(x), lambda q: (answers[q] ^ 0x80) - 0x80)
            worst = max(worst, manifest.quantization.worst_error)
        (folder / CURVE_FILE).write_text(float_curve(manifest, evaluate), encoding="utf-8")
        manifest.add_artefact(folder / CURVE_FILE)
    count = min(MAX_EXPECTED_ANSWERS, MAX_EXPECTED_VALUES // max(1, source.bytes + target.bytes), len(samples))
    chosen = sorted({round(index) for index in np.linspace(0, len(samples) - 1, count)}) if count else []
    manifest.expected = [
        Expected(samples[index].reshape(-1).tolist(), right[index].tolist(), "float model, calibration sample")
        for index in chosen
    ]
    if manifest.expected:
        value = worst + target.scale / 2
        manifest.tolerance = Tolerance(
            value,
            {"quantization, worst of all samples": worst, "half an output step": target.scale / 2},
            f"on {len(samples)} samples int8 leaves the float model by up to {worst:.4g}, as the golden reference "
            f"computes it; half an output step is {target.scale / 2:.4g}",
        )
    return accuracy


def _replace(folder: Path, build_dir: Path) -> None:
    """The new files over the old; what was built for boards stays and is known to be stale by its model id."""
    build_dir.mkdir(parents=True, exist_ok=True)
    for path in build_dir.iterdir():
        if path.is_file() and not (folder / path.name).exists():
            path.unlink()
    for path in folder.iterdir():
        path.replace(build_dir / path.name)


def is_current(source: ModelFile, build_dir: Path, calibration: Calibration) -> bool:
    """Whether `build_dir` holds this very file already, imported with what is asked now."""
    try:
        manifest = read_manifest(build_dir)
    except UsageError:
        return False
    if manifest.source is None or manifest.source.sha256 != source.sha256 or not manifest.model_id:
        return False
    if not calibration.given:
        return True
    known = manifest.source.calibration
    if calibration.file is None:
        return isinstance(known, RangeCalibration) and (known.low, known.high) == (calibration.low, calibration.high)
    try:
        digest = hashlib.sha256(calibration.file.read_bytes()).hexdigest()
    except OSError as error:
        raise InputFileError(f"{calibration.file}: {error.strerror}; give a .npz or .csv file") from None
    return isinstance(known, FileCalibration) and known.sha256 == digest
