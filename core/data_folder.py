# SPDX-License-Identifier: Apache-2.0
"""Folders of images or sounds as samples: one file each, in a folder of its class's name or without one. Not trusted.

Images are brought to the size and the channels that the model takes (Pillow, bilinear). Sounds are mono .wav files of
8, 16 or 32 bits; a shorter one ends in silence.
"""

from __future__ import annotations

import hashlib
import itertools
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError
from tinyproof.core.escaping import escaped, reason

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
SOUNDS = (".wav",)
MAX_BYTES = 1 << 30  # of all files together, and of the samples in them
CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}


def list_files(folder: Path, classes: Sequence[str]) -> tuple[list[Path], list[int] | None]:
    """The files, and the number of each one's class: its folder's place among `classes`, or in the alphabet.

    Classes take turns, so that the first samples are of all of them. Raises InputFileError for a folder that is none of
    the classes, where there is no sample, and where all files together are too large to be read.
    """
    files, numbers = _find_files(folder, classes)
    if sum(file.stat().st_size for file in files) > MAX_BYTES:
        raise InputFileError(f"{folder}: more than {MAX_BYTES:,} bytes of files")
    return files, numbers


def _find_files(folder: Path, classes: Sequence[str]) -> tuple[list[Path], list[int] | None]:
    suffixes = (*IMAGES, *SOUNDS)
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    loose = [path for path in inside if path.suffix.lower() in suffixes and path.is_file()]
    if loose:
        return loose, None
    by_class: dict[int, list[Path]] = {}
    names = classes or [path.name for path in inside if path.is_dir()]
    for path in inside:
        found = (
            [file for file in sorted(path.iterdir()) if file.suffix.lower() in suffixes and file.is_file()]
            if path.is_dir()
            else []
        )
        if not found:
            continue
        if path.name not in names:
            raise InputFileError(f"{folder}: the folder {escaped(path.name)} is none of --classes {','.join(classes)}")
        by_class[names.index(path.name)] = found
    if not by_class:
        raise InputFileError(
            f"{folder}: no samples: it needs .wav files or images ({', '.join(IMAGES)}), or folders of them, one for "
            "each class"
        )
    turns = itertools.zip_longest(*([(file, number) for file in files] for number, files in sorted(by_class.items())))
    pairs = [pair for turn in turns for pair in turn if pair is not None]
    return [file for file, _ in pairs], [number for _, number in pairs]


def hash_folder(folder: Path, files: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of these files, in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def read_samples(
    folder: Path,
    files: Sequence[Path],
    shape: Sequence[int],
    values: tuple[float, float] | None,
    *,
    sequences: bool,
) -> Any:
    """[N, values of a sample] float32. `shape`: of the model's input, with or without its batch. `values`: the real
    values of black and white, or of the lowest and highest sample. `sequences`: a sound may be many frames long.

    Raises InputFileError naming the file.
    """
    import numpy as np

    kinds = {file.suffix.lower() in SOUNDS for file in files}
    if len(kinds) != 1:
        raise InputFileError(f"{folder}: it holds images and sounds; a model takes one of them")
    (is_sound,) = kinds
    if values is None:
        ends = "the lowest and the highest sample" if is_sound else "black and white"
        usual = "-1,1 or -32768,32768" if is_sound else "0,1 or -1,1 or 0,255"
        raise InputFileError(f"{folder}: say which real values {ends} had in training: --values LOW,HIGH ({usual})")
    low, high = values
    read: Callable[[], Any] = (
        (lambda: _sounds(files, shape, sequences=sequences)) if is_sound else (lambda: _images(files, shape))
    )
    return (low + read() * (high - low)).astype(np.float32)


def _images(files: Sequence[Path], shape: Sequence[int]) -> Any:
    """Pixels from 0 to 1."""
    import numpy as np
    from PIL import Image

    height, width, channels = _image_shape(shape, files[0])
    if len(files) * height * width * channels * 8 > MAX_BYTES:
        raise InputFileError(f"{files[0].parent}: {len(files):,} images of {height}x{width}x{channels} are too many")
    rows = []
    for file in files:
        try:
            with Image.open(file) as image:
                pixels = image.convert(CHANNELS[channels])
        except Exception as error:  # Pillow raises nearly everything on a damaged file
            raise InputFileError(f"{file}: not a usable image: {reason(error)}") from None
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
        rows.append(np.asarray(pixels, np.float64).reshape(-1) / 255)
    return np.array(rows)


def _image_shape(shape: Sequence[int], file: Path) -> tuple[int, int, int]:
    """(height, width, channels) of the model's input."""
    inner = [size for size in shape[:-3] if size != 1]
    if len(shape) >= 3 and shape[-1] in CHANNELS and not inner:
        return shape[-3], shape[-2], shape[-1]
    if len(shape) >= 2 and all(size == 1 for size in shape[:-2]):
        return shape[-2], shape[-1], 1
    raise InputFileError(f"{file}: an image, and the model takes {'x'.join(map(str, shape))}: neither gray nor RGB")


def _sounds(files: Sequence[Path], shape: Sequence[int], *, sequences: bool) -> Any:
    """Samples from 0, the lowest, to 1, one beyond the highest; silence is one half."""
    import math

    import numpy as np

    elements = math.prod(shape)
    heard = [_sound(file) for file in files]
    rates = {rate for _, rate in heard}
    if len(rates) > 1:
        raise InputFileError(f"{files[0].parent}: sounds of {' and '.join(map(str, sorted(rates)))} samples a second")
    longest = max(len(sound) for sound, _ in heard)
    length = -(-longest // elements) * elements if sequences else elements
    for file, (sound, _) in zip(files, heard, strict=True):
        if len(sound) > length:
            raise InputFileError(f"{file}: {len(sound):,} samples, the model takes {length:,}; cut it")
    if len(files) * length * 8 > MAX_BYTES:
        raise InputFileError(f"{files[0].parent}: {len(files):,} sounds of {length:,} samples are too many")
    return np.array([np.pad(sound, (0, length - len(sound)), constant_values=0.5) for sound, _ in heard])


def _sound(file: Path) -> tuple[Any, int]:
    import numpy as np

    try:
        with wave.open(str(file), "rb") as opened:
            channels, width, rate = opened.getnchannels(), opened.getsampwidth(), opened.getframerate()
            content = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise InputFileError(f"{file}: not a usable .wav: {reason(error)}; save it as PCM") from None
    if channels != 1:
        raise InputFileError(f"{file}: {channels} channels; save it as mono")
    if width not in (1, 2, 4) or len(content) % width:
        raise InputFileError(f"{file}: samples of {8 * width} bits; save it with 16")
    if width == 1:  # unsigned, of all widths this one alone
        return np.frombuffer(content, np.uint8) / 256.0, rate
    samples = np.frombuffer(content, f"<i{width}").astype(np.float64)
    return (samples + 2.0 ** (8 * width - 1)) / 2.0 ** (8 * width), rate
