"""Documents made elsewhere, opened in Blender and saved without loss."""

import bpy
import msgspec
import pytest

from standee.composition import (
    Canvas,
    Composition,
    Control,
    Layer,
    Lora,
    Method,
    Rect,
    Sampling,
    Scene,
    to_json,
)
from standee.document.document import Document


@pytest.fixture
def document(png, tmp_path):
    """A document as the editor writes it, with a value in every field."""
    path = tmp_path / "made elsewhere.standee"
    with Document() as made:
        cat, mask, scene, kept, old = (
            made.add_picture(png(8 + n, 9, (n / 9, 0.5, 0.1, 1))) for n in range(5)
        )
        layers = (
            Layer(
                picture=cat,
                mask=mask,
                rect=Rect(10.123456789012, -20.5, 100 / 3, 77.7),
                id="first",
                name="Katze 猫",
                fit="cover",
                flip=True,
                rotation=100 / 3,
                opacity=0.7,
                group="pair",
                prompt="a cat",
                fidelity=0.1,
                variation=1 / 3,
                sharing=1.7,
                light=0.3,
                visible=False,
                locked=True,
            ),
            Layer(picture=cat, rect=Rect(0, 0, 64, 64), id="second"),
        )
        made.composition = Composition(
            canvas=Canvas(250, 330),
            prompt="on the beach\nat dusk",
            layers=layers,
            scene=Scene(scene, Rect(1 / 7, 2, 200, 300.1), kept, "stretch", 0.3, 0.0611, 1 / 30),
            sampling=Sampling(
                "folder/model",
                7,
                2.2,
                "no crowd",
                2**53,
                4,
                (Lora("/loras/猫.safetensors", 1 / 3), Lora("a/b")),
            ),
            method=Method(tau=0.55, inject=False, anchor=True, gamma=0.9, detail=0.4),
            control=(
                Control("pose", kept, 1 / 3, 0.1, 2 / 3, "first"),
                Control("depth", made.add_picture(png(13, 9, (0.5, 0.5, 0.1, 1)))),
            ),
        )
        made.add_result(png(16, 16), {"composition": {"layers": [{"picture": old}]}}, "First try")
        made.add_result(png(17, 16), {"seed": 3}, "001")
        made.save(path)
    return path


def content(path):
    with Document.open(path) as opened:
        results = {name: (one.data, one.receipt) for name, one in opened.results.items()}
        return opened.composition, dict(opened.blobs.items()), results


def test_the_document_has_a_value_in_every_field(document):
    made = content(document)[0]
    for part in (made, made.layers[0], made.scene, made.sampling, made.control[0]):
        for field in msgspec.structs.fields(part):
            if field.default is not msgspec.NODEFAULT and field.name != "version":
                assert getattr(part, field.name) != field.default, field.name


def test_a_document_goes_through_blender_unchanged(standee, document, tmp_path):
    bpy.ops.standee.open(filepath=str(document))
    out = tmp_path / "out.standee"
    bpy.ops.standee.save(filepath=str(out))
    assert to_json(content(out)[0]) == to_json(content(document)[0])
    assert content(out) == content(document)


def test_also_through_a_blend_file(standee, document, tmp_path):
    bpy.ops.standee.open(filepath=str(document))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.standee.save(filepath=str(tmp_path / "out.standee"))
    assert content(tmp_path / "out.standee") == content(document)


def test_what_is_changed_in_blender_is_what_changes(standee, document, tmp_path):
    bpy.ops.standee.open(filepath=str(document))
    standee.layers[1].x = 12.5
    standee.prompt = "elsewhere"
    bpy.ops.standee.save(filepath=str(tmp_path / "out.standee"))
    before, after = content(document)[0], content(tmp_path / "out.standee")[0]
    moved = msgspec.structs.replace(before.layers[1], rect=Rect(12.5, 0, 64, 64))
    layers = (before.layers[0], moved)
    assert after == msgspec.structs.replace(before, prompt="elsewhere", layers=layers)


def test_the_camera_frame_becomes_the_canvas(standee, document):
    bpy.ops.standee.open(filepath=str(document))
    render = bpy.context.scene.render
    assert (render.resolution_x, render.resolution_y) == (250, 330)


def test_a_broken_document_changes_nothing(standee, subject, tmp_path):
    bpy.ops.standee.add_files(filepath=subject)
    broken = tmp_path / "broken.standee"
    broken.write_bytes(b"PK nonsense")
    with pytest.raises(RuntimeError, match="broken"):
        bpy.ops.standee.open(filepath=str(broken))
    assert [layer.name for layer in standee.layers] == ["disc"]


def test_saving_where_nothing_can_be_written_says_so(standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    with pytest.raises(RuntimeError, match="nowhere"):
        bpy.ops.standee.save(filepath="/nowhere/at/all.standee")


def test_a_layer_keeps_its_bond_when_its_own_document_opens_again(standee, subject, tmp_path):
    bpy.ops.standee.add_files(filepath=subject)
    standee.layers[0].bound_object = bpy.data.objects["Cube"]
    path = str(tmp_path / "own.standee")
    bpy.ops.standee.save(filepath=path)
    bpy.ops.standee.open(filepath=path)
    assert standee.layers[0].bound_object == bpy.data.objects["Cube"]


def test_a_dropped_document_opens_without_a_file_browser(standee, document):
    bpy.ops.standee.open("INVOKE_DEFAULT", filepath=str(document))
    assert [layer.layer_id for layer in standee.layers] == ["first", "second"]
