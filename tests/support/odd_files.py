"""Odd picture files, each with the pixels that it means: what cameras, scanners, painters and old programs write."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

Pixels = np.ndarray
"""(height, width, 3 or 4), uint8."""

SIDE = 24
DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def ramp() -> Pixels:
    """Colours and greys that are told apart by any mistake of orientation, range or profile."""
    ys, xs = np.mgrid[:SIDE, : SIDE + 8]
    return np.stack([xs * 8, ys * 10, (xs * ys) % 200], -1).astype(np.uint8)


def greys() -> Pixels:
    return np.repeat(ramp()[..., :1], 3, -1)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """Put a chunk behind a PNG's header."""
    return png[:33] + chunk(name, body) + png[33:]


def vast_png(width: int, height: int) -> bytes:
    """A PNG of one bit a px, made without ever holding its pixels."""
    packer, row = zlib.compressobj(1), bytes(1 + -(-width // 8))
    body = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def p3_profile() -> bytes:
    """A Display P3 profile, built by hand: matrix and the curve of sRGB."""
    xs, ys = DISPLAY_P3[::2], DISPLAY_P3[1::2]
    primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(xs, ys, strict=True)]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    matrix = primaries * np.linalg.solve(primaries, white)
    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    d50 = np.array([0.9642, 1.0, 0.8249])
    scale = np.diag((bradford @ d50) / (bradford @ white))
    adapted = np.linalg.solve(bradford, scale @ bradford) @ matrix

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += b"".join(map(fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags = {b"wtpt": b"XYZ " + bytes(4) + b"".join(map(fixed, d50))}
    for n, name in enumerate((b"r", b"g", b"b")):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(fixed, adapted[:, n]))
        tags[name + b"TRC"] = curve
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 11) + b"Display P3\0" + bytes(80)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0"
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + b"".join(map(fixed, d50))
    return head + bytes(128 - len(head)) + table + body


def from_p3(pixels: Pixels) -> Pixels:
    """Display P3 as sRGB, by the definitions of both."""
    to_srgb = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
    value = pixels / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ to_srgb.T, 0, 1)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(value * 255).astype(np.uint8)


def from_linear(pixels: Pixels) -> Pixels:
    """Light as sRGB."""
    light = pixels / 255
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(value * 255).astype(np.uint8)


def big_tiff(pixels: Pixels) -> bytes:
    return encoded(Image.fromarray(pixels), "TIFF", big_tiff=True)


def turned(form: str, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(ramp()).transpose(Image.Transpose.ROTATE_90)
    return encoded(lying, form, exif=exif, **options)


def grey16(**options: object) -> bytes:
    return encoded(Image.fromarray(greys()[..., 0].astype(np.uint16) * 257), **options)


def grey16_with_a_clear_grey() -> bytes:
    return with_chunk(grey16(), b"tRNS", struct.pack(">H", 80 * 257))


def with_a_clear_grey(pixels: Pixels, grey: int) -> Pixels:
    alpha = np.where(pixels[..., :1] == grey, 0, 255)
    return np.concatenate([pixels, alpha], -1).astype(np.uint8)


def float_tiff(white: float, ruin: bool = False) -> bytes:
    values = greys()[..., 0].astype(np.float32) / np.float32(255) * np.float32(white)
    if ruin:
        values[0, 0], values[0, 1] = np.nan, np.inf
    return encoded(Image.fromarray(values), "TIFF")


def palette(clear: bool) -> tuple[bytes, Pixels]:
    picture = Image.fromarray(ramp()).quantize(32)
    pixels = np.asarray(picture.convert("RGB"))
    if not clear:
        return encoded(picture), pixels
    seen = np.where(np.asarray(picture) == 3, 0, 255)[..., None]
    return encoded(picture, transparency=3), np.concatenate([pixels, seen], -1).astype(np.uint8)


def frames(form: str) -> bytes:
    rest = [Image.new("RGB", (SIDE + 8, SIDE), "red") for _ in range(2)]
    return encoded(Image.fromarray(ramp()), form, save_all=True, append_images=rest, lossless=True)


def cases() -> dict[str, tuple[Callable[[], bytes], Pixels, int]]:
    """Each file's name: how it is made, the pixels that it means, and how far they may be off."""
    plain, grey = ramp(), greys()
    png = encoded(Image.fromarray(plain))
    p3 = p3_profile()
    icc = b"ICC\0\0"
    xmp = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>" * 600_000)
    noise = zlib.compress(bytes(3 << 20))
    clear = with_a_clear_grey(grey, 80)
    return {
        "plain.png": (lambda: png, plain, 0),
        "grey16.png": (grey16, grey, 0),
        "grey16.tif": (lambda: grey16(form="TIFF"), grey, 0),
        "grey16-clear.png": (grey16_with_a_clear_grey, clear, 0),
        "float.tif": (lambda: float_tiff(1.0), grey, 0),
        "float-255.tif": (lambda: float_tiff(255.0), grey, 0),
        "float-nan.tif": (lambda: float_tiff(1.0, ruin=True), _dark_corner(grey), 0),
        "display-p3.png": (
            lambda: encoded(Image.fromarray(plain), icc_profile=p3),
            from_p3(plain),
            3,
        ),
        "display-p3.jpg": (
            lambda: encoded(
                Image.fromarray(plain), "JPEG", quality=100, subsampling=0, icc_profile=p3
            ),
            from_p3(plain),
            12,
        ),
        "srgb.png": (lambda: encoded(Image.fromarray(plain), icc_profile=srgb()), plain, 0),
        "broken-profile.png": (
            lambda: with_chunk(png, b"iCCP", icc + zlib.compress(b"no")),
            plain,
            0,
        ),
        "cut-profile.png": (
            lambda: with_chunk(png, b"iCCP", icc + zlib.compress(p3)[:40]),
            plain,
            0,
        ),
        "large-profile.png": (
            lambda: with_chunk(png, b"iCCP", icc + zlib.compress(_padded(p3, 3 << 20))),
            from_p3(plain),
            3,
        ),
        "workflow.png": (lambda: with_chunk(png, b"zTXt", b"workflow\0\0" + noise), plain, 0),
        "xmp.png": (lambda: with_chunk(png, b"iTXt", xmp), plain, 0),
        "bad-exif.png": (lambda: with_chunk(png, b"eXIf", b"not a TIFF file at all"), plain, 0),
        "cut-exif.png": (lambda: with_chunk(png, b"eXIf", b"II*\0\x08\0\0\0\x01\0"), plain, 0),
        "bad-check.png": (
            lambda: png[:33] + chunk(b"tEXt", b"a\0b")[:-1] + b"!" + png[33:],
            plain,
            0,
        ),
        "big.tif": (lambda: big_tiff(plain), plain, 0),
        "turned.png": (lambda: turned("PNG"), plain, 0),
        "turned.jpg": (lambda: turned("JPEG", quality=100, subsampling=0), plain, 5),
        "turned.webp": (lambda: turned("WEBP", lossless=True), plain, 0),
        "turned.tif": (lambda: turned("TIFF"), plain, 0),
        "palette.png": (lambda: palette(False)[0], palette(False)[1], 0),
        "palette-clear.png": (lambda: palette(True)[0], palette(True)[1], 0),
        "cmyk.tif": (lambda: encoded(Image.fromarray(plain).convert("CMYK"), "TIFF"), plain, 1),
        "animated.webp": (lambda: frames("WEBP"), plain, 0),
        "pages.tif": (lambda: frames("TIFF"), plain, 0),
        "picture.avif": (lambda: encoded(Image.fromarray(grey), "AVIF", quality=100), grey, 6),
        "cicp-srgb.png": (lambda: with_chunk(png, b"cICP", bytes([1, 13, 0, 1])), plain, 0),
        "cicp-p3.png": (lambda: with_chunk(png, b"cICP", bytes([12, 13, 0, 1])), from_p3(plain), 2),
        "cicp-before-profile.png": (
            lambda: with_chunk(
                with_chunk(png, b"iCCP", icc + zlib.compress(p3)), b"cICP", b"\1\r\0\1"
            ),
            plain,
            0,
        ),
        "cicp-unknown.png": (lambda: with_chunk(png, b"cICP", bytes([99, 99, 9, 1])), plain, 0),
        "cicp-cut.png": (lambda: with_chunk(png, b"cICP", b"\1"), plain, 0),
        "gamma-srgb.png": (lambda: with_chunk(png, b"gAMA", struct.pack(">I", 45455)), plain, 0),
        "gamma-linear.png": (
            lambda: with_chunk(png, b"gAMA", struct.pack(">I", 100_000)),
            from_linear(plain),
            1,
        ),
        "gamma-linear-grey16.png": (
            lambda: with_chunk(grey16(), b"gAMA", struct.pack(">I", 100_000)),
            from_linear(grey),
            1,
        ),
        "gamma-and-srgb.png": (
            lambda: with_chunk(
                with_chunk(png, b"gAMA", struct.pack(">I", 100_000)), b"sRGB", b"\0"
            ),
            plain,
            0,
        ),
        "gamma-nonsense.png": (
            lambda: with_chunk(with_chunk(png, b"gAMA", bytes(4)), b"cHRM", bytes(32)),
            plain,
            0,
        ),
        "gamma-p3.png": (
            lambda: with_chunk(
                with_chunk(png, b"gAMA", struct.pack(">I", 45455)),
                b"cHRM",
                struct.pack(">8I", *(round(v * 100_000) for v in (0.3127, 0.3290, *DISPLAY_P3))),
            ),
            from_p3(plain),
            2,
        ),
        "solid-alpha.png": (lambda: encoded(Image.fromarray(plain).convert("RGBA")), plain, 0),
    }


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def masks() -> Iterator[tuple[str, bytes, Pixels]]:
    """Masks of one meaning, as painters, scanners and annotators write them: name, file, values 0 and 255."""
    ys, xs = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    inside = xs**2 + ys**2 < 60
    means = np.where(inside, 255, 0).astype(np.uint8)
    white = Image.fromarray(means)
    colour = white.convert("RGB")
    clear = Image.new("RGB", white.size, "white")
    clear.putalpha(white)
    labels = Image.fromarray(inside.astype(np.uint8))
    coloured = labels.copy().convert("P")
    coloured.putpalette([0, 0, 0, 128, 0, 0])
    yield "grey", encoded(white), means
    yield "one bit", encoded(white.convert("1")), means
    yield "colour", encoded(colour), means
    yield "opaque alpha", encoded(colour.convert("RGBA")), means
    yield "grey with opaque alpha", encoded(white.convert("LA")), means
    yield "by its alpha", encoded(clear), means
    yield "labels 0 and 1", encoded(labels), means
    yield "labels in colour", encoded(coloured), means
    yield "16 bits", encoded(Image.fromarray(means.astype(np.uint16) * 257)), means
    yield "float", encoded(Image.fromarray((means / 255).astype(np.float32)), "TIFF"), means


def refused() -> Iterator[tuple[str, bytes, str]]:
    """Files that are no pictures to read: name, file, what the sentence says."""
    png = encoded(Image.effect_noise((64, 64), 90))
    yield "empty.png", b"", "is empty"
    yield "page.png", b"<!DOCTYPE html><html></html>", "is not a picture"
    yield "drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "of the kind EPS"
    yield "layers.psd", b"8BPS\0\1" + bytes(60), "of the kind Photoshop"
    yield "scan.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60), "of the kind JPEG 2000"
    yield "render.exr", b"v/1\x01" + bytes(60), "of the kind OpenEXR"
    yield "sound.webp", b"RIFF\0\0\0\0WAVEfmt ", "is not a picture"
    yield "cut.png", png[: len(png) // 2], "is damaged"
    yield "cut.jpg", encoded(Image.effect_noise((64, 64), 90), "JPEG")[:700], "is damaged"
    yield "phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "HEIC"


def _dark_corner(pixels: Pixels) -> Pixels:
    pixels = pixels.copy()
    pixels[0, :2] = 0
    return pixels


def _padded(profile: bytes, size: int) -> bytes:
    """A profile of at least `size` bytes that says the same."""
    profile = profile + bytes(size)
    return struct.pack(">I", len(profile)) + profile[4:]
