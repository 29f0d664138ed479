"""Overlay drawn offscreen: the right pixels have the right colours."""

import bpy
import numpy as np
import pytest

SIZE = 128


@pytest.fixture
def painted(addon, standee, subject):
    """Draws the overlay of the scene into SIZE x SIZE px; returns them, the first row on top."""
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 32
    bpy.ops.render.render()  # starts the GPU where there is no window
    scene.render.resolution_x = scene.render.resolution_y = 256
    try:
        import gpu
        from mathutils import Matrix

        offscreen = gpu.types.GPUOffScreen(SIZE, SIZE)
    except (SystemError, RuntimeError) as error:
        pytest.skip(f"no GPU to draw with: {error}")
    draw, view = addon("viewport.gpu_draw"), addon("viewport.view_state")
    frame = addon("core.projection").Frame(0, 0, SIZE, SIZE, standee.canvas())

    def paint(background=(0.0, 0.0, 0.0, 1.0)):
        for layer in standee.layers:
            addon("viewport.layer_cache").layer_cache().now(layer)
        with offscreen.bind():
            framebuffer = gpu.state.active_framebuffer_get()
            framebuffer.clear(color=background)
            with gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
                gpu.matrix.load_matrix(Matrix.Identity(4))
                gpu.matrix.load_projection_matrix(
                    Matrix(
                        (
                            (2 / SIZE, 0, 0, -1),
                            (0, 2 / SIZE, 0, -1),
                            (0, 0, -1, 0),
                            (0, 0, 0, 1),
                        )
                    )
                )
                draw.paint(scene, view.draw_data_in(standee, frame))
            raw = framebuffer.read_color(0, 0, SIZE, SIZE, 4, 0, "FLOAT")
        raw.dimensions = SIZE * SIZE * 4
        return np.array(raw, np.float32).reshape(SIZE, SIZE, 4)[::-1]

    yield paint
    draw.forget()
    offscreen.free()


def quiet(addon, **changes):
    """Preferences without what is not asked about."""
    chosen = addon("preferences").preferences()
    chosen.opacity = changes.get("opacity", 1.0)
    chosen.outline = chosen.bound = chosen.selected = (0, 0, 0, 0)
    for name, value in changes.items():
        setattr(chosen, name, value)


def test_a_subject_is_drawn_where_it_stands(addon, standee, subject, painted):
    quiet(addon)
    bpy.ops.standee.add_files(filepath=subject)
    standee.layers[0].rect = addon("core.projection").Rect(128, 0, 128, 128)
    pixels = painted()
    assert pixels[32, 96, :3] == pytest.approx((1, 0, 0), abs=0.02)
    assert pixels[32, 32, :3] == pytest.approx((0, 0, 0), abs=0.02)
    assert pixels[96, 96, :3] == pytest.approx((0, 0, 0), abs=0.02)
    assert pixels[3, 67, :3] == pytest.approx((0, 0, 0), abs=0.02)  # the disc's corner is clear


def test_the_front_layer_covers_and_hidden_ones_are_not_drawn(
    addon, standee, subject, painted, tmp_path, png
):
    quiet(addon)
    (tmp_path / "blue.png").write_bytes(png(8, 8, (0, 0, 1, 1)))
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.add_files(filepath=str(tmp_path / "blue.png"))
    rect = addon("core.projection").Rect(64, 64, 128, 128)
    for layer in standee.layers:
        layer.rect = rect
    assert painted()[64, 64, :3] == pytest.approx((0, 0, 1), abs=0.02)
    standee.layers[1].visible = False
    assert painted()[64, 64, :3] == pytest.approx((1, 0, 0), abs=0.02)
    standee.active_layer = 0
    bpy.ops.standee.layer_move(direction="FRONT")
    standee.layers[0].visible = True
    assert painted()[64, 64, :3] == pytest.approx((1, 0, 0), abs=0.02)


def test_a_texture_holds_linear_light_as_3d_views_expect(addon, standee, painted, tmp_path, png):
    quiet(addon)
    (tmp_path / "mid.png").write_bytes(png(8, 8, (0.25, 0.5, 0.75, 1)))
    bpy.ops.standee.add_files(filepath=str(tmp_path / "mid.png"))
    assert painted()[64, 64, :3] == pytest.approx((0.0509, 0.2140, 0.5225), abs=0.01)


def test_opacity_and_alpha_blend(addon, standee, painted, tmp_path, png):
    quiet(addon, opacity=0.5)
    (tmp_path / "half.png").write_bytes(png(8, 8, (1, 1, 1, 0.5)))
    bpy.ops.standee.add_files(filepath=str(tmp_path / "half.png"))
    assert painted()[64, 64, 0] == pytest.approx(0.25, abs=0.03)


def test_flipped_pictures_are_mirrored(addon, standee, painted, tmp_path):
    quiet(addon)
    pixels = np.zeros((8, 8, 4), np.float32)
    pixels[..., 3] = 1
    pixels[:, :4, 1] = 1  # green on the left
    (tmp_path / "half.png").write_bytes(addon("core.png").encode(pixels))
    bpy.ops.standee.add_files(filepath=str(tmp_path / "half.png"))
    assert painted()[64, 50, 1] == pytest.approx(1, abs=0.02)
    standee.layers[0].flip = True
    assert painted()[64, 50, 1] == pytest.approx(0, abs=0.02)
    assert painted()[64, 78, 1] == pytest.approx(1, abs=0.02)


def test_the_outline_is_where_the_rectangle_ends(addon, standee, subject, painted):
    quiet(addon, opacity=0.0, selected=(0, 1, 0, 1), line=2.0)
    bpy.ops.standee.add_files(filepath=subject)
    standee.layers[0].rect = addon("core.projection").Rect(64, 64, 128, 128)
    standee.layers[0].name = ""
    pixels = painted()
    for y, x in ((64, 32), (64, 96), (32, 50), (96, 50)):
        assert pixels[y - 1 : y + 1, x - 1 : x + 1, 1].max() > 0.9
    assert pixels[64, 64, 1] == 0
    assert pixels[20, 64, 1] == 0


def test_the_cells_of_the_token_view_are_those_of_the_geometry(addon, standee, subject, painted):
    quiet(addon, opacity=0.0)
    bpy.ops.standee.add_files(filepath=subject)
    standee.layers[0].rect = addon("core.projection").Rect(64, 64, 128, 128)
    standee.show_tokens = True
    pixels = painted()
    owner = addon("viewport.layer_cache").layer_cache().cells(standee, [0], 16).owner()
    lit = pixels[4::8, 4::8, 2] > 0.2  # its colour is a blue
    assert (lit == (owner == 0)).mean() > 0.98  # handles cover a cell here and there
    assert 30 < (owner == 0).sum() < 64


def owners(addon, standee, masked=None):
    """Who owns each cell, with a mask of a rectangle of words taken in."""
    cache = addon("viewport.layer_cache").layer_cache()
    if masked is not None:
        cache.now(masked)
    return cache.cells(standee, list(range(len(standee.layers))), 16).owner()


def test_a_rectangle_of_words_takes_its_cells_in_the_token_view(
    addon, standee, subject, painted, png, tmp_path
):
    quiet(addon, opacity=0.0)
    bpy.ops.standee.add_files(filepath=subject)
    bpy.ops.standee.add_words(words="a red boat")
    words, rect = standee.layers[1], addon("core.projection").Rect
    standee.layers[0].rect, words.rect = rect(128, 128, 128, 128), rect(0, 0, 192, 128)
    standee.show_tokens = True
    assert painted()[16, 60, :3].max() > 0.2
    assert (owners(addon, standee)[:8, :12] == 1).all()
    words.rotation = 90.0
    assert (owners(addon, standee)[0, :2] == -1).all(), "turned, it stands upright"
    words.rotation, words.opacity = 0.0, 0.0
    assert not (owners(addon, standee) == 1).any()
    words.opacity = 1.0
    half = np.zeros((4, 4, 4), np.float32)
    half[:, :2] = 1
    (tmp_path / "half.png").write_bytes(addon("core.png").encode(half))
    words.mask = addon("scene.image_datablocks").load(str(tmp_path / "half.png"))
    assert (owners(addon, standee, words)[:8, :6] == 1).all()
    assert not (owners(addon, standee)[:8, 6:] == 1).any()


def test_the_token_view_also_shows_what_the_scene_keeps(addon, standee, painted, png, tmp_path):
    quiet(addon, opacity=0.0)
    (tmp_path / "scene.png").write_bytes(png(64, 64, (1, 1, 1, 1)))
    bpy.ops.standee.scene_picture(filepath=str(tmp_path / "scene.png"))
    standee.use_scene_rect = True
    standee.scene_x, standee.scene_y, standee.scene_width, standee.scene_height = 0, 0, 128, 256
    standee.scene_fit = "stretch"
    standee.show_tokens = True
    pixels = painted()
    assert pixels[68, 20, :3].min() > 0.2
    assert pixels[68, 100, :3].max() < 0.1


def test_a_name_is_drawn_on_a_ground_of_its_own(addon, standee, subject, painted):
    bpy.ops.standee.add_files(filepath=subject)
    chosen = addon("preferences").preferences()
    chosen.opacity, chosen.selected = 0.0, (0, 1, 0, 1)
    standee.layers[0].rect = addon("core.projection").Rect(64, 128, 128, 64)
    above = painted(background=(0, 1, 0, 1))[44:63, 32:64, 1]
    assert above.min() < 0.3  # dark words on a green ground, on green
    assert above.max() > 0.8


def test_what_the_scene_hides_is_not_drawn(addon, standee, subject, painted, png, tmp_path):
    quiet(addon)
    (tmp_path / "red.png").write_bytes(png(64, 64, (1, 0, 0, 1)))
    bpy.ops.standee.add_files(filepath=str(tmp_path / "red.png"))
    layer = standee.layers[0]
    layer.bound_object = bpy.data.objects["Cube"]
    layer.rect = addon("core.projection").Rect(64, 64, 128, 128)
    samples = addon("core.depth").Samples(standee.canvas(), 4)
    blocked = np.zeros(samples.shape, bool)
    blocked[:, :32] = True
    addon("viewport.layer_cache").layer_cache()._hidden[layer.layer_id] = (samples, blocked)
    pixels = painted()
    assert pixels[64, 48, 0] == pytest.approx(0, abs=0.02)
    assert pixels[64, 80, 0] == pytest.approx(1, abs=0.02)


COLOURS = [(200, 100, 50), (0, 128, 255)]


def shown(pixel):
    """What a view shows of linear light, in 255ths."""
    light = np.clip(pixel[:3], 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255


@pytest.fixture
def result(addon, standee, png):
    """Makes a flat result in a colour, and shows it."""

    def make(colour):
        data = png(64, 64, (*(np.array(colour) / 255), 1.0))
        addon("results.store").add(bpy.context.scene, data, {}, "made", "")
        standee.show_result = True

    return make


@pytest.mark.parametrize("view", ["Standard", "AgX", "Filmic"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_result_is_drawn_in_its_own_colours_in_front(
    addon, standee, subject, painted, result, colour, view
):
    quiet(addon)
    bpy.context.scene.view_settings.view_transform = view
    bpy.ops.standee.add_files(filepath=subject)
    result(colour)
    for y, x in ((64, 64), (2, 2), (125, 125)):
        assert shown(painted()[y, x]) == pytest.approx(colour, abs=1)


@pytest.mark.parametrize("view", ["Standard", "AgX", "Filmic"])
@pytest.mark.parametrize("colour", COLOURS)
def test_a_subject_is_drawn_in_its_own_colours(
    addon, standee, painted, png, tmp_path, colour, view
):
    quiet(addon)
    bpy.context.scene.view_settings.view_transform = view
    (tmp_path / "flat.png").write_bytes(png(8, 8, (*(np.array(colour) / 255), 1.0)))
    bpy.ops.standee.add_files(filepath=str(tmp_path / "flat.png"))
    assert shown(painted()[64, 64]) == pytest.approx(colour, abs=1)


def test_a_result_is_wiped_in_and_faded(addon, standee, painted, result):
    quiet(addon)
    result((255, 0, 0))
    standee.result_wipe = 0.5
    pixels = painted()
    assert pixels[64, 30, 0] == pytest.approx(1, abs=0.02)
    assert pixels[64, 100, 0] == pytest.approx(0, abs=0.02)
    assert pixels[64, 64, 1] > 0.3, "a line where it ends"
    standee.result_wipe, standee.result_opacity = 1.0, 0.25
    assert painted()[64, 100, 0] == pytest.approx(0.25, abs=0.02)
    standee.result_wipe = 0.0
    assert painted()[64, 64, 0] == pytest.approx(0, abs=0.02)


def test_half_a_result_shows_the_left_half_of_its_picture(addon, standee, painted):
    quiet(addon)
    values = np.zeros((64, 64, 4), np.float32)
    values[..., 3] = 1
    values[:, 32:, 1] = 1
    data = addon("core.png").encode(values)
    addon("results.store").add(bpy.context.scene, data, {}, "made", "")
    standee.show_result, standee.result_wipe = True, 0.75
    pixels = painted()
    assert pixels[64, 60, 1] == pytest.approx(0, abs=0.02)
    assert pixels[64, 70, 1] == pytest.approx(1, abs=0.02)


def test_a_result_is_drawn_without_the_rectangles_too(addon, standee, subject, painted, result):
    bpy.ops.standee.add_files(filepath=subject)
    result((0, 128, 255))
    standee.show_overlay = False
    assert shown(painted()[64, 64]) == pytest.approx((0, 128, 255), abs=1)
    standee.show_result = False
    assert painted()[40:90, 40:90, :3].max() < 0.02


def test_a_range_is_drawn_before_the_result(addon, standee, painted, result, png, tmp_path):
    quiet(addon)
    result((255, 0, 0))
    (tmp_path / "take_001").mkdir()
    (tmp_path / "take_001" / "0001.png").write_bytes(png(64, 64, (0, 1, 0, 1)))
    standee.range_folder = str(tmp_path)
    bpy.context.scene.frame_set(1)
    bpy.ops.standee.show_range()
    assert shown(painted()[64, 64]) == pytest.approx((0, 255, 0), abs=1)
    bpy.context.scene.frame_set(2)
    assert shown(painted()[64, 64])[0] < 5, "there is no picture of that frame"
    bpy.ops.standee.show_range()
    assert shown(painted()[64, 64]) == pytest.approx((255, 0, 0), abs=1)
