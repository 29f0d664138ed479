"""Subject operators: files, images, the clipboard's path and renders of objects."""

import hashlib
from pathlib import Path

import bpy
import numpy as np
import pytest


def test_a_file_becomes_a_layer_with_its_own_bytes(addon, standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    layer = standee.active()
    assert layer.name == "disc"
    data = Path(subject).read_bytes()
    assert bytes(layer.picture.packed_file.data) == data
    digest, encoded = addon("scene.image_datablocks").encode_image(layer.picture)
    assert (digest, encoded) == (hashlib.sha256(data).hexdigest(), data)
    assert (layer.rect.w, layer.rect.h) == (128, 128)


def test_several_files_are_added_at_once(standee, subject, tmp_path, png):
    (tmp_path / "second.png").write_bytes(png(10, 20))
    names = [{"name": "disc.png"}, {"name": "second.png"}]
    bpy.ops.standee.add_files(directory=str(tmp_path), files=names)
    assert [layer.name for layer in standee.layers] == ["disc", "second"]


def test_the_same_file_twice_is_one_image(standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.add_files(filepath=subject)
    assert standee.layers[0].picture == standee.layers[1].picture


def test_an_image_of_the_file_becomes_a_subject(standee):
    image = bpy.data.images.new("painted", 16, 8, alpha=True)
    image.pixels = [0.25] * (16 * 8 * 4)
    bpy.ops.standee.add_image(name="painted")
    assert standee.active().picture == image
    with pytest.raises(RuntimeError, match="no image named"):
        bpy.ops.standee.add_image(name="nothing")


def test_a_painted_image_is_sent_as_painted(addon, standee, subject):
    bpy.ops.standee.add_files(filepath=subject)
    image = standee.active().picture
    before, _ = addon("scene.image_datablocks").encode_image(image)
    image.pixels[0] = 0.5
    image.update()
    after, data = addon("scene.image_datablocks").encode_image(image)
    assert after != before
    assert data[:4] == b"\x89PNG"


def test_the_clipboards_path_is_pasted(standee, subject):
    bpy.context.window_manager.clipboard = subject
    if bpy.context.window_manager.clipboard != subject:
        with pytest.raises(RuntimeError, match="no picture in the clipboard"):
            bpy.ops.standee.add_clipboard()
    else:
        bpy.ops.standee.add_clipboard()
        assert standee.active().name == "disc"


def test_a_rectangle_of_words_is_a_layer_without_a_picture_there_and_back(addon, standee):
    with pytest.raises(RuntimeError, match="Say in words"):
        bpy.ops.standee.add_words(words=" ")
    bpy.ops.standee.add_words(words="a red boat")
    composition, blobs = addon("scene.composition_io").composition_of(standee)
    [layer] = composition.layers
    assert (layer.picture, layer.prompt, layer.name) == (None, "a red boat", "a red boat")
    assert not blobs
    assert addon("jobs.submit").obstacle(bpy.context) is None
    addon("scene.composition_io").load_into_scene(standee, composition, blobs.__getitem__)
    assert standee.active().picture is None
    assert standee.active().prompt == "a red boat"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"not a picture", "cannot read the picture"), (b"", "cannot read the picture")],
)
def test_a_broken_file_is_refused_and_leaves_nothing(standee, tmp_path, content, said):
    (tmp_path / "broken.png").write_bytes(content)
    images = len(bpy.data.images)
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.standee.add_files(filepath=str(tmp_path / "broken.png"))
    assert not standee.layers
    assert len(bpy.data.images) == images


def test_a_missing_file_says_so(standee):
    with pytest.raises(RuntimeError, match="cannot be read"):
        bpy.ops.standee.add_files(filepath="/nowhere/cat.png")


def test_an_object_is_rendered_alone_where_it_stands(addon, standee):
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 0))
    body = bpy.context.object
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("scenes", "objects", "cameras")}
    bpy.ops.standee.add_object(detail=2)
    assert standee.active().light == 0.0, "it is rendered in the scene's own"
    assert {kind: len(getattr(bpy.data, kind)) for kind in before} == before
    layer = standee.active()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    layer.bound_object = body
    rect = layer.rect
    addon("scene.object_binding").sync(scene, depsgraph)
    bounds = standee.active().rect
    assert abs(rect.x - bounds.x) < 4
    assert abs(rect.w - bounds.w) < 8
    assert tuple(layer.picture.size) == (2 * rect.w, 2 * rect.h)
    alpha = addon("scene.image_datablocks").arrays_of(layer.picture).alpha
    height, width = alpha.shape
    assert alpha[height // 2, width // 2] > 0.99
    assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) == 0
    ys, xs = np.nonzero(alpha > 0.5)
    assert xs.max() - xs.min() == pytest.approx(2 * bounds.w, abs=3)
    assert ys.max() - ys.min() == pytest.approx(2 * bounds.h, abs=3)


def test_an_object_that_reaches_out_of_the_frame_is_rendered_whole(addon, standee):
    bpy.ops.mesh.primitive_uv_sphere_add(location=(0, 0, 0), radius=6.0)
    bpy.ops.standee.add_object(detail=1)
    rect = standee.active().rect
    assert rect.x < 0
    assert rect.x + rect.w > 256
    alpha = addon("scene.image_datablocks").arrays_of(standee.active().picture).alpha
    assert alpha.any(axis=0)[3:-3].all()


def test_without_a_camera_it_says_why(standee):
    bpy.context.scene.camera = None
    with pytest.raises(RuntimeError, match="no camera"):
        bpy.ops.standee.add_object()


def test_a_huge_picture_is_refused_with_what_to_do(standee, tmp_path, png):
    (tmp_path / "huge.png").write_bytes(png(16385, 2))
    with pytest.raises(RuntimeError, match=r"too large.*Scale it"):
        bpy.ops.standee.add_files(filepath=str(tmp_path / "huge.png"))


def test_dropped_pictures_are_added_without_a_file_browser(addon, standee, subject):
    home, name = subject.rsplit("/", 1)
    bpy.ops.standee.add_files(
        "INVOKE_DEFAULT", directory=f"{home}/", files=[{"name": name}], filepath=subject
    )
    assert [layer.name for layer in standee.layers] == ["disc"]


def test_a_dropped_picture_stands_in_the_middle_of_where_it_was_dropped(standee, subject):
    bpy.ops.standee.add_files(filepath=subject, at=(64.0, 96.0))
    rect = standee.layers[0].rect
    assert (rect.x + rect.w / 2, rect.y + rect.h / 2) == pytest.approx((64, 96))


def test_files_dropped_on_a_view_are_for_the_operators_that_open_them():
    kinds = {kind: getattr(bpy.types, kind) for kind in dir(bpy.types) if "STANDEE_FH" in kind}
    opened = {name: kind.bl_import_operator for name, kind in kinds.items()}
    assert opened == {
        "STANDEE_FH_subjects": "standee.add_files",
        "STANDEE_FH_document": "standee.open",
    }
