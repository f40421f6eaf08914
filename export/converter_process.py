# SPDX-License-Identifier: Apache-2.0
"""Asks TensorFlow in a child process (convert_child.py), so that a crash of it is an answer. Loads no TensorFlow."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError
from tinyproof.core.tensorflow_settings import require_tensorflow
from tinyproof.export.kept_child import kept_child

MODULE = "tinyproof.export.convert_child"


def ask_tensorflow(
    call: str, file: str, arrays: dict[str, Any], options: dict[str, str], hint: str = ""
) -> dict[str, Any]:
    """The arrays that the call of convert_child.CALLS gives. Raises InputFileError where it refuses `file`, or dies;
    `hint` then says what may help."""
    import numpy as np

    require_tensorflow(f"{file}: converting a float model")
    child = kept_child(MODULE)
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as folder:
        np.savez(Path(folder) / "in.npz", **arrays)
        request = {"call": call, "folder": folder, "options": options}
        lines = child.ask(json.dumps(request).encode() + b"\n")
        if not lines:
            how = _ended(child.how_it_ended())
            words = f"{file}: TensorFlow's converter crashed on this model ({how}); nothing was written"
            raise InputFileError(f"{words}; {hint}" if hint else words)
        reply: dict[str, str] = json.loads(lines[0])
        if "error" in reply:
            raise InputFileError(reply["error"])
        if "bug" in reply:
            raise RuntimeError(reply["bug"])
        with np.load(Path(folder) / "out.npz", allow_pickle=False) as stored:
            return dict(stored)


def _ended(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):  # Windows has no signals
        return "SIGKILL: perhaps for want of memory"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def float_model(path: Path, kind: str, hint: str = "") -> bytes:
    """The float .tflite of a .keras, .h5 or SavedModel."""
    tflite: bytes = ask_tensorflow("float", path.name, {}, {"path": str(path.resolve()), "kind": kind}, hint)[
        "tflite"
    ].tobytes()
    return tflite


def quantize(tflite: bytes, samples: list[Any], file: str, activations: str, hint: str = "") -> bytes:
    """float .tflite -> integer .tflite; `samples`: of each input [N, *shape without the batch]."""
    done: bytes = ask_tensorflow(
        "quantize", file, _content(tflite, samples), {"file": file, "activations": activations}, hint
    )["tflite"].tobytes()
    return done


def float_outputs(tflite: bytes, samples: list[Any], file: str = "model_float.tflite") -> list[Any]:
    """The float model's answers to `samples`: of each output [N, elements] float32."""
    answers = ask_tensorflow("answers", file, _content(tflite, samples), {})
    return [answers[f"y{index}"] for index in range(len(answers))]


def _content(tflite: bytes, samples: list[Any]) -> dict[str, Any]:
    import numpy as np

    return {"tflite": np.frombuffer(tflite, np.uint8), **{f"x{index}": x for index, x in enumerate(samples)}}
