# SPDX-License-Identifier: Apache-2.0
"""The golden reference: TFLite Micro's own interpreter on this machine (wheel `tflite-micro`, an exact pin).

Where the wheel does not exist (anything but Linux x86-64) the interpreter of our own in core/reference/
serves, bit-exact with it by test. Desktop TFLite is no reference: it rounds once where TFLM rounds twice.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from tinyproof.core.errors import EnvironmentFaultError, InputFileError
from tinyproof.core.escaping import escaped
from tinyproof.core.tflite.ends import Ends, device_ends
from tinyproof.core.tflite.graph import Graph, Tensor
from tinyproof.core.tflite.indices import index_ranges, within
from tinyproof.core.tflite.reader import read_graph

_MIN_ARENA_BYTES = 1 << 16
# Operators by which a model remembers something, in variable tensors or elsewhere.
STATEFUL = frozenset(
    (
        *("VAR_HANDLE", "CALL_ONCE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF", "CUSTOM CIRCULAR_BUFFER"),
        *("CUSTOM SignalDelay", "CUSTOM SignalStacker", "CUSTOM SignalFramer", "CUSTOM SignalOverlapAdd"),
        *("CUSTOM SignalFilterBankSpectralSubtraction", "CUSTOM SignalPCAN"),
    )
)


class _Engine(Protocol):
    name: str

    def run(self, x_q: bytes) -> bytes: ...

    def reset(self) -> None: ...

    def tensors(self, indices: list[int]) -> list[bytes]: ...


class Reference:
    """Bytes of the inputs in, bytes of the outputs out, each one after the other as the device sees them (floats at the
    ends are folded, see tflite/ends.py). A model with state goes on from inference to inference.

    `name` says which implementation answers: "tflite-micro" or "python".
    Raises InputFileError for a model that it cannot run.
    """

    def __init__(
        self,
        tflite: bytes,
        implementation: str = "",
        file: str = "model.tflite",
        graph: Graph | None = None,
        *,
        only_numbers_changed: bool = False,
    ) -> None:
        """`graph`: what `tflite` was read to already. `only_numbers_changed`: it is a model that a reference has taken
        before, but for numbers in its constants, and is loaded without the wheel's look at every field of it, which
        takes as long as a hundred inferences of a small one."""
        graph = graph or read_graph(tflite, file)
        graph.check_order()
        self._ends = device_ends(graph)
        self.input_bytes, self.output_bytes = self._ends.input_bytes, self._ends.output_bytes
        self.stateful = is_stateful(graph)
        self._index_ranges = index_ranges(graph)
        self._engine: _Engine
        if (implementation or default_implementation()) == "tflite-micro":
            self._engine = _Wheel(tflite, graph, self._ends, only_numbers_changed)
        else:
            from tinyproof.core.reference.interpreter import Interpreter

            self._engine = Interpreter(graph)
        self.name = self._engine.name

    def run(self, x_q: bytes) -> bytes:
        """One inference. Raises ValueError when `x_q` has not `input_bytes` bytes."""
        if len(x_q) != self.input_bytes:
            raise ValueError(f"{len(x_q)} bytes for an input of {self.input_bytes}")
        return self._engine.run(x_q)

    def admit(self, x_q: bytes) -> bytes:
        """The same bytes, where indices among them are brought within what they name, and truths are 0 or 1: TFLite
        Micro's C++ answers anything where a bool is neither."""
        parts = []
        for tensor, content in zip(self._ends.inputs, self._ends.parts(x_q), strict=True):
            if tensor.dtype == "bool":
                content = bytes(byte & 1 for byte in content)
            ranges = self._index_ranges.get(tensor.index)
            parts.append(content if ranges is None else within(content, tensor, ranges))
        return b"".join(parts)

    @property
    def takes_places(self) -> bool:
        """Whether elements of an input say where something is, so that `admit` changes what names nothing."""
        return any(tensor.index in self._index_ranges for tensor in self._ends.inputs)

    def reset(self) -> None:
        """To the state in which the model begins."""
        self._engine.reset()

    def tensors(self, indices: list[int]) -> list[bytes]:
        """What the last inference left in the tensors `indices`, as bytes. Slow: nothing may have been reused."""
        return self._engine.tensors(indices)

    def trace(self, x_q: bytes, indices: list[int]) -> list[bytes]:
        """What one inference leaves in the tensors `indices`."""
        self.run(x_q)
        return self.tensors(indices)

    def run_batch(self, inputs: Sequence[bytes]) -> list[bytes]:
        """One after the other, from the beginning."""
        self.reset()
        return [self.run(x_q) for x_q in inputs]


def is_stateful(graph: Graph) -> bool:
    """Whether an inference may depend on those before it."""
    return any(
        any(tensor.is_variable for tensor in each.tensors)
        or any(operator.name in STATEFUL for operator in each.operators)
        for each in graph.all_graphs
    )


def in_words(name: str) -> str:
    """Who gave the golden answers, for people. `name` is Reference.name, or what a manifest says of the reference."""
    return "the Python reference" if name == "python" else "TFLite Micro"


def default_implementation() -> str:
    """The wheel where there is one for this machine, installed or not: it must not go missing silently."""
    return "tflite-micro" if sys.platform == "linux" and platform.machine() == "x86_64" else "python"


class _Wheel:
    name = "tflite-micro"

    def __init__(self, tflite: bytes, graph: Graph, ends: Ends, only_numbers_changed: bool) -> None:
        try:
            import numpy as np
            from tflite_micro import runtime
        except ImportError as error:
            raise EnvironmentFaultError(
                f"{error.name} is missing; install tinyproof again, for it comes with it"
            ) from error
        self._np, self._runtime = np, runtime
        self._tflite, self._graph, self._ends = tflite, graph, ends
        self._only_numbers_changed = only_numbers_changed
        self._stateful = is_stateful(graph)
        self._feeds = list(self._places_of_inputs())
        outputs = zip(ends.outputs, ends.outer_outputs, strict=True)
        self._outputs = [
            (number, self._numpy_type(inner), None if outer is inner else inner.quantization)
            for number, (inner, outer) in enumerate(outputs)
        ]
        self._past: list[bytes] = []  # inputs since the beginning, of a model with state
        self._interpreter = self._load(runtime.InterpreterConfig.kAllocationRecording)
        self._keeping: Any = None  # an interpreter that keeps every tensor, made when first asked for
        self._kept = 0  # how many of `_past` it has seen

    def _load(self, config: Any) -> Any:
        # The wheel's own guess, ten times the model, is too small for a small model with large tensors.
        activations = sum(
            tensor.bytes for graph in self._graph.all_graphs for tensor in graph.tensors if tensor.data is None
        )
        arena_bytes = _MIN_ARENA_BYTES + 10 * len(self._tflite) + 4 * activations
        try:
            if self._only_numbers_changed and not self._stateful:
                return self._bare_interpreter(arena_bytes, config)
            return self._runtime.Interpreter.from_bytes(self._tflite, arena_size=arena_bytes, intrepreter_config=config)
        except Exception as error:  # RuntimeError of its own; anything from its FlatBuffer code, which reads all fields
            why = (str(error).split("\n")[0] or type(error).__name__)[:200]
            raise InputFileError(f"{self._graph.file}: TFLite Micro refuses this model: {escaped(why)}") from error

    def _bare_interpreter(self, arena_bytes: int, config: Any) -> Any:
        """As the wheel's own, which reads the model in Python to count variables that only models with a state have."""
        runtime = self._runtime
        interpreter = runtime.Interpreter.__new__(runtime.Interpreter)
        interpreter._interpreter = runtime._runtime.InterpreterWrapper(
            self._tflite, [], arena_bytes, 0, runtime._ENUM_TRANSLATOR[config], 0
        )
        return interpreter

    def _places_of_inputs(self) -> Iterator[tuple[int, int, Any, Tensor, Tensor]]:
        """Of each input: where it begins in what the device is sent, its elements and their type, and both its ends."""
        start = 0
        for inner, outer in zip(self._ends.inputs, self._ends.outer_inputs, strict=True):
            yield start, inner.elements, self._numpy_type(inner), inner, outer
            start += inner.bytes

    def reset(self) -> None:
        """A new interpreter: its own Reset runs no CALL_ONCE again, and so leaves other values than the first time."""
        if self._stateful and self._past:
            self._interpreter = self._load(self._runtime.InterpreterConfig.kAllocationRecording)
            self._keeping, self._kept = None, 0
        self._past.clear()

    def run(self, x_q: bytes) -> bytes:
        if not self._stateful:
            self._past.clear()
            self._kept = 0
        self._past.append(x_q)
        self._invoke(self._interpreter, x_q)
        return b"".join([self._output(*end) for end in self._outputs])

    def tensors(self, indices: list[int]) -> list[bytes]:
        if self._keeping is None:
            self._keeping = self._load(self._runtime.InterpreterConfig.kPreserveAllTensors)
        for x_q in self._past[self._kept :]:
            self._invoke(self._keeping, x_q)
        self._kept = len(self._past)
        return [self._keeping.GetTensor(index, 0)["tensor_data"].tobytes() for index in indices]

    def _output(self, number: int, dtype: Any, quantization: tuple[float, int] | None) -> bytes:
        """`quantization`: of an output that is real in the file, and integer for the device."""
        y = self._interpreter.get_output(number)
        if quantization:
            y = self._np.rint(y.astype(self._np.float64) / quantization[0]) + quantization[1]
        return bytes(y.astype(dtype, copy=False).tobytes())

    def _invoke(self, interpreter: Any, x_q: bytes) -> None:
        np = self._np
        for number, (start, elements, dtype, inner, outer) in enumerate(self._feeds):
            x = np.frombuffer(x_q, dtype, elements, start).reshape(outer.shape)
            if outer is not inner:  # the real value of q, which QUANTIZE turns into q again
                x = np.float32(inner.scales[0]) * (x.astype(np.float32) - np.float32(inner.zero_points[0]))
            interpreter.set_input(x, number)
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise InputFileError(
                f"{self._graph.file}: TFLite Micro gives up on an input: an index in it may name nothing"
            ) from error

    def _numpy_type(self, tensor: Tensor) -> Any:
        return self._np.dtype(tensor.dtype)  # by name: the wheel knows int64, not long long
