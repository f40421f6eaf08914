# SPDX-License-Identifier: Apache-2.0
"""Asks TensorFlow in a child process (convert_child.py), so that a crash of it is an answer. Loads no TensorFlow.

The child is kept for the next question: loading TensorFlow takes most of the time of a small model.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError
from tinyproof.core.tensorflow_settings import require_tensorflow

STOP_S = 5.0


class _Child:
    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "tinyproof.export.convert_child"]
        # What TensorFlow says to stderr before it crashes is long and tells a user nothing.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> dict[str, str] | str:
        """The reply, or how the child ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        except BaseException:  # Ctrl-C: its reply must not be taken for that to the next question
            self.stop(now=True)
            raise
        if line.endswith("\n"):
            reply: dict[str, str] = json.loads(line)
            return reply
        return _ended(self._process.wait())

    def stop(self, *, now: bool = False) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=0 if now else STOP_S)
        if self.runs:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # a request that nobody read
                assert pipe is not None
                pipe.close()


_children: list[_Child] = []


def ask_tensorflow(
    call: str, file: str, arrays: dict[str, Any], options: dict[str, str], hint: str = ""
) -> dict[str, Any]:
    """The arrays that the call of convert_child.CALLS gives. Raises InputFileError where it refuses `file`, or dies;
    `hint` then says what may help."""
    import numpy as np

    require_tensorflow(f"{file}: converting a float model")
    if not _children or not _children[-1].runs:
        _stop_all()
        _children[:] = [_Child()]
    with tempfile.TemporaryDirectory(prefix="tinyproof-") as folder:
        np.savez(Path(folder) / "in.npz", **arrays)
        reply = _children[-1].ask({"call": call, "folder": folder, "options": options})
        if isinstance(reply, str):
            words = f"{file}: TensorFlow's converter crashed on this model ({reply}); nothing was written"
            raise InputFileError(f"{words}; {hint}" if hint else words)
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


def _stop_all() -> None:
    for child in _children:
        child.stop()


atexit.register(_stop_all)


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
