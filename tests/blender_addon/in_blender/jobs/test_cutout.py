"""Cut-outs: what is asked of the daemon, and the mask that becomes the layer's."""

import bpy
import numpy as np
import pytest

from standee.errors import JobFailed


@pytest.fixture
def cut(addon, standee, subject, daemon):
    """A subject of 64 px that stands at (40, 30), twice as large; the daemon answers with half a mask."""
    bpy.ops.standee.add_files(filepath=subject)
    layer = standee.active()
    layer.x, layer.y, layer.width, layer.height = 40, 30, 128, 128
    mask = np.zeros((64, 64), np.float32)
    mask[:, :32] = 1
    daemon.picture = addon("core.png").encode(mask)
    return layer


def mask_of(addon, layer):
    return addon("scene.image_datablocks").mask_of(layer.mask)


def test_by_words_the_mask_becomes_the_layers(addon, cut, daemon, standee):
    cut.prompt = " a red disc "
    bpy.ops.standee.cut_out(wait=True)
    [spec] = daemon.specs.values()
    assert (spec["words"], spec["picture"]) == ("a red disc", cut.picture["standee_digest"])
    found = mask_of(addon, cut)
    assert found[:, :32].min() == 1
    assert found[:, 32:].max() == 0
    assert not standee.results, "it is no picture"
    assert daemon.released == list(daemon.specs)


def test_a_click_is_a_point_of_the_picture(cut, daemon):
    cut.flip = True
    bpy.ops.standee.cut_out_here(start=(50, 60), end=(50.5, 60), wait=True)
    [spec] = daemon.specs.values()
    [point] = spec["points"]
    assert (point["x"], point["y"]) == pytest.approx((64 - 10.5 / 2, 15))
    assert spec.get("box") is None


def test_a_drag_is_a_box_of_the_picture_that_ends_at_its_edges(cut, daemon):
    bpy.ops.standee.cut_out_here(start=(100, 130), end=(0, 50), wait=True)
    [spec] = daemon.specs.values()
    box = spec["box"]
    assert (box["x"], box["y"], box["w"], box["h"]) == pytest.approx((0, 10, 30, 40))
    assert not spec.get("points")


def test_the_whole_picture_is_cut_without_words(cut, daemon):
    bpy.ops.standee.cut_out(by="PICTURE", wait=True)
    [spec] = daemon.specs.values()
    assert not spec.get("words")
    assert cut.mask is not None


@pytest.mark.parametrize(
    ("start", "end"), [((10, 10), (10, 10)), ((180, 10), (250, 28)), ((0, 0), (30, 200))]
)
def test_beside_the_picture_nothing_is_asked(cut, daemon, start, end):
    with pytest.raises(RuntimeError, match="beside the picture"):
        bpy.ops.standee.cut_out_here(start=start, end=end)
    assert not daemon.specs


def test_without_words_that_is_said(cut, daemon):
    with pytest.raises(RuntimeError, match="Write what it is into Words"):
        bpy.ops.standee.cut_out()
    assert not daemon.specs


def test_a_cut_out_that_nothing_moves_on_is_said(cut, daemon, capfd):
    bpy.ops.standee.cut_out(by="PICTURE")
    assert "until you call it with wait=True" in capfd.readouterr().out


def test_what_the_daemon_cannot_is_said_and_the_mask_stays(addon, cut, daemon):
    daemon.fail_with = JobFailed("There is no disc in it.", fix="Use other words.")
    cut.prompt = "a disc"
    with pytest.raises(RuntimeError, match=r"no disc in it\. Use other words"):
        bpy.ops.standee.cut_out(wait=True)
    assert cut.mask is None
    assert addon("jobs.daemon_link").link().notice.message == "There is no disc in it."


def test_a_layer_that_went_away_gets_no_mask(cut, daemon, addon, standee, until):
    daemon.hold.set()
    bpy.ops.standee.cut_out(by="PICTURE")
    link = addon("jobs.daemon_link").link()
    until(lambda: daemon.specs)
    bpy.ops.standee.layer_remove()
    daemon.hold.clear()
    until(lambda: link.idle)
    assert not standee.layers
    assert link.notice is None


def test_a_cut_out_is_painted_from_what_it_is(addon, cut, tmp_path):
    alpha = addon("scene.image_datablocks").alpha_of(cut.picture)
    bpy.ops.standee.paint_cut_out()
    assert mask_of(addon, cut) == pytest.approx(alpha, abs=0.01)
    pixels = np.array(cut.mask.pixels[:]).reshape(64, 64, 4)
    pixels[:32, :, :3] = 0  # the lower half: rows go upwards
    cut.mask.pixels.foreach_set(pixels.astype(np.float32).ravel())
    found = mask_of(addon, cut)
    assert found[33:].max() == 0
    assert found[:31] == pytest.approx(alpha[:31], abs=0.01)
    name = cut.mask.name
    bpy.ops.standee.paint_cut_out()
    assert cut.mask.name != name, "the painted one stays as it is"
