# SPDX-License-Identifier: Apache-2.0
"""NAME_window.h: a ring of the last samples, for a model whose one input is a window of them, the oldest first."""

from __future__ import annotations

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.export.c_text import banner
from tinyproof.export.libraries.ends import is_quantized
from tinyproof.export.libraries.source import Named

MIN_RANK = 3  # [1, samples, values of each...]


def emit_window(model: Named) -> str | None:
    """None for a model that takes no window of real values."""
    inputs = model.program.inputs
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) < MIN_RANK or shape[0] != 1 or shape[1] < 2:
        return None
    if not is_quantized(inputs[0]):
        return None
    kind = DTYPES[inputs[0].dtype]
    name, macros, samples = model.name, model.macros, shape[1]
    values = inputs[0].elements // samples
    lines = [
        *banner(model.identity),
        f"#ifndef TINYPROOF_{macros}_WINDOW_H",
        f"#define TINYPROOF_{macros}_WINDOW_H",
        "",
        f'#include "{name}.h"',
        "",
        f"#define {macros}_WINDOW_SAMPLES {samples}",
        f"#define {macros}_SAMPLE_VALUES {values}",
        "",
        "/* The last samples, as the model takes them. Begin with one of zeros: a static one is. */",
        f"struct {name}_window {{",
        f"    {kind.c_type} q[{samples * values}];",
        "    uint16_t next;   /* where the next sample goes */",
        "    uint16_t filled; /* samples that are there */",
        "};",
        "",
        "/* Takes a sample, in the units that the model was trained with, in place of the oldest one. */",
        f"static inline void {name}_window_push(struct {name}_window *window, const float *sample) {{",
        f"    {kind.c_type} *const to = window->q + (uint32_t)window->next * {values}U;",
        f"    for (uint32_t i = 0; i < {values}U; i++) {{",
        f"        to[i] = {name}_quantize_input(sample[i]);",
        "    }",
        f"    window->next = (uint16_t)(window->next + 1U == {samples}U ? 0U : window->next + 1U);",
        f"    window->filled = (uint16_t)(window->filled < {samples}U ? window->filled + 1U : {samples}U);",
        "}",
        "",
        "/* Whether there are as many samples as the model takes. */",
        f"static inline int {name}_window_full(const struct {name}_window *window) {{",
        f"    return window->filled == {samples}U;",
        "}",
        "",
        "/* Makes the window the model's input: before every run. */",
        f"static inline void {name}_window_copy(const struct {name}_window *window, void *arena) {{",
        f"    {kind.c_type} *const to = {name}_input(arena);",
        f"    uint32_t from = (uint32_t)window->next * {values}U;",
        f"    for (uint32_t i = 0; i < {samples * values}U; i++) {{",
        "        to[i] = window->q[from];",
        f"        from = from + 1U == {samples * values}U ? 0U : from + 1U;",
        "    }",
        "}",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"
