# SPDX-License-Identifier: Apache-2.0
"""The golden reference: TFLite Micro's own interpreter on this machine (wheel `tflite-micro`, an exact pin).

Where the wheel does not exist (anything but Linux x86-64) the interpreter of our own in core/reference/
serves, bit-exact with it by test. Desktop TFLite is no reference: it rounds once where TFLM rounds twice.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from tinyproof.core.errors import EnvironmentFaultError, InputFileError
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.reader import read_graph

_MIN_ARENA_BYTES = 1 << 16


class _Engine(Protocol):
    name: str

    def run(self, x_q: bytes) -> bytes: ...

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]: ...


class Reference:
    """int8 bytes in, int8 bytes out, as the device sees them (floats at the ends are folded, see tflite/ends.py).

    `name` says which implementation answers: "tflite-micro" or "python".
    Raises InputFileError for a model that it cannot run.
    """

    def __init__(
        self, tflite: bytes, implementation: str = "", file: str = "model.tflite", graph: Graph | None = None
    ) -> None:
        """`graph`: what `tflite` was read to already."""
        graph = graph or read_graph(tflite, file)
        x, y, _ = device_ends(graph)
        self.input_bytes, self.output_bytes = x.elements, y.elements
        self._engine: _Engine
        if (implementation or default_implementation()) == "tflite-micro":
            self._engine = _Wheel(tflite, graph)
        else:
            from tinyproof.core.reference.interpreter import Interpreter

            self._engine = Interpreter(graph)
        self.name = self._engine.name

    def run(self, x_q: bytes) -> bytes:
        """One inference. Raises ValueError when `x_q` has not `input_bytes` bytes."""
        if len(x_q) != self.input_bytes:
            raise ValueError(f"{len(x_q)} bytes for an input of {self.input_bytes}")
        return self._engine.run(x_q)

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]:
        """What one inference leaves in the int8 tensors `indices`, as bytes. Slower than `run`: nothing is reused."""
        if len(x_q) != self.input_bytes:
            raise ValueError(f"{len(x_q)} bytes for an input of {self.input_bytes}")
        return self._engine.trace(x_q, indices)

    def run_batch(self, inputs: Sequence[bytes]) -> list[bytes]:
        return [self.run(x_q) for x_q in inputs]


def in_words(name: str) -> str:
    """Who gave the golden answers, for people. `name` is Reference.name, or what a manifest says of the reference."""
    return "the Python reference" if name == "python" else "TFLite Micro"


def default_implementation() -> str:
    """The wheel where there is one for this machine, installed or not: it must not go missing silently."""
    return "tflite-micro" if sys.platform == "linux" and platform.machine() == "x86_64" else "python"


class _Wheel:
    name = "tflite-micro"

    def __init__(self, tflite: bytes, graph: Graph) -> None:
        try:
            import numpy as np
            from tflite_micro import runtime
        except ImportError as error:
            raise EnvironmentFaultError(f"{error.name} is missing; run ./tinyproof, which installs it") from error
        self._np, self._runtime = np, runtime
        self._tflite, self._graph = tflite, graph
        self._interpreter = self._load(runtime.InterpreterConfig.kAllocationRecording)
        self._keeping: Any = None  # an interpreter that keeps every tensor, made when first asked for
        x, y, _ = device_ends(graph)
        self._x, self._y = x, y
        self._outer_x, self._outer_y = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]

    def _load(self, config: Any) -> Any:
        # The wheel's own guess, ten times the model, is too small for a small model with large tensors.
        activations = sum(tensor.elements for tensor in self._graph.tensors if tensor.data is None)
        try:
            return self._runtime.Interpreter.from_bytes(
                self._tflite,
                arena_size=_MIN_ARENA_BYTES + 10 * len(self._tflite) + 4 * activations,
                intrepreter_config=config,
            )
        except Exception as error:  # RuntimeError of its own; anything from its FlatBuffer code, which reads all fields
            why = (str(error).split("\n")[0] or type(error).__name__)[:200]
            raise InputFileError(f"{self._graph.file}: TFLite Micro refuses this model: {ascii(why)[1:-1]}") from error

    def run(self, x_q: bytes) -> bytes:
        np = self._np
        self._invoke(self._interpreter, x_q)
        y = self._interpreter.get_output(0)
        if self._outer_y is not self._y:
            y = np.rint(y.astype(np.float64) / self._y.scales[0]) + self._y.zero_points[0]
        return bytes(y.astype(np.int8).tobytes())

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]:
        if self._keeping is None:
            self._keeping = self._load(self._runtime.InterpreterConfig.kPreserveAllTensors)
        self._invoke(self._keeping, x_q)
        return [self._keeping.GetTensor(index, 0)["tensor_data"].tobytes() for index in indices]

    def _invoke(self, interpreter: Any, x_q: bytes) -> None:
        np = self._np
        x = np.frombuffer(x_q, np.int8).reshape(self._outer_x.shape)
        if self._outer_x is not self._x:  # the real value of q, which QUANTIZE turns into q again
            x = np.float32(self._x.scales[0]) * (x.astype(np.float32) - np.float32(self._x.zero_points[0]))
        interpreter.set_input(x, 0)
        interpreter.invoke()
