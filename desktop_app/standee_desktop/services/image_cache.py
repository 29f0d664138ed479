"""Image cache: the document's pictures, decoded in threads at several sizes, least used dropped.

Ask for an image and get it, or `None` and later a `ready` signal. Nothing here ever waits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from standee.arrangement import KEPT_SIDE, reduce_mask
from standee.composition import Layer, Rect
from standee.errors import StandeeError
from standee.geometry import fit_picture
from standee.pictures import decode, mask_of
from standee.rotation import centre, turned_about

from ..model.rects import rect_of
from ..model.token_counts import CutOut
from ..storage.image_import import MAX_PIXELS, open_picture
from .screen_profile import SCREEN
from .thread_pool import ThreadPool

IMAGE_SIDE = 1024
"""Images for the canvas have at most this many px on their long side."""
SMALLEST_LEVEL = 64
"""The long side at which an image is not halved again."""
JPEG = b"\xff\xd8\xff"
MEMORY = 512 << 20
"""How many bytes of decoded images are kept."""

CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""Those of a picture that shows all over."""

THERE = 0.1
"""How opaque a cut-out must be for its place to count as taken."""

Key = tuple[str, str | None]
Box = tuple[float, float, float, float]
Read = Callable[[str], bytes]


@dataclass(frozen=True)
class CachedImage:
    """A picture with its cut-out, ready to paint."""

    image: QImage
    thumbnail: QImage
    levels: tuple[QImage, ...]
    """The image and its halves, quarters, ...: painting small from a large image is slow."""
    cutout: NDArray[np.float32]
    """The cut-out (height, width), 0..1, at most `MASK_SIDE` px: what cells are counted of."""
    kept: NDArray[np.uint8]
    """The cut-out (height, width), 0..255, at most `KEPT_SIDE` px: what a scene keeps."""
    width: int
    height: int
    has_alpha: bool
    box: Box = (0.0, 0.0, 1.0, 1.0)
    """Where its cut-out shows anything, in parts of the picture: left, top, right, bottom."""

    edge: NDArray[np.float64] | None = None
    """The ends (n, 2) of what its cut-out shows in each row, in parts of the picture."""

    def seen(self, layer: Layer) -> Rect:
        """Return the upright rectangle around what shows of it as a layer, canvas px."""
        upright = self.seen_upright(layer)
        if not layer.rotation:
            return upright
        middle, placed = (
            centre(layer.rect),
            fit_picture(self.width, self.height, layer.rect, layer.fit),
        )
        ends = self.edge if self.edge is not None else np.array(CORNERS)
        across = 1 - ends[:, 0] if layer.flip else ends[:, 0]
        xs = np.clip(placed.x + across * placed.w, upright.x, upright.x + upright.w)
        ys = np.clip(placed.y + ends[:, 1] * placed.h, upright.y, upright.y + upright.h)
        there = turned_about(xs, ys, middle, layer.rotation)
        (x, right), (y, bottom) = ((float(one.min()), float(one.max())) for one in there)
        return Rect(x, y, max(right - x, 1e-6), max(bottom - y, 1e-6))

    def seen_upright(self, layer: Layer) -> Rect:
        """Return the rectangle around what shows of it as a layer, before that is turned, canvas px."""
        placed = fit_picture(self.width, self.height, layer.rect, layer.fit)
        left, top, right, bottom = self.box
        if layer.flip:
            left, right = 1.0 - right, 1.0 - left
        x0, x1 = (placed.x + part * placed.w for part in (left, right))
        y0, y1 = (placed.y + part * placed.h for part in (top, bottom))
        rect = layer.rect  # beyond it the picture is cut off
        x0, x1 = max(x0, rect.x), min(x1, rect.x + rect.w)
        y0, y1 = max(y0, rect.y), min(y1, rect.y + rect.h)
        return Rect(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else rect

    def level(self, side: float) -> QImage:
        """Return the smallest level whose long side has at least `side` px."""
        fitting = [one for one in self.levels if max(one.width(), one.height()) >= side]
        return fitting[-1] if fitting else self.image

    @property
    def cut_out(self) -> CutOut:
        """The cut-out as cells and kept px are told of it."""
        return CutOut(self.cutout, self.kept, (self.width, self.height))

    @property
    def matte(self) -> NDArray[np.uint8]:
        """The cut-out as 0..255, at most `MASK_SIDE` px; made anew, in a millisecond."""
        return np.rint(self.cutout * 255).astype(np.uint8)

    @property
    def cost(self) -> int:
        """Bytes in memory."""
        maps = sum(one.nbytes for one in (self.cutout, self.kept) if one.strides != (0, 0))
        return sum(int(one.sizeInBytes()) for one in self.levels) + maps


def make_look(picture: bytes, mask: bytes | None = None) -> CachedImage:
    """Decode a picture and its mask. For worker threads. Raises `BadPicture`, `TooLarge`."""
    longest = IMAGE_SIDE if picture.startswith(JPEG) else None  # which has no cut-out to lose
    decoded = decode(picture, most=MAX_PIXELS, longest=longest)
    image, (width, height) = decoded.image, decoded.size
    has_alpha = image.mode == "RGBA"
    matte = image.getchannel("A") if has_alpha else None
    if mask is not None:
        matte = mask_of(open_picture(mask))
    image = image.convert("RGB")
    if max(image.size) > IMAGE_SIDE:
        image.thumbnail((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return _look(image, matte, width, height, has_alpha)


def small_look(picture: bytes, mask: bytes | None, side: int) -> CachedImage:
    """Decode a picture and its mask to at most `side` px, to be painted only. For worker threads."""
    image = open_picture(picture, side)
    if mask is not None:
        image.putalpha(mask_of(open_picture(mask, side)).resize(image.size))
    small = to_qimage(image)
    cutout, kept = _maps(None, image.width, image.height)
    return CachedImage(small, small, (small,), cutout, kept, image.width, image.height, False)


def with_mask(whole: CachedImage, mask: bytes) -> CachedImage:
    """Return a picture that is decoded already with another mask: what a brush stroke needs.

    For worker threads. Raises `BadPicture`.
    """
    matte = mask_of(open_picture(mask))
    image = to_pillow(whole.image).convert("RGB")  # in the screen's colours as it is
    return _look(image, matte, whole.width, whole.height, whole.has_alpha, to_screen=False)


def _look(
    image: Image.Image,
    matte: Image.Image | None,
    width: int,
    height: int,
    has_alpha: bool,
    to_screen: bool = True,
) -> CachedImage:
    """Make all sizes of an RGB image; `matte`, of any size, lies over the picture of `width` x `height` px."""
    cutout, kept = _maps(matte, width, height)
    if matte is not None:
        image.putalpha(matte.resize(image.size, Image.Resampling.BOX, reducing_gap=2.0))
    small = image.convert("RGBa" if matte is not None else "RGB")
    levels = [to_qimage(image, to_screen)]
    while max(small.size) > SMALLEST_LEVEL:
        small = small.reduce(2)
        levels.append(to_qimage(small.convert("RGBA"), to_screen))
    thumbnail = next((one for one in levels if max(one.width(), one.height()) <= 200), levels[-1])
    box = _box(cutout) if matte is not None else (0.0, 0.0, 1.0, 1.0)
    sizes = levels[0], thumbnail, tuple(levels)
    edge = _edge(cutout) if matte is not None else None
    return CachedImage(*sizes, cutout, kept, width, height, has_alpha, box, edge)


def _box(cutout: NDArray[np.float32]) -> Box:
    """Return where a cut-out shows anything, in parts of it; all of it where that is nowhere."""
    height, width = cutout.shape
    rows = np.flatnonzero(cutout.max(axis=1) > THERE)
    columns = np.flatnonzero(cutout.max(axis=0) > THERE)
    if not len(rows):
        return 0.0, 0.0, 1.0, 1.0
    left, right = columns[0] / width, (columns[-1] + 1) / width
    return float(left), rows[0] / height, float(right), (rows[-1] + 1) / height


def _edge(cutout: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the ends (n, 2) of what a cut-out shows in each row, in parts of it; None where that is nothing."""
    height, width = cutout.shape
    there = cutout > THERE
    rows = np.flatnonzero(there.any(axis=1))
    if not len(rows):
        return None
    left = there[rows].argmax(axis=1) / width
    right = 1 - there[rows][:, ::-1].argmax(axis=1) / width
    ends = [np.stack([x, (rows + low) / height], 1) for x in (left, right) for low in (0, 1)]
    return np.concatenate(ends)


def _maps(
    matte: Image.Image | None, width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a cut-out as cells are counted of it, and as a scene keeps it, the larger one."""
    if matte is None:
        whole = np.broadcast_to(np.uint8(255), (height, width))
        return reduce_mask(whole), whole
    values = np.asarray(matte)
    if max(values.shape) <= KEPT_SIDE:
        return reduce_mask(values), values
    return reduce_mask(values), np.rint(reduce_mask(values, KEPT_SIDE) * 255).astype(np.uint8)


def to_qimage(picture: Image.Image, to_screen: bool = True) -> QImage:
    """Return a picture as a premultiplied image, the format that paints fastest.

    It has the screen's colours, unless the picture has them already.
    """
    data = picture.convert("RGBA").tobytes()
    image = QImage(
        data, picture.width, picture.height, picture.width * 4, QImage.Format.Format_RGBA8888
    )
    image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    return SCREEN.for_screen(image) if to_screen else image


def to_pillow(image: QImage) -> Image.Image:
    """Return an image as RGBA for Pillow. For worker threads."""
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    data = bytes(plain.constBits())[: plain.sizeInBytes()]
    size, stride = (plain.width(), plain.height()), plain.bytesPerLine()
    return Image.frombuffer("RGBA", size, data, "raw", "RGBA", stride, 1)


class ImageCache(QObject):
    """All decoded pictures of one document."""

    ready = Signal(str)
    """The digest of a picture whose image is there now, or whose mask is."""
    failed = Signal(str, object)
    """The digest of a picture that cannot be shown, and the `StandeeError`."""

    def __init__(
        self,
        read: Read,
        workers: ThreadPool,
        shown: Callable[[], Collection[str]],
        parent: QObject | None = None,
    ) -> None:
        """`read` returns the bytes of a digest; it is called in worker threads.

        `shown` returns the digests that are on the canvas: those stay, however many they are.
        """
        super().__init__(parent)
        self._read, self._shown = read, shown
        self._workers = workers
        self._looks: OrderedDict[Key, CachedImage] = OrderedDict()
        self._pixmaps: dict[Key, QPixmap] = {}
        self._loading: set[Key] = set()
        self._broken: dict[Key, StandeeError] = {}
        self._cost = 0
        self._generation = 0

    def look(self, picture: str, mask: str | None = None) -> CachedImage | None:
        """Return the decoded picture, or `None`: then it is being read and `ready` will come."""
        key = (picture, mask)
        if (found := self._looks.get(key)) is not None:
            self._looks.move_to_end(key)
            return found
        if key not in self._loading and key not in self._broken:
            self._load(key)
        return None

    def seen(self, layer: Layer) -> Rect:
        """Return the rectangle around what shows of a layer; its own while that is not known."""
        look = self.look_of(layer)
        return look.seen(layer) if look is not None else rect_of(layer)

    def look_of(self, layer: Layer) -> CachedImage | None:
        """Return a layer's decoded picture; `None` for a rectangle of words, and while it is read."""
        return self.look(layer.picture, layer.mask) if layer.picture is not None else None

    def image(self, picture: str, mask: str | None = None) -> QImage | None:
        """Return the picture cut out by its mask or alpha."""
        look = self.look(picture, mask)
        return look.image if look is not None else None

    def thumbnail(self, picture: str, mask: str | None = None) -> QPixmap | None:
        """Return a small picture for lists."""
        key = (picture, mask)
        if key in self._pixmaps:
            return self._pixmaps[key]
        look = self.look(picture, mask)
        if look is None:
            return None
        self._pixmaps[key] = QPixmap.fromImage(look.thumbnail)
        return self._pixmaps[key]

    def cutout(self, picture: str, mask: str | None = None) -> NDArray[np.float32] | None:
        """Return the cut-out as an array (height, width) of 0..1."""
        look = self.look(picture, mask)
        return look.cutout if look is not None else None

    def size(self, picture: str) -> tuple[int, int] | None:
        """Return the size of the picture itself, upright, in px."""
        known = (look for (digest, _), look in self._looks.items() if digest == picture)
        look = next(known, None) or self.look(picture)
        return (look.width, look.height) if look is not None else None

    def error(self, picture: str, mask: str | None = None) -> StandeeError | None:
        """Return why a picture cannot be shown."""
        return self._broken.get((picture, mask))

    def put(self, picture: str, look: CachedImage, mask: str | None = None) -> None:
        """Take in what was decoded elsewhere, so that a new layer shows at once."""
        self._keep((picture, mask), look)
        self.ready.emit(picture)

    def forget(self) -> None:
        """Let go of everything: another document is open."""
        self._generation += 1
        self._looks.clear()
        self._pixmaps.clear()
        self._loading.clear()
        self._broken.clear()
        self._cost = 0

    def _load(self, key: Key) -> None:
        picture, mask = key
        generation = self._generation
        read = self._read

        def work() -> CachedImage:
            return make_look(read(picture), read(mask) if mask else None)

        def done(look: CachedImage) -> None:
            if generation == self._generation:
                self._loading.discard(key)
                self._keep(key, look)
                self.ready.emit(picture)

        def failed(error: StandeeError) -> None:
            if generation == self._generation:
                self._loading.discard(key)
                self._broken[key] = error
                self.failed.emit(picture, error)

        self._loading.add(key)
        self._workers.run(work, done, failed)

    def _keep(self, key: Key, look: CachedImage) -> None:
        old = self._looks.pop(key, None)
        self._cost += look.cost - (old.cost if old else 0)
        self._looks[key] = look
        self._pixmaps.pop(key, None)
        if self._cost > MEMORY:
            self._make_room(key)

    def _make_room(self, newest: Key) -> None:
        """Let go of what was not used for longest and is not on the canvas."""
        shown = self._shown()
        for key in [one for one in self._looks if one != newest and one[0] not in shown]:
            if self._cost <= MEMORY:
                return
            self._pixmaps.pop(key, None)
            self._cost -= self._looks.pop(key).cost
