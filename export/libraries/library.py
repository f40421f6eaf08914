# SPDX-License-Identifier: Apache-2.0
"""A build's model as a folder for somebody else's firmware: which files, and what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tinyproof.core.errors import UsageError
from tinyproof.core.install import PACKAGE
from tinyproof.core.manifest import FILE as MANIFEST
from tinyproof.core.manifest import read_manifest, stale_artefacts
from tinyproof.core.paths import shown
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.version import __version__
from tinyproof.export.compiled import read_compiled
from tinyproof.export.footprint import flash_use
from tinyproof.export.libraries.ends import End, is_quantized
from tinyproof.export.libraries.folder import write_folder
from tinyproof.export.libraries.kernel_files import KernelFiles
from tinyproof.export.libraries.kinds import Kind, find_kind
from tinyproof.export.libraries.naming import check_labels, check_name, name_of
from tinyproof.export.libraries.selftest_vectors import Vector, selftest_vectors
from tinyproof.export.libraries.source import Named, emit_model, emit_public_header, emit_selftest
from tinyproof.export.libraries.window import emit_window

TEMPLATES = Path(__file__).resolve().parent / "templates"
FORMAT = 1
RECORD = "tinyproof.json"  # says that the folder is ours, and what was written into it
_LICENCE = "licenses/LICENSE"
NEEDED = ("model.tflite", "model_compiled.c", "vectors.json")


@dataclass(frozen=True)
class Wish:
    """What was asked for: the defaults where it is None. `arena_bytes`: what the firmware has to spare."""

    kind: str
    name: str | None = None
    labels: tuple[str, ...] = ()
    selftest_bytes: int | None = None
    arena_bytes: int | None = None


@dataclass(frozen=True)
class ExportedLibrary:
    """What was written. Bytes; `table_bytes` and `code_bytes` as in footprint.flash_use."""

    kind: Kind
    name: str
    model_id: str
    folder: Path
    files: int
    arena_bytes: int
    table_bytes: int
    code_bytes: int
    vectors: int
    vector_bytes: int


def export_library(build_dir: Path, folder: Path, wish: Wish) -> ExportedLibrary:
    """Writes the model of `build_dir` to `folder`, which appears whole or not at all.

    Raises UsageError for a wish that cannot be met, a build that is not exported, and a folder that is not ours;
    EnvironmentFaultError where the folder cannot be written.
    """
    kind = find_kind(wish.kind)
    name = check_name(wish.name if wish.name is not None else name_of(build_dir.name))
    _check_build(build_dir)
    compiled = read_compiled(build_dir)
    program, plan = compiled.program, compiled.plan
    if wish.arena_bytes is not None and plan.arena_bytes > wish.arena_bytes:
        raise UsageError(
            f"{shown(build_dir)} needs an arena of {plan.arena_bytes:,} B, and --arena-bytes allows "
            f"{wish.arena_bytes:,}; take a smaller model"
        )
    labels = check_labels(wish.labels, program.outputs[0].elements)
    vectors = selftest_vectors(build_dir, wish.selftest_bytes)
    model = Named(name, compiled.identity, program, plan, labels)
    table_bytes, code_bytes = flash_use(program)
    vector_bytes = sum(len(part) for vector in vectors for part in vector)
    facts = {
        "name": name,
        "macros": model.macros,
        "identity": compiled.identity,
        "version": __version__,
        "kind": kind,
        "labels": labels,
        "arena_bytes": plan.arena_bytes,
        "state_bytes": program.state_bytes,
        "table_bytes": table_bytes,
        "code_bytes": code_bytes,
        "vectors": len(vectors),
        "vector_bytes": vector_bytes,
        "inputs": list(map(_end, model.inputs)),
        "outputs": list(map(_end, model.outputs)),
    }
    sources = _sources(model, vectors)
    facts["window"] = f"{name}_window.h" in sources
    facts["sources"] = sorted(path for path in sources if path.endswith(".c"))
    files = {f"src/{path}": text for path, text in sources.items()}
    files |= dict(_from_templates(facts))
    files[MANIFEST] = (build_dir / MANIFEST).read_text(encoding="utf-8")
    files["LICENSE"] = _licence()
    files[RECORD] = _record(kind, name, compiled.identity, files)
    write_folder(folder, files, RECORD)
    return ExportedLibrary(
        kind,
        name,
        compiled.identity,
        folder,
        len(files),
        plan.arena_bytes,
        table_bytes,
        code_bytes,
        len(vectors),
        vector_bytes,
    )


def _check_build(build_dir: Path) -> None:
    manifest = read_manifest(build_dir)
    if not set(NEEDED) <= manifest.artefacts.keys():
        raise UsageError(f"{shown(build_dir)} holds no exported model; run ./tinyproof export first")
    stale = [name for name in stale_artefacts(manifest, build_dir) if name in NEEDED]
    if stale:
        raise UsageError(
            f"{shown(build_dir)}: {', '.join(stale)} missing or changed since the export; run ./tinyproof export again"
        )


def _sources(model: Named, vectors: Sequence[Vector]) -> dict[str, str]:
    """All C, by its path in src/."""
    source, steps = emit_model(model, selftest=bool(vectors))
    kernels = KernelFiles()
    files = {
        f"{model.name}.h": emit_public_header(model, steps, len(vectors)),
        f"{model.name}.c": kernels.adapt(source, f"{model.name}.c"),
    }
    if window := emit_window(model):
        files[f"{model.name}_window.h"] = window
    if vectors:
        place = f"{model.name}_selftest.c"
        files[place] = kernels.adapt(emit_selftest(model, vectors), place)
    return files | kernels.files


def _end(end: End) -> dict[str, Any]:
    role, _, tensor = end
    scale, zero_point = tensor.quantization
    return {
        "role": role,
        "shape": "×".join(map(str, tensor.shape)) or "1",
        "dtype": tensor.dtype,
        "c_type": DTYPES[tensor.dtype].c_type,
        "elements": tensor.elements,
        "scale": f"{scale:.9g}",
        "zero": zero_point,
        "quantized": is_quantized(tensor),
    }


def _from_templates(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Path in the library and text of README.md and of each file in the kind's folder."""
    # What a template writes is C, Markdown, YAML and the like: names and labels are checked instead of escaped.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    yield "README.md", environment.get_template("README.md.j2").render(facts)
    folder = TEMPLATES / facts["kind"].name
    for path in sorted(folder.rglob("*.j2")):
        place = path.relative_to(folder).as_posix()
        if place == "usage.md.j2":
            continue
        text = environment.get_template(f"{facts['kind'].name}/{place}").render(facts)
        yield place.removesuffix(".j2").replace("NAME", facts["name"]), text.rstrip("\n") + "\n"


def _licence() -> str:
    """Of a clone it lies at the top; an installed wheel has it beside its metadata."""
    path = PACKAGE / "LICENSE"
    text = (
        path.read_text(encoding="utf-8") if path.is_file() else metadata.distribution("tinyproof").read_text(_LICENCE)
    )
    assert text is not None  # pyproject.toml puts it there
    return text


def _record(kind: Kind, name: str, identity: str, files: dict[str, str]) -> str:
    digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(files.items())}
    document = {
        "tinyproof": FORMAT,
        "version": __version__,
        "kind": kind.name,
        "name": name,
        "model_id": identity,
        "files": digests,
    }
    return json.dumps(document, indent=1) + "\n"
