# SPDX-License-Identifier: Apache-2.0
"""What an operator of the intermediate form is, and what all of them check alike.

To add an operator: docs/adding-an-operator.md.
"""

from __future__ import annotations

import copy
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self, overload

from tinyproof.core.tflite.arithmetic import ACTIVATION_RANGES, activation_range
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.schema import ACTIVATIONS
from tinyproof.export.ops.access import AccessOrder


@dataclass(frozen=True)
class RowWalk:
    """Output row k of an image takes `reach` rows of each input from k * stride - pad on, those that there are.

    `on_rows` makes the operator on a part of its rows, with the tables of another such one where that is given.
    """

    inputs: int
    outputs: int
    on_rows: Callable[[RowPart, Op | None], Op]
    stride: int = 1
    reach: int = 1
    pad: int = 0

    def needed(self, first: int, end: int) -> tuple[int, int]:
        """Rows of the inputs from, up to, for those of the output."""
        start = first * self.stride - self.pad
        return max(start, 0), min((end - 1) * self.stride - self.pad + self.reach, self.inputs)


@dataclass(frozen=True)
class RowPart:
    """`outputs` rows from `inputs` rows, of which `pad` more are missing above the first."""

    inputs: int
    outputs: int
    pad: int


WORD = 4  # kernels may read whole words of tensors that have any


def alignment(size: int, element: int = 1) -> int:
    """What the offset of `size` bytes in the arena must be a multiple of: kernels may read whole words, and elements as
    what they are. `element`: bytes of the widest one."""
    return max(WORD if size >= WORD else 1, element)


class LazyNumbers(Sequence[int]):
    """`count` numbers that `make` computes when one of them is asked for: a table's size is known without them."""

    def __init__(self, count: int, make: Callable[[], list[int]]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        return self._numbers[place]

    @cached_property
    def _numbers(self) -> list[int]:
        numbers = self._make()
        assert len(numbers) == self._count
        return numbers


@dataclass(frozen=True)
class Constant:
    """A table of the generated C: `static KERNEL_TABLE <ctype> <prefix>_<suffix>[]`.

    One that is an `operand`, passed where others pass a tensor of the arena, is a plain `const`: a pointer to the arena
    cannot reach a flash with an address space of its own.
    """

    suffix: str
    ctype: str
    values: Sequence[int]
    operand: bool = False
    alignment: int = 0  # in bytes, where a kernel reads wider words than `ctype`

    @property
    def element_bytes(self) -> int:
        """Of one value: `ctype` is one of C's integers of a fixed width."""
        return int(self.ctype.removeprefix("u").removeprefix("int").removesuffix("_t")) // 8


@dataclass(frozen=True)
class MveForm:
    """What stands in the generated code instead of a kernel's call where kernels_mve/ is on the include path: a kernel
    with a parameter struct of another name, its tables, and its members but for those. It always takes a scratch.

    The planner asks many forms what they need and few for their tables, so that `make_constants` makes these when they
    are first asked for."""

    kernel: str
    struct: str
    make_constants: Callable[[], tuple[Constant, ...]]
    members: dict[str, str]
    scratch_bytes: int

    @cached_property
    def constants(self) -> tuple[Constant, ...]:
        """The tables."""
        return self.make_constants()

    def parameters(self, prefix: str) -> dict[str, str]:
        """Members of the parameter struct as C."""
        return self.members | {table.suffix: f"{prefix}_{table.suffix}" for table in self.constants}


@dataclass(frozen=True)
class Call:
    """One call of the kernel: C arguments in their order, then the parameter struct.

    An input is a tensor of the arena (its index) or a table of the generated C (its name).
    """

    inputs: tuple[int | str, ...]
    outputs: tuple[int, ...]
    parameters: dict[str, str]


class Op(ABC):
    """One kernel call, or several of the same kernel. Built from the .tflite's operator, it has checked everything that
    its kernel takes for granted.

    `inputs` and `outputs` are the tensors in the arena (indices into Graph.tensors), without constants.
    """

    # Kernel arguments are bytes whatever the tensors hold: for operators that only move elements.
    moves_bytes: bool = False
    # In the TFLite schema. A class that has them is an operator that is supported (see export/ops/__init__.py).
    names: ClassVar[tuple[str, ...]]
    # Highest version of the operator whose meaning the class knows.
    max_version: ClassVar[int]
    # Thumb-2 code of one call at -O2, about: `inspect` adds it up before anything is built.
    code_bytes: ClassVar[int] = 120
    # The kernel's name: its C function, its parameter struct and its header. Empty: nothing to do on the device.
    kernel: str = ""
    # Macros that the generated C defines: parts of the kernel that not every model is faster by.
    kernel_macros: tuple[str, ...] = ()

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator
        self.inputs: tuple[int, ...] = ()
        self.outputs: tuple[int, ...] = ()
        # Those of `inputs` and `outputs` that the kernel reads and writes: one argument, among the outputs.
        self.kept: tuple[int, ...] = ()
        if not 1 <= operator.version <= self.max_version:
            raise self.refuse(
                f"version {operator.version} is not supported (1 to {self.max_version} are); convert the model with "
                "the pinned TensorFlow"
            )

    @property
    def in_place(self) -> bool:
        """Whether the output may begin at the same address as input 0, once nobody else needs that input."""
        return False

    @property
    def replaceable(self) -> tuple[int, ...]:
        """Inputs at whose address the output may begin, once nobody else needs them."""
        return self.inputs[:1] if self.in_place else ()

    @property
    def replaceable_by_rows(self) -> tuple[int, ...]:
        """Those of them of which some rows may be replaced alone, since each element of the output follows from one."""
        return self.replaceable

    @property
    def access_orders(self) -> Sequence[AccessOrder]:
        """How each form of the kernel reads input 0 and writes its one output; none where the two must not overlap, but
        for what `replaceable` says."""
        return ()

    @cached_property
    def distance(self) -> int | None:
        """How many bytes before input 0 the output has to begin at least, if the two overlap; None: they must not."""
        return max((order.distance for order in self.access_orders), default=None)

    @property
    def taken(self) -> tuple[int, int] | None:
        """Where the output is a part of input 0, byte for byte: where that begins, and its size."""
        return None

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the arena that the kernel works in, passed after its outputs."""
        return 0

    @property
    def mve(self) -> MveForm | None:
        """The operator's form for cores with MVE, where it has one; its kernel takes the same tensors."""
        return None

    @cached_property
    def working_bytes(self) -> int:
        """Bytes of the arena that are kept free for the kernel of any core."""
        form = self.mve
        return max(self.scratch_bytes, form.scratch_bytes if form else 0)

    @property
    def private_tensors(self) -> tuple[tuple[str, int], ...]:
        """What it keeps for itself from one inference to the next and a file says nothing of: element type and number
        of each tensor. All of them begin as zeros."""
        return ()

    def keep(self, states: tuple[int, ...]) -> None:
        """Takes the `private_tensors`, by their indices: its kernel has them after the outputs."""
        self.inputs += states
        self.outputs += states
        self.kept += states

    def copied(self) -> Self:
        """Another one, to be changed: what follows from its members is worked out anew."""
        op = copy.copy(self)
        for name in ("working_bytes", "distance"):
            op.__dict__.pop(name, None)
        return op

    def narrow(self) -> Op | None:
        """The same with a kernel that needs less scratch and more instructions, where there is one."""
        return None

    @property
    def row_walk(self) -> RowWalk | None:
        """How its output can be made some rows at a time; None where it is made as a whole."""
        return None

    @property
    def cost(self) -> int:
        """Instructions of an inference on a Cortex-M4, about."""
        # The operator's own outputs: what a program adds to a graph, such as a state in its place, this graph lacks.
        return self.macs + 10 * sum(self.graph.tensors[index].elements for index in self.operator.outputs if index >= 0)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return self.operator.name

    @property
    def members(self) -> tuple[Op, ...]:
        """The operators of the .tflite that it runs."""
        return (self,)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return 0

    def constants(self) -> list[Constant]:
        """The tables that the parameter struct points to."""
        return []

    @abstractmethod
    def parameters(self, prefix: str) -> dict[str, str]:
        """Members of the kernel's parameter struct as C; `prefix` names the tables."""

    def operand_place(self, tensor: Tensor, prefix: str, suffix: str) -> int | str:
        """The C argument that a tensor becomes: its place in the arena, or its table where it is a constant."""
        return tensor.index if tensor.data is None else f"{prefix}_{suffix}"

    def operand_tables(self, tensor: Tensor, suffix: str) -> list[Constant]:
        """The table of a tensor that is a constant; none where it is computed."""
        if tensor.data is None:
            return []
        dtype = "int8" if self.moves_bytes else tensor.dtype
        return [Constant(suffix, DTYPES[dtype].c_type, unpack(tensor.data, dtype), operand=True)]

    def calls(self, prefix: str) -> list[Call]:
        """What runs on the device, in order. All calls of an operator have the same number of arguments."""
        inputs = tuple(index for index in self.inputs if index not in self.kept)
        return [Call(inputs, self.outputs, self.parameters(prefix))]

    def refuse(self, why: str) -> Exception:
        return self.graph.refuse(self.operator, why)

    def tensor(self, indices: tuple[int, ...], position: int, role: str) -> Tensor:
        """The tensor at a place of the operator's list. Raises InputFileError when it is left out."""
        found = self.optional(indices, position)
        if found is None:
            raise self.refuse(f"has no {role}")
        return found

    def optional(self, indices: tuple[int, ...], position: int) -> Tensor | None:
        if position >= len(indices) or indices[position] == -1:
            return None
        return self.graph.tensors[indices[position]]

    def computed(self, indices: tuple[int, ...], position: int, role: str, types: tuple[str, ...]) -> Tensor:
        """A tensor of one of `types` that lives in the arena."""
        tensor = self.tensor(indices, position, role)
        self.check_type(tensor, role, types)
        self.check_computed(tensor, role)
        return tensor

    def check_computed(self, tensor: Tensor, role: str) -> None:
        """Raises InputFileError for a constant."""
        if tensor.data is not None:
            raise self.refuse(f"{role} {tensor.label} is a constant; tinyproof expects it to be computed")

    def activation(
        self, indices: tuple[int, ...], position: int, role: str, types: tuple[str, ...] = ("int8",)
    ) -> Tensor:
        """The same, with one scale."""
        tensor = self.computed(indices, position, role, types)
        if len(tensor.scales) != 1:
            raise self.refuse(f"{role} {tensor.label} has {len(tensor.scales)} scales; one is needed: quantize to int8")
        return tensor

    def variable(self, place: int, role: str, types: tuple[str, ...]) -> Tensor:
        """An input that keeps its value from one inference to the next, for this operator alone."""
        found = self.tensor(self.operator.inputs, place, role)
        self.check_type(found, role, types)
        users = sum(operator.inputs.count(found.index) for operator in self.graph.operators)
        ends = (*self.graph.inputs, *self.graph.outputs)
        if not found.is_variable or found.data is not None or users != 1 or found.index in ends:
            raise self.refuse(f"{role} {found.label} must be a variable of its own")
        if len(found.scales) != 1:
            raise self.refuse(f"{role} {found.label} has {len(found.scales)} scales; one is needed")
        return found

    def check_int8(self, tensor: Tensor, role: str) -> None:
        """Raises InputFileError for any other type."""
        self.check_type(tensor, role, ("int8",))

    def check_type(self, tensor: Tensor, role: str, types: tuple[str, ...]) -> None:
        """Raises InputFileError for a type that is not among `types`, with the remedy."""
        if tensor.dtype not in types:
            verb = "is" if len(types) == 1 else "are"
            raise self.refuse(
                f"{role} {tensor.label} is {tensor.dtype}; supported {verb} {', '.join(types)}: convert with full "
                "integer quantization (TFLITE_BUILTINS_INT8 and a representative dataset)"
            )

    def fused_clamp(self, output: Tensor) -> tuple[int, int]:
        """Range of the output after the fused activation. Raises InputFileError where TFLM has no int8 form of it."""
        number = self.operator.options.get("fused_activation_function", 0)
        name = ACTIVATIONS[number] if 0 <= number < len(ACTIVATIONS) else str(number)
        if name not in ACTIVATION_RANGES:
            raise self.refuse(f"fused activation {name} is not supported; supported: {', '.join(ACTIVATION_RANGES)}")
        try:
            return activation_range(name, output.scales[0], output.zero_points[0], output.dtype)
        except ValueError as error:
            raise self.refuse(f"output {output.label} cannot hold what {name} lets through: {error}") from None

    def integers(self, position: int, role: str, what: str) -> tuple[int, ...]:
        """The values of a constant int32 input, such as axes or paddings."""
        tensor = self.tensor(self.operator.inputs, position, role)
        if tensor.dtype != "int32" or tensor.data is None:
            raise self.refuse(f"{role} {tensor.label} must be a constant of int32: tinyproof takes fixed {what}")
        return struct.unpack(f"<{tensor.elements}i", tensor.data)


def braces(values: Sequence[int | str], length: int = 0) -> str:
    """A C initialiser; zeros fill it up to `length`."""
    return "{" + ", ".join(map(str, (*values, *([0] * (length - len(values)))))) + "}"
