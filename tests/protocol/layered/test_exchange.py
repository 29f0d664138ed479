"""Layered pictures: out to OpenRaster and Photoshop and in again, and files that mean harm."""

import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from standee.composition import Canvas, Composition, Layer, Rect, Scene
from standee.document.document import Document
from standee.document.receipt import extract
from standee.errors import BadPicture, MissingDependency, StandeeError, TooLarge
from standee.layered.exchange import document_of, is_layered, layered_of, read_layered
from standee.layered.raster_layers import RESULT


def png(size: tuple[int, int], colour: str, disc: bool = True) -> bytes:
    image = Image.new("RGBA" if disc else "RGB", size, (0, 0, 0, 0) if disc else colour)
    if disc:
        ImageDraw.Draw(image).ellipse((0, 0, size[0] - 1, size[1] - 1), fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def scene() -> Document:
    """Three subjects before a place: one in front, hidden, faint, in a group, reaching over the canvas."""
    document = Document()
    tomato, blue = (document.add_picture(png((40, 30), one)) for one in ("tomato", "blue"))
    place = document.add_picture(png((128, 96), "olive", disc=False))
    document.composition = Composition(
        Canvas(128, 96),
        layers=(
            Layer(Rect(10, 12, 40, 30), tomato, name="fox 狐狸", group="pair"),
            Layer(Rect(60.4, 20, 60, 45), blue, name="cat", opacity=0.5, group="pair"),
            Layer(Rect(-20, 50, 80, 60), tomato, name="hidden", visible=False),
        ),
        scene=Scene(place),
    )
    return document


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(document: Document, suffix: str, result: bytes = b"") -> Path:
        pytest.importorskip("psd_tools") if suffix == ".psd" else None
        path = tmp_path / f"out{suffix}"
        result = result or png((128, 96), "teal", disc=False)
        receipt = {"composition": {"prompt": "a fox"}}
        data, _ = layered_of(suffix, document.composition, document.read, result, receipt)
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("suffix", [".ora", ".psd"])
def test_an_arrangement_goes_out_and_comes_in_again(
    scene: Document, save: Callable[..., Path], suffix: str
) -> None:
    path = save(scene, suffix)
    assert is_layered(path.read_bytes()[:64])
    again, before = document_of(read_layered(path)), scene.composition
    after = again.composition
    assert after.canvas == before.canvas
    assert [one.name for one in after.layers] == ["fox 狐狸", "cat", "hidden"]
    for one, was in zip(after.layers, before.layers, strict=True):
        ends = zip(
            (one.rect.x, one.rect.y, one.rect.w, one.rect.h),
            (was.rect.x, was.rect.y, was.rect.w, was.rect.h),
            strict=True,
        )
        assert max(abs(a - b) for a, b in ends) <= 1
        assert one.opacity == pytest.approx(was.opacity, abs=1 / 255)
        assert one.visible is was.visible
    first, second, third = (one.group for one in after.layers)
    assert first == second is not None
    assert third is None
    assert after.scene is not None
    assert after.scene.rect is None
    with Image.open(io.BytesIO(again.read(after.scene.picture))) as place:
        assert place.convert("RGB").getpixel((64, 48)) == (128, 128, 0)
    with Image.open(io.BytesIO(again.read(after.layers[0].picture or ""))) as fox:
        assert fox.getpixel((20, 15)) == (255, 99, 71, 255)
        assert fox.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert not again.missing()


def test_a_scene_comes_back_as_it_was_and_a_subject_that_fills_the_canvas_stays_one(
    scene: Document, save: Callable[..., Path]
) -> None:
    before = scene.composition
    assert before.scene is not None
    part = Scene(before.scene.picture, Rect(32, 24, 64, 48))
    scene.composition = Composition(before.canvas, scene=part)
    after = document_of(read_layered(save(scene, ".ora"))).composition
    assert after.scene is not None
    assert after.scene.rect == part.rect
    assert not after.layers
    full = Layer(Rect(0, 0, 128, 96), before.scene.picture, name="wall")
    scene.composition = Composition(before.canvas, layers=(full, *before.layers))
    after = document_of(read_layered(save(scene, ".ora"))).composition
    assert after.scene is None
    assert [one.name for one in after.layers] == ["wall", "fox 狐狸", "cat", "hidden"]


def test_an_openraster_file_looks_like_the_result_and_carries_its_receipt(
    scene: Document, save: Callable[..., Path]
) -> None:
    with zipfile.ZipFile(save(scene, ".ora")) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        assert archive.read("mimetype") == b"image/openraster"
        merged = archive.read("mergedimage.png")
        assert extract(merged) == {"composition": {"prompt": "a fox"}}
        assert Image.open(io.BytesIO(merged)).convert("RGB").getpixel((5, 5)) == (0, 128, 128)
        stack = archive.read("stack.xml").decode()
    assert stack.index(RESULT) < stack.index("hidden") < stack.index("cat") < stack.index("fox")


def test_a_photoshop_file_looks_like_the_result_and_says_that_a_model_made_it(
    scene: Document, save: Callable[..., Path]
) -> None:
    path = save(scene, ".psd")
    with Image.open(path) as merged:
        assert merged.convert("RGB").getpixel((5, 5)) == (0, 128, 128)
    assert b"trainedAlgorithmicMedia" in path.read_bytes()


@pytest.mark.parametrize("rotation", [90.0, 180.0, 30.0])
def test_a_turned_subject_comes_out_as_it_stands(
    save: Callable[..., Path], rotation: float
) -> None:
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    out = io.BytesIO()
    image.save(out, "PNG")
    document = Document()
    digest = document.add_picture(out.getvalue())
    layer = Layer(Rect(20, 30, 40, 20), digest, name="flag", rotation=rotation)
    document.composition = Composition(Canvas(96, 96), layers=(layer,))
    (one,) = read_layered(save(document, ".ora")).layers
    drawn = np.asarray(Image.open(io.BytesIO(one.png)).convert("RGBA")).astype(int)
    seen, middle = drawn[..., 3] > 127, np.array([40.0, 40.0])  # of the rectangle, x and y
    assert seen.sum() == pytest.approx(800, abs=25)
    there = np.array([np.cos(np.radians(rotation)), np.sin(np.radians(rotation))])
    for colour, side in ((0, -1), (2, 1)):
        ys, xs = np.nonzero(seen & (drawn[..., colour] > 127))
        centre = np.array([xs.mean() + 0.5 + one.x, ys.mean() + 0.5 + one.y])
        assert centre == pytest.approx(middle + side * 10 * there, abs=0.75)


def test_a_mask_is_the_transparency_and_words_are_said_to_be_missing() -> None:
    document = Document()
    picture = document.add_picture(png((20, 20), "red", disc=False))
    mask = Image.new("L", (20, 20))
    mask.paste(255, (0, 0, 10, 20))
    out = io.BytesIO()
    mask.save(out, "PNG")
    cut = Layer(Rect(0, 0, 20, 20), picture, mask=document.add_picture(out.getvalue()), flip=True)
    words = Layer(Rect(0, 0, 20, 20), prompt="a tree", name="tree")
    composition = Composition(Canvas(32, 32), layers=(cut, words))
    data, picture = layered_of(
        ".ora", composition, document.read, png((32, 32), "teal", disc=False), {}
    )
    assert picture.left_out == ("tree",)
    assert picture.shadows == "no scene"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        drawn = Image.open(io.BytesIO(archive.read("data/layer001.png")))
    assert drawn.getpixel((15, 5)) == (255, 0, 0, 255)
    assert drawn.getpixel((4, 5))[3] == 0  # type: ignore[index]


def ora(tmp_path: Path, stack: str, **files: bytes) -> Path:
    path = tmp_path / "given.ora"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr("stack.xml", stack)
        for name, data in files.items():
            archive.writestr(f"data/{name}.png", data, zipfile.ZIP_DEFLATED)
    return path


def test_folders_give_their_place_opacity_and_visibility(tmp_path: Path) -> None:
    stack = """<image w="100" h="60"><stack>
      <stack name="people" x="10" y="5" opacity="0.5" visibility="hidden">
        <stack><layer name="a" src="data/a.png" x="1" opacity="0.5" composite-op="svg:multiply"/></stack>
      </stack>
      <layer name="nothing" src="data/nothing.png"/>
      <layer name="b" src="data/a.png"/></stack></image>"""
    empty = png((4, 4), "#00000000")
    picture = read_layered(ora(tmp_path, stack, a=png((30, 20), "red"), nothing=empty))
    b, a = picture.layers
    assert (b.name, b.x, b.group, b.opacity, b.visible) == ("b", 0, None, 1, True)
    assert (a.name, a.x, a.y, a.group, a.opacity, a.visible) == ("a", 11, 5, "people", 0.25, False)
    assert picture.left_out == ("nothing",)
    assert picture.plain == ("a",)
    document = document_of(picture)
    assert (document.composition.canvas.width, document.composition.canvas.height) == (96, 48)
    assert document.composition.layers[0].rect == Rect(0, 0, 30, 20)
    assert document.composition.scene is None


LAYER = '<layer src="data/a.png"/>'
HOSTILE = {
    "entities": '<!DOCTYPE x [<!ENTITY a "aaaa">]><image w="9" h="9"><stack/></image>',
    "no xml": "what",
    "no picture": "<image/>",
    "huge canvas": '<image w="99999" h="99999"><stack/></image>',
    "no file": '<image w="9" h="9"><stack><layer src="data/b.png"/></stack></image>',
    "outside": '<image w="9" h="9"><stack><layer src="../../etc/x.png"/></stack></image>',
    "no picture in it": '<image w="9" h="9"><stack><layer src="data/text.png"/></stack></image>',
    "a bomb": '<image w="9" h="9"><stack><layer src="data/bomb.png"/></stack></image>',
    "a wide bomb": '<image w="9" h="9"><stack><layer src="data/wide.png"/></stack></image>',
    "101 layers": f'<image w="9" h="9"><stack>{101 * LAYER}</stack></image>',
    "deep": f'<image w="9" h="9">{99 * "<stack>"}{LAYER}{99 * "</stack>"}</image>',
    "empty": '<image w="9" h="9"><stack/></image>',
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_openraster_file_gives_one_clear_error(tmp_path: Path, kind: str) -> None:
    small = png((4, 4), "red")
    wide = small[:16] + struct.pack(">II", 60000, 60000) + small[24:]
    files = {"a": small, "text": b"no", "bomb": bytes(9_000_000), "wide": wide}
    with pytest.raises((BadPicture, TooLarge)) as raised:
        read_layered(ora(tmp_path, HOSTILE[kind], **files))
    assert "given.ora" in raised.value.message
    assert raised.value.fix


def test_broken_files_give_one_clear_error(
    scene: Document, save: Callable[..., Path], tmp_path: Path
) -> None:
    for suffix in (".ora", ".psd"):
        data = save(scene, suffix).read_bytes()
        broken = tmp_path / f"broken{suffix}"
        for kept in (30, 60, len(data) // 3):
            broken.write_bytes(data[:kept])
            with pytest.raises(StandeeError, match=broken.name):
                read_layered(broken)
    wide = data[:14] + struct.pack(">II", 29999, 29999) + data[22:]
    broken.write_bytes(wide)
    with pytest.raises(TooLarge):
        read_layered(broken)
    broken.write_bytes(png((4, 4), "red"))
    with pytest.raises(BadPicture, match="neither"):
        read_layered(broken)


def test_a_photoshop_layer_comes_with_its_mask_and_without_its_blend_mode(tmp_path: Path) -> None:
    psd_tools = pytest.importorskip("psd_tools")
    layers = pytest.importorskip("psd_tools.api.layers")
    made = psd_tools.PSDImage.new("RGB", (64, 48))
    disc = Image.open(io.BytesIO(png((20, 20), "red")))
    group = layers.Group.new(made, "people")
    layers.PixelLayer.frompil(disc, group, "masked", top=5, left=7)  # in RGB its alpha is a mask
    layers.PixelLayer.frompil(disc.convert("RGB"), made, "multiply").blend_mode = "mul "
    layers.PixelLayer.frompil(Image.new("RGBA", (8, 8)), made, "empty")
    group.opacity = 51
    path = tmp_path / "masked.psd"
    made.save(path)
    picture = read_layered(path)
    first, second = picture.layers
    assert (first.name, first.x, first.y, first.group) == ("masked", 7, 5, "people")
    assert first.opacity == pytest.approx(0.2)
    drawn = Image.open(io.BytesIO(first.png))
    assert drawn.getpixel((10, 10)) == (255, 0, 0, 255)
    assert drawn.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert second.covers
    assert picture.plain == ("multiply",)
    assert picture.left_out == ("empty",)


def test_a_photoshop_file_with_flipped_bytes_is_read_or_refused_at_once(
    scene: Document, save: Callable[..., Path]
) -> None:
    path = save(scene, ".psd")
    data, generator = path.read_bytes(), np.random.default_rng(0)
    for _ in range(40):
        broken = bytearray(data)
        for at in generator.integers(0, len(data) // 2, 4):
            broken[at] = generator.integers(256)
        path.write_bytes(broken)
        with suppress(StandeeError):
            document_of(read_layered(path)).close()


def test_without_psd_tools_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("standee.layered.photoshop.find_spec", lambda _: None)
    path = tmp_path / "a.psd"
    path.write_bytes(b"8BPS" + bytes(60))
    with pytest.raises(MissingDependency, match="psd-tools") as raised:
        read_layered(path)
    assert ".ora" in raised.value.fix
