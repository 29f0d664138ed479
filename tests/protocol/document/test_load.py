"""What `standee compose` is given: documents, compositions that name files, pictures with receipts."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from standee.composition import Canvas, Composition, Control, Layer, Rect, Scene, resized
from standee.document.document import Document
from standee.document.load import load_document
from standee.document.receipt import embed
from standee.errors import BadDocument, BadPicture, InvalidField

# As little of a PNG as has a head and an end.
PNG = b"\x89PNG\r\n\x1a\n" + b"".join(bytes(4) + kind + b"crc." for kind in (b"IHDR", b"IEND"))
CAT, MUG = PNG + b"a cat", PNG + b"a mug"
CAT_DIGEST, MUG_DIGEST = (hashlib.sha256(data).hexdigest() for data in (CAT, MUG))
RECT = {"x": 0, "y": 0, "w": 64, "h": 64}


def write_json(folder: Path, data: Any) -> Path:
    path = folder / "scene.json"
    path.write_text(json.dumps(data))
    return path


def test_a_document_is_opened(saved: Path) -> None:
    with load_document(saved) as document:
        assert document.composition.prompt == "a cat"
        assert not document.missing()


def test_a_composition_may_name_picture_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/cat.png").write_bytes(CAT)
    (tmp_path / "mug.png").write_bytes(MUG)
    layer = {"picture": "pictures/cat.png", "mask": "mug.png", "rect": RECT}
    data = {"layers": [layer], "scene": {"picture": "mug.png", "kept": CAT_DIGEST}}
    data["control"] = [{"kind": "depth", "picture": "mug.png"}]
    with load_document(write_json(tmp_path, data)) as document:
        [cat] = document.composition.layers
        assert (cat.picture, cat.mask) == (CAT_DIGEST, MUG_DIGEST)
        assert document.composition.scene == Scene(picture=MUG_DIGEST, kept=CAT_DIGEST)
        assert document.composition.control == (Control("depth", MUG_DIGEST),)
        assert dict(document.blobs) == {CAT_DIGEST: CAT, MUG_DIGEST: MUG}


def test_loras_beside_a_composition_get_their_full_paths(tmp_path: Path) -> None:
    (tmp_path / "toon.safetensors").touch()
    named = ["toon.safetensors", "someone/some-lora", "nul\0byte", "x" * 500]
    data = {"sampling": {"loras": [{"path": path} for path in named]}}
    with load_document(write_json(tmp_path, data)) as document:
        paths = [lora.path for lora in document.composition.sampling.loras]
    assert paths == [str(tmp_path / "toon.safetensors"), *named[1:]]
    for wrong in ({"loras": 3}, {"loras": [3]}, {"loras": [{"path": 3}]}, 3):
        with pytest.raises(InvalidField):
            load_document(write_json(tmp_path, {"sampling": wrong}))


@pytest.mark.parametrize("name", ["dog.png", "", "folder", "nul\0byte"])
def test_a_picture_file_that_is_not_there_is_named_with_its_field(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    path = write_json(tmp_path, {"layers": [{"picture": name, "rect": RECT}]})
    with pytest.raises(InvalidField, match="There is no picture") as caught:
        load_document(path)
    assert caught.value.path == "$.layers[0].picture"


def test_a_named_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    path = write_json(tmp_path, {"scene": {"picture": "notes.txt"}})
    with pytest.raises(BadPicture, match=r"notes\.txt"):
        load_document(path)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"layers": 3}, "$.layers"),
        ({"layers": [3]}, "$.layers[0]"),
        ({"layers": [{"picture": 3, "rect": RECT}]}, "$.layers[0].picture"),
        ({"scene": []}, "$.scene"),
        ({"sampling": {"steps": 0}}, "$.sampling.steps"),
        ([], "$"),
    ],
)
def test_a_wrong_composition_names_its_file_and_field(
    tmp_path: Path, data: Any, field: str
) -> None:
    with pytest.raises(InvalidField, match=r"^scene\.json: ") as caught:
        load_document(write_json(tmp_path, data))
    assert caught.value.path == field


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scene.json"
    path.write_text("{'prompt': 'a cat'}")
    with pytest.raises(InvalidField, match="cannot be read as JSON"):
        load_document(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDocument, match=r"nowhere\.standee"):
        load_document(tmp_path / "nowhere.standee")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A picture with the receipt of a cat before a mug."""
    composition = {
        "layers": [{"picture": CAT_DIGEST, "rect": RECT}],
        "scene": {"picture": MUG_DIGEST},
    }
    path = tmp_path / "made.png"
    path.write_bytes(embed(PNG, {"composition": composition}))
    return path


def test_a_picture_is_read_by_its_receipt(made: Path) -> None:
    with load_document(made) as document:
        assert document.composition.layers[0].picture == CAT_DIGEST
        assert document.missing() == {CAT_DIGEST, MUG_DIGEST}


def test_the_pictures_of_a_receipt_are_found_in_a_folder(made: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures/deeper").mkdir(parents=True)
    (tmp_path / "pictures/anything.dat").write_bytes(CAT)
    (tmp_path / "pictures/deeper/x.png").write_bytes(MUG)
    (tmp_path / "pictures/notes.txt").write_text("not a picture")
    with load_document(made, tmp_path / "pictures") as document:
        assert dict(document.blobs) == {CAT_DIGEST: CAT, MUG_DIGEST: MUG}


def test_the_pictures_of_a_receipt_are_found_in_a_document(made: Path, tmp_path: Path) -> None:
    layers = tuple(Layer(picture=d, rect=Rect(**RECT)) for d in (CAT_DIGEST, MUG_DIGEST))
    blobs = {CAT_DIGEST: CAT, MUG_DIGEST: MUG}
    with Document(Composition(layers=layers), blobs) as other:
        other.save(tmp_path / "other.standee")
    with load_document(made, tmp_path / "other.standee") as document:
        assert not document.missing()


@pytest.mark.parametrize(
    ("receipt", "field"), [({}, "$.composition"), ({"composition": {"prompt": 1}}, "$.prompt")]
)
def test_a_receipt_that_makes_no_picture_is_refused(
    tmp_path: Path, receipt: dict[str, Any], field: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(embed(PNG, receipt))
    with pytest.raises(InvalidField) as caught:
        load_document(path)
    assert caught.value.path == field


def test_another_canvas_takes_the_arrangement_along() -> None:
    small = Composition(
        canvas=Canvas(256, 256),
        layers=(Layer(picture=CAT_DIGEST, rect=Rect(32, 64, 100, 50)),),
        scene=Scene(picture=MUG_DIGEST, rect=Rect(0, 0, 256, 128), blend=0.06, feather=0.02),
    )
    large = resized(small, 1024, 512)
    assert large.canvas == Canvas(1024, 512)
    assert large.layers[0].rect == Rect(128, 128, 400, 100)
    assert large.scene
    assert large.scene.rect == Rect(0, 0, 1024, 256)
    assert (large.scene.blend, large.scene.feather) == (0.06, 0.02)  # shares
    assert resized(large, 256, 256).layers[0].rect == small.layers[0].rect


def test_the_example_of_a_composition_is_one() -> None:
    with load_document(
        Path(__file__).resolve().parents[3] / "examples/composition.json"
    ) as document:
        assert len(document.composition.layers) == 2
        assert not document.missing()


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "no.png"])
def test_a_picture_that_no_system_could_name_is_not_there(tmp_path: Path, name: str) -> None:
    rect = {"x": 0, "y": 0, "w": 9, "h": 9}
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"layers": [{"picture": name, "rect": rect}]}))
    with pytest.raises(InvalidField, match="There is no picture") as caught:
        load_document(path)
    assert caught.value.path == "$.layers[0].picture"


@pytest.mark.parametrize("slashes", ["//", "\\\\", "\\/", "/\\"])
def test_a_picture_of_another_computer_is_not_looked_for(tmp_path: Path, slashes: str) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    name = (
        slashes + str(tmp_path / "cat.png")[1:]
    )  # which is there, where one slash is as good as two
    path = tmp_path / "scene.json"
    path.write_text(json.dumps({"scene": {"picture": name}}))
    with pytest.raises(InvalidField, match="another computer") as caught:
        load_document(path)
    assert caught.value.path == "$.scene.picture"


@pytest.mark.parametrize(
    "composition", [{"\ud800": 1}, {"canvas": {"\ud800": 1}}, {"prompt": "\ud800"}]
)
def test_half_a_character_in_a_receipt_is_told_as_such(tmp_path: Path, composition: dict) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(embed(PNG, {"composition": composition}))
    with pytest.raises(InvalidField, match="half a character"):
        load_document(path)
