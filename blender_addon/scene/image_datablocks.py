"""Pictures as Blender keeps them, and as the daemon wants them: packed image datablocks and bytes.

A subject is an image datablock that holds its file's bytes, so they are the same bytes, and the
same digest, in the .blend, in the `.standee` document and at the daemon.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.arrangement import reduced
from standee.errors import BadPicture, TooLarge
from standee.image_metadata import orientation_of, profile_of
from standee.images import HEAD, as_mask, damaged, is_read, upright

from ..core import png

LARGEST_SIDE = 16384
"""The most px of a side: a picture beyond it is named as too large instead of filling the memory."""

LOOK_SIDE = 512
"""The size in px at which pictures are drawn in the 3D view."""


@dataclass(frozen=True)
class Look:
    """A picture as arrays, the first row on top: `pixels` (h, w, 4; small) and `alpha` (h, w)."""

    size: tuple[int, int]
    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32]


def new_image(name: str, data: bytes) -> bpy.types.Image:
    """Return a new image datablock that holds these bytes; Blender decodes them when it must."""
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    image["standee_digest"] = hashlib.sha256(data).hexdigest()
    return image


def image_of(data: bytes, name: str) -> bpy.types.Image:
    """Return the image datablock that holds these bytes, a new one if there is none."""
    digest = hashlib.sha256(data).hexdigest()
    return find(digest) or new_image(name, data)


def find(digest: str) -> bpy.types.Image | None:
    """Return the image datablock whose packed bytes have this digest."""
    for image in bpy.data.images:
        if image.get("standee_digest") == digest and image.packed_file and not image.is_dirty:
            return image
    return None


def load(path: str) -> bpy.types.Image:
    """Return a file as a packed image, upright. Raises `BadPicture` and `TooLarge`."""
    file = Path(bpy.path.abspath(path))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadPicture(
            f"{file} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from None
    data = _upright(data, file.name)
    known = find(hashlib.sha256(data).hexdigest())
    image = known or new_image(file.stem, data)
    try:
        check(image)
        if not _readable(data):  # Blender reads more kinds of files than the daemon
            encoded(image)
    except (BadPicture, TooLarge):
        if not known:
            bpy.data.images.remove(image)
        raise
    return image


def check(image: bpy.types.Image) -> None:
    """Raise `BadPicture` or `TooLarge` unless Blender can show the image."""
    width, height = image.size
    if not width or not height:
        raise BadPicture(
            f"Blender cannot read the picture {image.name!r}.",
            fix="Use a PNG, JPEG, WebP or TIFF, and check that the file is whole.",
        )
    if max(width, height) > LARGEST_SIDE:
        raise TooLarge(
            f"The picture {image.name!r} has {width} x {height} px; that is too large.",
            fix=f"Scale it to at most {LARGEST_SIDE} px a side (Image > Resize).",
        )


def encoded(image: bpy.types.Image) -> tuple[str, bytes]:
    """Return (digest, bytes) of an image as a file that the daemon reads; it is packed for that.

    Raises `BadPicture`.
    """
    if image.packed_file and not image.is_dirty and _readable(bytes(image.packed_file.data)):
        data = bytes(image.packed_file.data)
    else:
        check(image)
        data = _as_png(image)
        if image.source in ("FILE", "GENERATED"):
            image.pack(data=data, data_len=len(data))
            image.source = "FILE"
    digest = hashlib.sha256(data).hexdigest()
    if image.get("standee_digest") != digest:
        image["standee_digest"] = digest
    return digest, data


def look_of(image: bpy.types.Image) -> Look:
    """Return an image as arrays. Raises `BadPicture` and `TooLarge`."""
    pixels = _upright_pixels(image)
    height, width = pixels.shape[:2]
    return Look((width, height), _small(pixels), reduced(pixels[..., 3]))


def mask_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return what a mask says (h, w; 0..1), as `standee.images.as_mask` has it."""
    pixels = _upright_pixels(image)
    alpha = pixels[..., 3] if image.depth in (32, 64, 128) else None
    return as_mask(pixels[..., :3] @ np.float32([0.299, 0.587, 0.114]), alpha)


def alpha_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return an image's alpha (h, w; 0..1), upright."""
    return _upright_pixels(image)[..., 3]


def pixels_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return all pixels (h, w, 4), the first row on top."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[::-1]
    if image.channels < 4:
        colour = np.repeat(pixels[..., :1], 3, 2) if image.channels < 3 else pixels
        pixels = np.concatenate([colour, np.ones((height, width, 1), np.float32)], axis=2)
    return pixels


def decoded(data: bytes) -> NDArray[np.float32] | None:
    """Return the pixels (h, w, 4) of an encoded picture, leaving no datablock; `None` if broken."""
    image = bpy.data.images.new(".standee", 1, 1)
    try:
        image.pack(data=data, data_len=len(data))
        image.source = "FILE"
        return pixels_of(image).copy() if image.size[0] else None
    finally:
        bpy.data.images.remove(image)


def state_of(image: bpy.types.Image | None) -> tuple[Any, ...]:
    """Return what changes when an image's pixels change, for caches."""
    if image is None:
        return ()
    packed = image.packed_file.size if image.packed_file else -1
    digest = image.get("standee_digest", "")
    return (image.name_full, tuple(image.size), packed, digest, image.is_dirty)


def _readable(data: bytes) -> bool:
    """Whether the daemon reads files that begin so."""
    return is_read(data[:HEAD])


def _upright(data: bytes, name: str) -> bytes:
    """Return a picture file as one that stands upright: Blender knows nothing of its EXIF orientation."""
    turn = orientation_of(data)
    if turn == 1:
        return data
    pixels = decoded(data)
    if pixels is None:
        raise damaged(name)
    solid = 3 if float(pixels[..., 3].min()) == 1.0 else 4
    return png.encode(upright(pixels[..., :solid], turn), profile_of(data))


def _upright_pixels(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return all pixels (h, w, 4) of an image, upright also where its file lies on its side.

    Raises `BadPicture` and `TooLarge`.
    """
    check(image)
    pixels = pixels_of(image)
    if image.packed_file and not image.is_dirty:
        return upright(pixels, orientation_of(bytes(image.packed_file.data)))
    return pixels


def _small(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pixels at the size at which they are drawn; colours weigh by their alpha."""
    if max(pixels.shape[:2]) <= LOOK_SIDE:
        return np.ascontiguousarray(pixels)
    alpha = reduced(pixels[..., 3], LOOK_SIDE)
    channels = [reduced(pixels[..., c] * pixels[..., 3], LOOK_SIDE) for c in range(3)]
    safe = np.maximum(alpha, 1e-6)
    return np.stack([*(channel / safe for channel in channels), alpha], axis=2).astype(np.float32)


def _as_png(image: bpy.types.Image) -> bytes:
    """Return an image as a PNG file, through Blender's own writer."""
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        path = Path(folder) / "picture.png"
        copy = image.copy()
        try:
            copy.file_format = "PNG"
            copy.save(filepath=str(path))
        except RuntimeError as error:
            raise BadPicture(
                f"The picture {image.name!r} cannot be saved: {error}.",
                fix="Save it as a PNG yourself, and add that.",
            ) from None
        finally:
            bpy.data.images.remove(copy)
        return path.read_bytes()
