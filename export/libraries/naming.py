# SPDX-License-Identifier: Apache-2.0
"""The name of a library: it begins every function and macro, so it has to be a C and C++ identifier of its own."""

from __future__ import annotations

import re

from tinyproof.core.errors import UsageError

MAX_LENGTH = 40
# What C99, C11, C++20 and the files of a library need for themselves.
_WORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class "
    "co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int "
    "long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch "
    "template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile "
    "wchar_t while xor xor_eq main kernel kernels arduino"
)
RESERVED = frozenset(_WORDS.split())


def check_name(name: str) -> str:
    """`name`, which begins functions and, in capitals, macros. Raises UsageError where C or C++ cannot take it."""
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name) or "__" in name or len(name) > MAX_LENGTH:
        raise UsageError(
            f"--name {name!r} cannot begin a C function; take a letter, then letters, digits and single '_', "
            f"{MAX_LENGTH} at most"
        )
    if name.lower() in RESERVED:
        raise UsageError(f"--name {name!r} is a word of C or C++, or of the library itself; take another one")
    return name


def name_of(model: str) -> str:
    """What a build's model is called in C where nobody says it."""
    words = re.sub(r"[^a-zA-Z0-9]+", "_", model).strip("_")
    named = words if words[:1].isalpha() else f"model_{words}"
    return named[:MAX_LENGTH].strip("_") if named.lower() not in RESERVED else f"{named}_model"


def check_labels(labels: tuple[str, ...], classes: int) -> tuple[str, ...]:
    """Names of the classes, in the order of the first output's elements. Raises UsageError for a wrong number of them,
    and for one that is no plain text."""
    if not labels:
        return labels
    if len(labels) != classes:
        raise UsageError(f"--labels names {len(labels):,} classes; the model's first output has {classes:,}")
    for label in labels:
        if not re.fullmatch(r"[\w .:+-]{1,40}", label, re.ASCII):
            raise UsageError(f"--labels: {label!r} is none; take letters, digits, spaces and .:+-_, 40 at most")
    return labels
