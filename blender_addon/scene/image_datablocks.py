"""Image datablocks: conversion between Blender's images, arrays and encoded files.

A subject from a file is an image datablock that holds the file's bytes, so they are the same bytes,
and the same digest, in the .blend, in the `.standee` document and at the daemon. An image of the
artist's own (painted, generated, on disk) stays as it is: what it shows is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.arrangement import reduce_mask
from standee.errors import BadPicture, TooLarge
from standee.image_metadata import orientation_of, profile_of
from standee.images import HEAD, as_mask, damaged, digest_of, is_read, upright

from ..core import color_space, png

LARGEST_SIDE = 16384
"""The most px of a side: a picture beyond it is named as too large instead of filling the memory."""

UPRIGHT = 1
"""The EXIF orientation of pictures that are shown as their rows lie."""
USABLE = {"FILE", "GENERATED"}
"""The sources of images that are one picture."""
QUICK = 256 * 256
"""An image of so many px is made a PNG at once."""
STEP = 16384
"""Of a larger one, so many px at a time."""
DRAWN_SIDE = 512
"""The size in px at which pictures are drawn in the 3D view."""


@dataclass(frozen=True)
class ImageArrays:
    """A picture as arrays, the first row on top: `pixels` (h, w, 4; small) and `alpha` (h, w)."""

    size: tuple[int, int]
    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32]


def new_image(name: str, data: bytes) -> bpy.types.Image:
    """Return a new image datablock that holds these bytes; Blender decodes them when it must."""
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    image["standee_digest"] = digest_of(data)
    return image


def image_of(data: bytes, name: str) -> bpy.types.Image:
    """Return the image datablock that holds these bytes, a new one if there is none."""
    digest = digest_of(data)
    return find(digest) or new_image(name, data)


def find(digest: str) -> bpy.types.Image | None:
    """Return the image datablock that holds the bytes of this digest, or is sent as them."""
    for image in bpy.data.images:
        if image.get("standee_digest") == digest and image.packed_file and not image.is_dirty:
            return image
    for image in bpy.data.images:
        if digest in (_sent.get(image.session_uid), image.get("standee_sent")):
            try:
                if encode_image(image)[0] == digest:
                    return image
            except (BadPicture, TooLarge):
                continue
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
    known = find(digest_of(data))
    image = known or new_image(file.stem, data)
    try:
        check(image)
        if not _readable(data):  # Blender reads more kinds of files than the daemon
            encode_image(image)
    except (BadPicture, TooLarge):
        if not known:
            bpy.data.images.remove(image)
        raise
    return image


def is_picture(image: bpy.types.Image) -> bool:
    """Whether an image is one picture, and not a render, a viewer, a film or hidden."""
    kind = image.type in ("IMAGE", "UV_TEST", "MULTILAYER") and image.source in USABLE
    return kind and not image.name.startswith(".")


def check(image: bpy.types.Image) -> None:
    """Raise `BadPicture` or `TooLarge` unless Blender can show the image, and it is one picture."""
    if image.type in ("RENDER_RESULT", "COMPOSITING"):
        raise BadPicture(
            f"{image.name!r} is what Blender rendered, and not an image of this file.",
            fix="Save it as a PNG (Image > Save a Copy), and add that.",
        )
    if image.source not in USABLE:
        raise BadPicture(
            f"{image.name!r} is a film, a sequence or made of tiles.",
            fix="Save one picture of it as a PNG, and add that.",
        )
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


def encode_image(image: bpy.types.Image) -> tuple[str, bytes]:
    """Return (digest, bytes) of an image as a file that the daemon reads.

    Its own file, if the image shows just that and the daemon reads it; else a PNG of what it shows.
    The image itself stays as it is. Raises `BadPicture` and `TooLarge`.
    """
    check(image)
    data = _file_of(image)
    if data is not None:
        return digest_of(data), data
    made = _made.get(_key(image))
    if made is None:
        data = png.encode(pixels_of(image))
        made = digest_of(data), data
    _remember(image, made)
    return made


@dataclass(frozen=True)
class Unencoded:
    """An image's pixels (height, width, 4) as they were, that take a while to become a file."""

    uid: int
    key: tuple[Any, ...]
    pixels: NDArray[np.float32]

    def encode_in_steps(self) -> Iterator[None]:
        """Return (digest, bytes) of the PNG, as a generator of steps that each take some ms."""
        rows = max(1, STEP // self.pixels.shape[1])
        data: bytes = yield from png.encode_in_steps(self.pixels, rows)
        made = digest_of(data), data
        image = next((one for one in bpy.data.images if one.session_uid == self.uid), None)
        if image is not None and _key(image) == self.key:
            _remember(image, made)
        return made


def unencoded(image: bpy.types.Image) -> Unencoded | None:
    """Return an image's pixels if making a file of it takes long; `None` if `encode_image` is quick.

    Raises `BadPicture` and `TooLarge`.
    """
    check(image)
    small = image.size[0] * image.size[1] <= QUICK
    if small or _made.get(_key(image)) is not None or _file_of(image) is not None:
        return None
    return Unencoded(image.session_uid, _key(image), pixels_of(image).copy())


def known_digests(image: bpy.types.Image) -> set[str]:
    """Return the digests of what an image holds and of what it was sent as."""
    found = (
        image.get("standee_digest"), image.get("standee_sent"), _sent.get(image.session_uid)
    )  # fmt: skip
    return {str(one) for one in found if one}


def size_of(image: bpy.types.Image) -> tuple[int, int]:
    """Return (width, height) of an image as it is sent and drawn: upright."""
    width, height = image.size
    return (width, height) if _way(image) < 5 else (height, width)


def arrays_of(image: bpy.types.Image) -> ImageArrays:
    """Return an image as arrays. Raises `BadPicture` and `TooLarge`."""
    pixels = _pixels(image)
    return ImageArrays(size_of(image), _small(pixels), reduce_mask(pixels[..., 3]))


def mask_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return what a mask says (h, w; 0..1), as `standee.images.as_mask` has it."""
    pixels = _pixels(image)
    alpha = pixels[..., 3] if image.depth in (32, 64, 128) else None
    return as_mask(pixels[..., :3] @ np.float32([0.299, 0.587, 0.114]), alpha)


def alpha_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return an image's alpha (h, w; 0..1), upright."""
    return _pixels(image)[..., 3]


def pixels_of(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return all pixels (h, w, 4), upright, the first row on top, as sRGB with straight alpha."""
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[::-1]
    if image.channels < 4:
        colour = np.repeat(pixels[..., :1], 3, 2) if image.channels < 3 else pixels
        pixels = np.concatenate([colour, np.ones((height, width, 1), np.float32)], axis=2)
    if image.is_float:  # Blender keeps them as linear light, multiplied by alpha
        if image.alpha_mode not in ("CHANNEL_PACKED", "NONE"):
            pixels = color_space.unpremultiply(pixels)
        if not image.colorspace_settings.is_data:
            pixels = color_space.linear_to_srgb(pixels)
    if image.alpha_mode == "NONE":
        pixels = pixels.copy()
        pixels[..., 3] = 1.0
    turned: NDArray[np.float32] = upright(pixels, _way(image))
    return turned


def decode_pixels(data: bytes) -> NDArray[np.float32] | None:
    """Return the pixels (h, w, 4) of an encoded picture, leaving no datablock; `None` if broken."""
    image = bpy.data.images.new(".standee", 1, 1)
    try:
        return _pixels_in(image, data)
    finally:
        bpy.data.images.remove(image)


def decode_preview(data: bytes) -> NDArray[np.float32] | None:
    """Like `decode_pixels`, for pictures that follow each other: in a datablock that stays meanwhile.

    A new datablock, or one that goes, has Blender draw every editor of the window anew. No user keeps
    it, so no file has it; `forget_preview` removes it.
    """
    image = bpy.data.images.get(PREVIEW) or bpy.data.images.new(PREVIEW, 1, 1)
    return _pixels_in(image, data)


def forget_preview() -> None:
    """Remove what the last preview was decoded in."""
    image = bpy.data.images.get(PREVIEW)
    if image is not None:
        bpy.data.images.remove(image)


def _pixels_in(image: bpy.types.Image, data: bytes) -> NDArray[np.float32] | None:
    """Return the pixels (h, w, 4) of an encoded picture that an image takes in; `None` if broken."""
    image.pack(data=data, data_len=len(data))
    if image.source == "FILE":
        image.buffers_free()  # else it shows what it had before
    else:
        image.source = "FILE"
    return pixels_of(image).copy() if image.size[0] else None


def state_of(image: bpy.types.Image | None) -> tuple[Any, ...]:
    """Return what changes when an image's pixels change, for caches."""
    if image is None:
        return ()
    packed = image.packed_file.size if image.packed_file else -1
    digest = image.get("standee_digest", "")
    return (image.name_full, tuple(image.size), packed, digest, image.is_dirty)


def _key(image: bpy.types.Image) -> tuple[Any, ...]:
    return (image.session_uid, *state_of(image))


def _remember(image: bpy.types.Image, made: tuple[str, bytes]) -> None:
    """Take note of what an image is sent as."""
    if not image.is_dirty and _key(image) not in _made:  # else there is no telling when it changes
        while len(_made) >= MADE:
            del _made[next(iter(_made))]
        _made[_key(image)] = made
    _sent[image.session_uid] = made[0]
    if "standee_digest" in image and image.get("standee_sent") != made[0]:
        image["standee_sent"] = made[0]  # one of ours, such as an EXR that was added


def _readable(data: bytes) -> bool:
    """Whether the daemon reads files that begin so."""
    return is_read(data[:HEAD])


def _upright(data: bytes, name: str) -> bytes:
    """Return a picture file as one that stands upright: Blender knows nothing of its EXIF orientation."""
    if orientation_of(data) == UPRIGHT:
        return data
    pixels = decode_pixels(data)
    if pixels is None:
        raise damaged(name)
    solid = 3 if float(pixels[..., 3].min()) == 1.0 else 4
    return png.encode(pixels[..., :solid], profile_of(data))


def _pixels(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return `pixels_of` an image that can be used. Raises `BadPicture` and `TooLarge`."""
    check(image)
    return pixels_of(image)


def _small(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pixels at the size at which they are drawn; colours weigh by their alpha."""
    if max(pixels.shape[:2]) <= DRAWN_SIDE:
        return np.ascontiguousarray(pixels)
    alpha = reduce_mask(pixels[..., 3], DRAWN_SIDE)
    channels = [reduce_mask(pixels[..., c] * pixels[..., 3], DRAWN_SIDE) for c in range(3)]
    safe = np.maximum(alpha, 1e-6)
    return np.stack([*(channel / safe for channel in channels), alpha], axis=2).astype(np.float32)


def _file_of(image: bpy.types.Image) -> bytes | None:
    """Return the file that an image shows, unless it was painted over or the daemon cannot read it."""
    if image.source != "FILE" or image.is_dirty:
        return None
    if image.packed_file:
        data = bytes(image.packed_file.data)
    else:
        try:
            path = bpy.path.abspath(image.filepath, library=image.library)
            data = Path(path).read_bytes()
        except OSError:  # Blender may have read it before it went away
            return None
    return data if _readable(data) else None


def _way(image: bpy.types.Image) -> int:
    """Return the orientation in which an image's file wants to be shown."""
    if image.source != "FILE" or image.is_dirty:
        return UPRIGHT
    key = (image.session_uid, image.filepath, *state_of(image))
    if key not in _ways:
        if len(_ways) > 1000:
            _ways.clear()
        _ways[key] = orientation_of(_file_of(image) or b"")
    return _ways[key]


PREVIEW = ".standee preview"
"""The name of the image that previews are decoded in, one after the other."""
MADE = 4
"""So many PNGs of images that the daemon cannot read as they are, are kept."""
_made: dict[tuple[Any, ...], tuple[str, bytes]] = {}
_sent: dict[int, str] = {}
"""What images of the artist's own were sent as, by what Blender calls them in this session."""
_ways: dict[tuple[Any, ...], int] = {}
