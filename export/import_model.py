# SPDX-License-Identifier: Apache-2.0
"""A model that somebody brought becomes a build: build/<name>/model.tflite, int8, and all that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.build_lock import record_of
from tinyproof.core.data_set import WAYS, hash_data
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.files import replaced_whole, write_at_once
from tinyproof.core.manifest import FILE, Manifest, read_manifest
from tinyproof.core.model_file import ModelFile
from tinyproof.core.origin import FileCalibration, ModelSource, RangeCalibration
from tinyproof.core.paths import shown
from tinyproof.core.tensorflow_settings import require_tensorflow
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.reader import read_file, read_graph
from tinyproof.export.brought_file import explain, is_float, types_in_words
from tinyproof.export.calibration import INPUT_TYPES, Calibration, Samples, look_at, read_samples
from tinyproof.export.converter_process import float_model, quantize
from tinyproof.export.export import TFLITE_FILE, compile_model
from tinyproof.export.float_comparison import expect_float_answers
from tinyproof.export.keras_config import FloatInput, Layer, check_config

FLOAT_FILE = "model_float.tflite"
MAX_SAMPLE_VECTORS = 64  # of the samples, from which vectors are chosen
ORIGIN = ".origin"  # record of where the file lay, for it must not be in the manifest
UNROLL = "LSTM and GRU come through with unroll=True"


@dataclass(frozen=True)
class _Quantized:
    """A float model made integer. `warnings`: about the samples."""

    float_model: bytes
    tflite: bytes
    samples: Samples
    warnings: list[str]


def import_model(
    source: ModelFile,
    build_dir: Path,
    calibration: Calibration,
    *,
    keep_dead: bool = False,
    ram: str = "",
    replace: bool = False,
) -> Manifest:
    """Copy or convert `source` into `build_dir` and compile it. TensorFlow is asked only about a float model.

    A float model's answers to samples become the expected answers, with the error that quantization costs on them as
    tolerance; an integer .tflite brings no answers. `keep_dead`: as in lowering.lower; `ram`: as in schedules.schedule.
    `replace`: even where the build came from another file. Raises InputFileError for a file that cannot be used or
    needs calibration samples, UsageError where the build of that name is somebody else's.
    """
    _check_unused(source, build_dir)
    if not replace and (other := other_origin(source, build_dir)) is not None and other.exists():
        raise UsageError(
            f"{shown(build_dir)} holds the model of another file, {other}: give this one a name of its own with "
            f"--name NAME, or replace that with --name {build_dir.name}"
        )
    quantized: _Quantized | None = None
    layers: tuple[Layer, ...] = ()
    if source.kind == "tflite":
        tflite = read_file(source.path)
        graph = read_graph(tflite, source.file)
        if is_float(graph):
            quantized = _quantize(tflite, source.file, calibration)
        elif calibration.given or calibration.activations:
            raise UsageError(
                f"{source.file} computes in integers already ({types_in_words(graph)}): leave out --calibration, "
                "--low, --high and --activations"
            )
    else:
        layers = _look_first(source, calibration)
        quantized = _quantize(float_model(source.path, source.kind, UNROLL), source.file, calibration)
    if quantized is not None:
        tflite = quantized.tflite
    # A folder of its own, moved when whole: an import that fails leaves the last one. What was built for boards stays,
    # and is known to be stale by its model id.
    with replaced_whole(build_dir, FILE, empty=True) as folder:
        (folder / TFLITE_FILE).write_bytes(tflite)
        manifest = Manifest(build_dir.name)
        manifest.source = ModelSource(source.file, source.kind, source.sha256)
        manifest.seeds = {"vectors": calibration.seed}
        try:
            compile_model(folder, manifest, keep_dead=keep_dead, ram=ram, samples=_as_inputs(tflite, quantized))
        except InputFileError as error:
            graph = read_graph(tflite, TFLITE_FILE if quantized else source.file)
            told = explain(error, graph, layers, quantized_here=quantized is not None)
            if calibration.activations == "int16":
                told = InputFileError(f"{told.message}; int8 may do: leave out --activations int16")
            raise told from error
        if quantized is not None:
            manifest.source = _compare(source, folder, manifest, quantized, calibration)
        manifest.write(folder)
    write_at_once(record_of(build_dir, ORIGIN), str(source.path.resolve()))
    return manifest


def _as_inputs(tflite: bytes, quantized: _Quantized | None) -> list[bytes]:
    """Some calibration samples as the device is sent them."""
    if quantized is None:
        return []
    from tinyproof.core.tflite.arrays import quantize_array

    inputs = device_ends(read_graph(tflite)).inputs
    step = -(-len(quantized.samples) // MAX_SAMPLE_VECTORS)
    return [
        b"".join(
            quantize_array(part, *tensor.quantization, tensor.dtype).tobytes()
            for part, tensor in zip(sample, inputs, strict=True)
        )
        for sample in zip(*(part[::step] for part in quantized.samples.parts), strict=True)
    ]


def _compare(
    source: ModelFile, folder: Path, manifest: Manifest, quantized: _Quantized, calibration: Calibration
) -> ModelSource:
    """Adds the float model and its answers to the build; where all of it comes from."""
    (folder / FLOAT_FILE).write_bytes(quantized.float_model)
    manifest.add_artefact(folder / FLOAT_FILE)
    accuracy = expect_float_answers(
        *(folder, manifest, quantized.tflite, quantized.float_model, quantized.samples.parts),
        *(calibration.asked, quantized.warnings),
    )
    return ModelSource(
        *(source.file, source.kind, source.sha256),
        calibration=quantized.samples.provenance(calibration),
        accuracy=accuracy,
        activations=calibration.activations if calibration.activations == "int16" else None,
    )


def _look_first(source: ModelFile, calibration: Calibration) -> tuple[Layer, ...]:
    """What is wrong with a model or its samples is told before TensorFlow is loaded, where the file shows it."""
    require_tensorflow(f"{source.file}: converting a {'SavedModel' if source.kind == 'savedmodel' else 'Keras model'}")
    if source.kind != "keras":
        _check_samples(calibration)
        return ()
    config = check_config(source.path)
    if config.inputs and all(end.dtype in INPUT_TYPES for end in config.inputs):
        read_samples(calibration, config.inputs, source.file)
    else:
        _check_samples(calibration)
    return config.layers


def _check_samples(calibration: Calibration) -> None:
    if calibration.file is not None and not calibration.file.exists():
        raise InputFileError(f"{calibration.file}: no such file; give {WAYS}")


def _quantize(tflite: bytes, file: str, calibration: Calibration) -> _Quantized:
    inputs = _inputs(read_graph(tflite, file), file)
    samples = read_samples(calibration, inputs, file)
    made = quantize(tflite, samples.parts, file, calibration.activations or "int8", UNROLL)
    try:
        read_graph(made, TFLITE_FILE)
    except InputFileError as error:  # seen of PReLU in int16
        raise InputFileError(
            f"{file}: TensorFlow quantized it to a file that cannot be read ({error.message}); try --activations "
            f"{'int8' if calibration.activations == 'int16' else 'int16'}"
        ) from error
    return _Quantized(tflite, made, samples, look_at(samples, inputs))


def _inputs(graph: Graph, file: str) -> Sequence[FloatInput]:
    """Of the float model, without the batch, which must be one."""
    found = []
    for index in graph.inputs:
        x = graph.tensors[index]
        if x.dtype not in INPUT_TYPES or not x.shape or x.shape[0] != 1 or x.elements < 1:
            raise InputFileError(
                f"{file}: {x.label} is {x.dtype} {list(x.shape)}; tinyproof takes {', '.join(INPUT_TYPES)} "
                "with a batch of 1"
            )
        found.append(FloatInput(x.name, x.shape[1:], x.dtype))
    if not found or not graph.outputs:
        raise InputFileError(f"{file}: a model without inputs or outputs answers nothing")
    return found


def _check_unused(source: ModelFile, build_dir: Path) -> None:
    """An import may replace an earlier import of that name, never a model that was trained here."""
    if not (build_dir / FILE).is_file():
        return
    if read_manifest(build_dir).source is None:
        raise UsageError(f"{shown(build_dir)} holds a trained model; rename {source.file}, and import it again")


def other_origin(source: ModelFile, build_dir: Path) -> Path | None:
    """The file that `build_dir` was imported from, where it is another than `source` and holds another model."""
    try:
        origin = Path(record_of(build_dir, ORIGIN).read_text(encoding="utf-8"))
        known = read_manifest(build_dir).source
    except (OSError, UsageError):
        return None
    if known is None or known.sha256 == source.sha256 or origin == source.path.resolve():
        return None
    return origin


def is_current(source: ModelFile, build_dir: Path, calibration: Calibration) -> bool:
    """Whether `build_dir` holds this very file already, imported with what is asked now."""
    try:
        manifest = read_manifest(build_dir)
    except UsageError:
        return False
    if manifest.source is None or manifest.source.sha256 != source.sha256 or not manifest.model_id:
        return False
    if calibration.activations and calibration.activations != (manifest.source.activations or "int8"):
        return False
    if not calibration.given:
        return True
    known = manifest.source.calibration
    if calibration.file is None:
        return isinstance(known, RangeCalibration) and (known.low, known.high) == (calibration.low, calibration.high)
    if not isinstance(known, FileCalibration) or known.sha256 != hash_data(calibration.file):
        return False
    return known.values == (None if calibration.values is None else list(calibration.values))
