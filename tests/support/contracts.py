# SPDX-License-Identifier: Apache-2.0
"""Manifests of every shape, what a document can be changed to, and how a refusal must read."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from hypothesis import strategies as st

from tinyproof.core.manifest import Manifest, TensorSpec

MAX_INT = 2**63 - 1

# No NaN: it equals nothing, itself included.
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-MAX_INT, MAX_INT),
    float: st.floats(allow_nan=False),
    str: st.text(max_size=6),
    types.NoneType: st.none(),
}
TENSORS = {
    "scale": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    "zero_point": st.integers(-(2**31), 2**31 - 1),
    "bytes": st.integers(1, MAX_INT),
}


def instances(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that the type allows, lists and tables of up to three."""
    if kind in SCALARS:
        return SCALARS[kind]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        fields = {name: instances(hint) for name, hint in typing.get_type_hints(kind).items()}
        return st.builds(kind, **{**fields, **TENSORS} if kind is TensorSpec else fields)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return st.lists(instances(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(instances(arguments[0]), instances(arguments[1]), max_size=3)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    return st.one_of(*map(instances, arguments))  # a union


manifests: st.SearchStrategy[Manifest] = instances(Manifest)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def assert_one_plain_line(message: str) -> None:
    assert message.isascii()
    assert message.isprintable(), "no foreign character moves a terminal"


def places(document: Any) -> list[tuple[Any, Any]]:
    """(table or list, key or index) of every value in the document."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    found = [(document, key) for key, _ in items]
    for holder, key in list(found):
        if isinstance(holder[key], (dict, list)):
            found += places(holder[key])
    return found
