# SPDX-License-Identifier: Apache-2.0
"""`import tinyproof`, as another program uses it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from support.mutated_build import OPERATOR, TENSOR, bend_a_weight
from support.tflite_writer import dense_network

import tinyproof
from tinyproof.core import paths

LAYERS = [3, 5, 6, 4, 2]
SEED = 20  # its answers change with nearly every input


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "build" / "current")
    monkeypatch.setattr(paths, "CONFIG_FILE", tmp_path / "tinyproof.toml")
    file = tmp_path / "net.tflite"
    file.write_bytes(dense_network(SEED, LAYERS))
    return file


def test_a_file_comes_to_a_proof_without_a_word(net: Path, capfd: pytest.CaptureFixture[str]) -> None:
    proof = tinyproof.check(net, "qemu-cortex-m4", retries=5, timeout_s=5.0)
    assert (proof.vectors, proof.bits_different, proof.proven, proof.fault) == (256, 0, True, "")
    assert proof.first_difference is None
    assert proof.instructions == proof.ticks > 100
    assert proof.answers_within_tolerance is None  # nobody knows what a drawn network should answer
    with pytest.raises(dataclasses.FrozenInstanceError):
        proof.vectors = 0  # type: ignore[misc]

    exported = tinyproof.export(net)
    assert (exported.model, exported.folder) == ("net", net.parent / "build" / "net")
    assert exported.model_id == proof.model_id
    profile = tinyproof.profile("net")
    assert [operator.name for operator in profile.operators] == ["FULLY_CONNECTED"] * 4
    assert profile.slowest.index == 1  # 5 -> 6 is the most work
    with tinyproof.simulate("net") as running:
        again = tinyproof.check("net", tinyproof.BoardAt(running.board, running.port))
    assert again == proof
    assert capfd.readouterr() == ("", "")


def test_inspect_reads_and_writes_nothing(net: Path) -> None:
    found = tinyproof.inspect(net, board="sim-uno")
    assert [operator.outputs for operator in found.operators] == [((1, 4),), ((1, 6),), ((1, 4),), ((1, 2),)]
    assert found.macs == 3 * 4 + 4 * 6 + 6 * 4 + 4 * 2  # the fifth channel of the first layer is dead
    assert [(fit.board, fit.fits) for fit in found.boards] == [("sim-uno", True)]
    assert not paths.BUILD.exists()


@pytest.mark.nightly
def test_the_first_difference_has_operator_and_tensor(net: Path) -> None:
    folder = tinyproof.export(net).folder
    bend_a_weight(folder)
    proof = tinyproof.check("net", "qemu-cortex-m4", timeout_s=5.0)
    assert not proof.proven
    assert proof.bits_different > 0
    first = proof.first_difference
    assert first is not None
    assert (first.operator, first.tensor, first.why_unknown) == (OPERATOR, TENSOR, "")
    assert first.expected != first.got
    assert len(first.x_q) == LAYERS[0]
    with pytest.raises(AssertionError, match=f"first wrong operator: {OPERATOR.replace('(', '.').replace(')', '.')}"):
        tinyproof.assert_proven("net", "qemu-cortex-m4")


def test_less_ram_is_asked_for_in_bytes_or_words(net: Path) -> None:
    fastest = tinyproof.export(net).arena_bytes
    assert tinyproof.export(net, ram=fastest).arena_bytes == fastest
    smallest = tinyproof.export(net, ram="min").arena_bytes
    assert smallest <= fastest
    with pytest.raises(tinyproof.UsageError, match=f"the smallest takes {smallest:,} B"):
        tinyproof.export(net, ram=smallest - 1)
    for ram in (-1, "tiny"):
        with pytest.raises(tinyproof.UsageError, match=f"'{ram}' is neither a number of bytes nor small or min"):
            tinyproof.export(net, ram=ram)  # type: ignore[arg-type]


def test_labels_give_an_accuracy(net: Path, tmp_path: Path) -> None:
    folder = tinyproof.export(net).folder
    x = np.arange(-120, 120, dtype=np.int8).reshape(80, 3)
    from tinyproof.core.reference.golden import Reference

    reference = Reference((folder / "model.tflite").read_bytes())
    right = [int(np.frombuffer(reference.run(row.tobytes()), np.int8).argmax()) for row in x]
    wrong = [1 - label if number < 20 else label for number, label in enumerate(right)]
    np.savez(tmp_path / "d.npz", x_q=x, y=np.array(wrong))
    proof = tinyproof.check("net", "reference", dataset=tmp_path / "d.npz")
    assert (proof.vectors, proof.accuracy, proof.proven, proof.doubtful) == (80, 0.75, True, False)


def test_what_a_user_can_mend_is_an_error_of_the_tree(net: Path) -> None:
    with pytest.raises(tinyproof.UsageError, match="did you mean qemu-cortex-m4"):
        tinyproof.check(net, "qemu-cortex-m44")
    with pytest.raises(tinyproof.InputFileError, match="no such file"):
        tinyproof.export(net.with_name("gone.tflite"))
    with pytest.raises(tinyproof.TinyproofError, match="has no manifest"):
        tinyproof.check("nonesuch", "reference")
    with pytest.raises(tinyproof.UsageError, match="limit counts samples"):
        tinyproof.check(net, "reference", limit=3)
    with pytest.raises(tinyproof.UsageError, match="real hardware"), tinyproof.simulate(net, "nano33ble"):
        pass


def test_the_import_is_cheap_and_names_come_when_they_are_used() -> None:
    program = """
        import sys, tinyproof
        ours = sorted(name for name in sys.modules if name.startswith("tinyproof"))
        assert ours == ["tinyproof", "tinyproof.core", "tinyproof.core.version", "tinyproof.export"], ours
        assert not {"click", "numpy", "cattrs", "tensorflow"} & set(sys.modules)
        import tinyproof.export.codegen  # the stage's folder keeps its name
        assert callable(tinyproof.export) and tinyproof.export.codegen.emit_source
        for name in tinyproof.__all__:
            getattr(tinyproof, name)
        assert not {"tensorflow", "keras", "rich"} & set(sys.modules)
        try:
            tinyproof.nonesuch
        except AttributeError as error:
            assert "nonesuch" in str(error)
        else:
            raise SystemExit("a name that is not there")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
