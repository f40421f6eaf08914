# SPDX-License-Identifier: Apache-2.0
"""Documents into dataclasses and back: the one reader of boards, settings, manifests and records of builds.

The dataclass is the schema. A key that it does not know, a value of another type and a key that is missing are named
with their place in the document, such as `serial.baud` or `inputs[0].scale`. Nothing is converted but an integer where
a float is wanted: "3" is no number, and true is none either.

cattrs is loaded by the first document that is read, so that `--help`, which reads none, does not pay for it.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tinyproof.core.errors import InputFileError
from tinyproof.core.escaping import escaped
from tinyproof.core.files import file_bytes

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
Factory = Callable[[Any, Any], Hook]

ABSENT_IF_NONE = {"absent_if_none": True}  # metadata of a field whose key is left out of the document
MAX_TOML_BYTES = 1 << 20
INT_BITS = 64  # signed: no address, size or count of ours is larger, and arithmetic on more can fail
SHOWN_CHARACTERS = 40  # of a foreign value, in a message


class MistypedError(ValueError):
    """What is wrong with a document and where in it, in one line; who knows the file puts its name in front."""


class _UnfitError(ValueError):
    """A value is not what its field asks for; `scalar`: the field is no table, so an index in a list says little."""

    def __init__(self, wanted: str, value: object, hint: str = "") -> None:
        super().__init__(f"must be {wanted}, not {_shown(value)}{hint}")
        self.scalar = wanted != "a table"


def read_toml(path: Path, kind: type[T], shown: str, given: Mapping[str, object] = types.MappingProxyType({})) -> T:
    """A `kind` from a TOML file called `shown` in messages; `given` stands for the keys that the file leaves out.

    Raises InputFileError naming file and key, or file and line. A missing file is FileNotFoundError: it may be allowed.
    """
    try:
        if file_bytes(path) > MAX_TOML_BYTES:
            raise InputFileError(f"{shown}: more than {MAX_TOML_BYTES:,} bytes")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputFileError(f"{shown}: {error}") from error
    try:
        return structure({**given, **table}, kind)
    except MistypedError as fault:
        raise InputFileError(f"{shown}: {fault}") from None


def read_json(path: Path) -> Any:
    """The document in a JSON file. Raises MistypedError where it is none, OSError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise MistypedError(f"no JSON: {error}") from None


def structure(document: object, kind: type[T]) -> T:
    """The document as the dataclass `kind`. Raises MistypedError for the first key that is wrong."""
    converter = _converter()
    from cattrs.errors import BaseValidationError

    try:
        return converter.structure(document, kind)
    except (BaseValidationError, _UnfitError) as error:
        _, words = min(_faults(error, ""), key=lambda fault: fault[0])
        raise MistypedError(words) from None


def unstructure(instance: object, kind: type | None = None) -> dict[str, Any]:
    """The document that `structure` reads; of `kind`'s fields alone where `instance` is of a class derived from it."""
    document: dict[str, Any] = _converter().unstructure(instance, kind)
    return document


@cache
def _converter() -> Converter:
    from cattrs import Converter, cols

    converter = Converter(forbid_extra_keys=True)
    for scalar in (bool, int, float, str):
        converter.register_structure_hook(scalar, _scalar)
    converter.register_structure_hook_factory(_is(typing.Literal), lambda kind: _choice)
    # cattrs takes any iterable for a list, a str among them.
    for family, sort, words, fill in (
        (list, list, "a list", cols.list_structure_factory),
        (tuple, list, "a list", cols.homogenous_tuple_structure_factory),
        (dict, dict, "a table", cols.mapping_structure_factory),
    ):
        converter.register_structure_hook_factory(_is(family), _only(sort, words, fill))
    converter.register_structure_hook_factory(dataclasses.is_dataclass, _only(dict, "a table", _fill_fields))
    converter.register_unstructure_hook_factory(dataclasses.is_dataclass, _empty_fields)
    converter.register_structure_hook_factory(lambda kind: len(_members(kind)) > 1, _choose_member)
    return converter


def _is(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: typing.get_origin(kind) is origin


def _only(sort: type, words: str, fill: Factory) -> Factory:
    """`fill`, but for values of the type `sort` alone."""

    def factory(kind: Any, converter: Converter) -> Hook:
        hook = fill(kind, converter)

        def read(value: Any, _: Any) -> Any:
            if not isinstance(value, sort):
                raise _UnfitError(words, value)
            return hook(value, kind)

        return read

    return factory


def _fill_fields(kind: Any, converter: Converter) -> Hook:
    from cattrs.gen import make_dict_structure_fn

    return make_dict_structure_fn(kind, converter)


def _empty_fields(kind: Any, converter: Converter) -> Callable[[Any], Any]:
    from cattrs.gen import make_dict_unstructure_fn, override

    absent = [field.name for field in dataclasses.fields(kind) if field.metadata == ABSENT_IF_NONE]
    keys: dict[str, Any] = {name: override(omit_if_default=True) for name in absent}
    return make_dict_unstructure_fn(kind, converter, **keys)


def _scalar(value: Any, kind: Any) -> Any:
    small = type(value) is not int or value.bit_length() < INT_BITS
    if kind is float and type(value) is int and small:
        return float(value)
    if type(value) is not kind:
        raise _UnfitError(kind.__name__, value)
    if not small:
        raise _UnfitError(f"int of {INT_BITS} bits", value)
    return value


def _choice(value: Any, kind: Any) -> Any:
    choices = typing.get_args(kind)
    if type(value) is str and value in choices:
        return value
    raise _UnfitError(_listed(choices), value, _did_you_mean(value, choices) if type(value) is str else "")


def _members(kind: Any) -> list[type]:
    """The dataclasses among the alternatives of a union; none of any other type."""
    if typing.get_origin(kind) not in (types.UnionType, typing.Union):
        return []
    return [member for member in typing.get_args(kind) if isinstance(member, type) and dataclasses.is_dataclass(member)]


def _choose_member(kind: Any, converter: Converter) -> Hook:
    """Of several shapes of a table, the one that the keys fit best. A field `kind` of its own word decides before."""
    members = _members(kind)
    optional = types.NoneType in typing.get_args(kind)

    def misfit(member: type, table: dict[str, Any]) -> tuple[bool, int]:
        fields = {field.name: field for field in dataclasses.fields(member)}
        words = typing.get_args(typing.get_type_hints(member).get("kind"))
        return bool(words) and table.get("kind") not in words, len(fields.keys() ^ table.keys())

    def read(value: Any, _: Any) -> Any:
        if value is None and optional:
            return None
        if not isinstance(value, dict):
            raise _UnfitError("a table", value)
        return converter.structure(value, min(members, key=lambda member: misfit(member, value)))

    return read


def _faults(error: BaseException, place: str) -> Iterator[tuple[int, str]]:
    """(rank, words) of everything that is wrong. A misspelt key comes first: it explains a missing one."""
    from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError

    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _faults(inner, _deeper(place, inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        names = [field.name for field in dataclasses.fields(error.cl)]
        for key in sorted(error.extra_fields):
            prefix = f"{place}." if place else ""
            hint = _did_you_mean(key, names, prefix) or f"; known keys: {', '.join(names)}"
            yield 0, f"unknown key {prefix}{_plain(key)}{hint}"
    elif isinstance(error, _UnfitError):
        where = re.sub(r"\[\d+\]$", "", place) if error.scalar else place
        yield 1, f"{where} {error}".strip()
    elif isinstance(error, KeyError):
        yield 2, f"missing key {place}"
    else:
        yield 3, f"{place}: {error}"


def _deeper(place: str, error: BaseException) -> str:
    """`place` and the step from there to `error`, which cattrs has noted on it."""
    for note in getattr(error, "__notes__", ()):
        step = getattr(note, "name", getattr(note, "index", None))
        if isinstance(step, int):
            return f"{place}[{step}]"
        if step is not None:
            return f"{place}.{_plain(step)}" if place else _plain(step)
    return place


def _did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _plain(key: str) -> str:
    """A foreign key in a message: one line, and no terminal is moved by it."""
    return _cut(escaped(key))


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and value.bit_length() >= INT_BITS:  # Python refuses to print the largest
        return f"one of {value.bit_length()} bits"
    return _cut(ascii(value))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
