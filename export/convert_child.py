# SPDX-License-Identifier: Apache-2.0
"""`python -P -m tinyproof.export.convert_child`: TensorFlow in a process of its own, which may crash.

One request a line on stdin, {"call", "folder", "options"}, arrays in `folder`/in.npz; one reply a line on stdout: {}
and arrays in `folder`/out.npz, {"error"} where the user's file is wrong, or {"bug"} with a traceback of ours. It ends
with its stdin.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.errors import InputFileError
from tinyproof.export import tf_converter

Arrays = dict[str, Any]


def _tflite(content: bytes) -> Arrays:
    return {"tflite": np.frombuffer(content, np.uint8)}


def _samples(arrays: Arrays) -> list[Any]:
    return [arrays[f"x{index}"] for index in range(sum(name.startswith("x") for name in arrays))]


def _to_float(arrays: Arrays, path: str, kind: str) -> Arrays:
    convert = tf_converter.saved_model_to_float if kind == "savedmodel" else tf_converter.keras_to_float
    return _tflite(convert(Path(path)))


def _quantize(arrays: Arrays, file: str, activations: str) -> Arrays:
    return _tflite(tf_converter.quantize_float(arrays["tflite"].tobytes(), _samples(arrays), file, activations))


def _answers(arrays: Arrays) -> Arrays:
    answers = tf_converter.float_outputs(arrays["tflite"].tobytes(), _samples(arrays))
    return {f"y{index}": y for index, y in enumerate(answers)}


CALLS: dict[str, Callable[..., Arrays]] = {"float": _to_float, "quantize": _quantize, "answers": _answers}


def _reply(request: dict[str, Any]) -> dict[str, str]:
    folder = Path(request["folder"])
    try:
        with np.load(folder / "in.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
        np.savez(folder / "out.npz", **CALLS[request["call"]](arrays, **request["options"]))
    except InputFileError as error:
        return {"error": error.message}
    except Exception:  # ours: the parent shows it as a bug
        return {"bug": traceback.format_exc()}
    return {}


def main() -> None:
    """Serves until stdin ends. What TensorFlow prints does not get between the replies."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        for line in sys.stdin:
            print(json.dumps(_reply(json.loads(line))), file=replies, flush=True)
    os._exit(0)  # TensorFlow takes seconds to leave


if __name__ == "__main__":
    main()
