"""Edits from a composition to the next one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standee import Canvas, Composition, Control, Layer, Rect, Scene
from standee.composition import MAX_LAYERS, validate
from standee_desktop.model import edits
from standee_desktop.model.alignment import aligned, at_own_aspect, distributed
from standee_desktop.model.layer_clipboard import pack, unpack

DIGEST = "0" * 64


def composed(*rects: tuple[float, float, float, float], **fields: object) -> Composition:
    layers = tuple(
        Layer(picture=DIGEST, rect=Rect(*rect), id="abcdefgh"[n]) for n, rect in enumerate(rects)
    )
    return Composition(layers=layers, **fields)


def order(composition: Composition) -> str:
    return "".join(layer.id for layer in composition.layers)


FOUR = composed(*[(n * 10, 0, 10, 10) for n in range(4)])


def test_locked_layers_neither_move_nor_flip_nor_go() -> None:
    locked = edits.with_fields(FOUR, {"a"}, locked=True)
    assert edits.moved(locked, {"a"}, 5, 5) == locked
    assert edits.flipped(locked, {"a"}) == locked
    assert edits.removed(locked, {"a"}) == locked


@pytest.mark.parametrize(
    ("ids", "steps", "expected"),
    [("a", 1, "bacd"), ("ab", 1, "cabd"), ("d", 1, "abcd"), ("cd", 5, "abcd"), ("bd", -1, "badc")],
)
def test_raised_layers_keep_their_order_among_themselves(
    ids: str, steps: int, expected: str
) -> None:
    assert order(edits.raised(FOUR, set(ids), steps)) == expected


@pytest.mark.parametrize(
    ("ids", "at", "expected"),
    [("a", 4, "bcda"), ("ad", 2, "badc"), ("d", 0, "dabc"), ("b", 2, "abcd")],
)
def test_dragged_rows_land_between_the_others(ids: str, at: int, expected: str) -> None:
    assert order(edits.reordered(FOUR, set(ids), at)) == expected


def test_a_rectangle_of_words_is_never_without_words() -> None:
    words = Composition(layers=(Layer(Rect(0, 0, 9, 9), prompt="a tower", id="a"),))
    assert edits.with_fields(words, {"a"}, prompt=" ") == words
    assert edits.with_fields(words, {"a"}, prompt="a hut").layers[0].prompt == "a hut"
    assert edits.as_scene(words, "a") == words


def test_copies_have_ids_of_their_own() -> None:
    copies = edits.copies(FOUR.layers, 8, 8)
    doubled = edits.added(FOUR, copies)
    assert len({layer.id for layer in doubled.layers}) == 8
    assert copies[0].rect == Rect(8, 8, 10, 10)


def test_there_are_never_more_layers_than_the_format_allows() -> None:
    many = edits.copies(FOUR.layers * 40)
    assert len(edits.added(FOUR, many).layers) == MAX_LAYERS


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_no_drag_makes_a_rectangle_that_cannot_be_saved(
    x: float, y: float, w: float, h: float
) -> None:
    validate(edits.with_rects(FOUR, {"a": Rect(x, y, w, h)}))


@given(st.floats(-100, 1e6), st.floats(-100, 1e6), st.sampled_from([8, 16, 32]))
def test_every_canvas_size_is_made_one_that_the_format_allows(
    w: float, h: float, patch: int
) -> None:
    canvas = edits.canvas_sides(w, h, patch)
    validate(Composition(canvas=canvas))
    assert canvas.width % patch == 0
    assert canvas.height % patch == 0


def test_a_larger_canvas_keeps_the_scene_and_the_layers_where_they_are() -> None:
    scene = Scene(picture=DIGEST)
    small = composed((10, 20, 30, 40), canvas=Canvas(128, 128), scene=scene)
    large = edits.with_canvas(small, 192, 160, 16, left=64, top=32)
    assert large.canvas == Canvas(192, 160)
    assert large.scene is not None
    assert large.scene.rect == Rect(64, 32, 128, 128)
    assert large.layers[0].rect == Rect(74, 52, 30, 40)


def test_several_layers_align_to_each_other_and_one_to_the_canvas() -> None:
    two = composed((0, 0, 10, 10), (50, 30, 20, 20), canvas=Canvas(256, 256))
    right = aligned(two, {"a", "b"}, "right")
    assert [layer.rect.x for layer in right.layers] == [60, 50]
    middle = aligned(two, {"a"}, "middle")
    assert middle.layers[0].rect == Rect(0, 123, 10, 10)


def test_distributing_makes_the_gaps_equal() -> None:
    three = composed((0, 0, 10, 10), (12, 0, 20, 10), (70, 0, 30, 10))
    xs = [layer.rect.x for layer in distributed(three, {"a", "b", "c"}, "across").layers]
    assert xs == [0, 30, 70]


def test_a_layer_takes_the_aspect_of_its_picture() -> None:
    layer = Layer(picture=DIGEST, rect=Rect(0, 0, 100, 100))
    assert at_own_aspect(layer, 200, 100) == Rect(0, 25, 100, 50)


def test_layers_survive_the_clipboard_and_foreign_data_does_not_matter() -> None:
    assert unpack(pack(FOUR.layers)) == FOUR.layers
    assert unpack(b"\xff not ours") == ()
    assert unpack(b'[{"picture": 3}]') == ()


def test_a_layer_takes_its_control_pictures_along_when_it_goes() -> None:
    layers = tuple(Layer(Rect(0, 0, 9, 9), "a" * 64, id=name) for name in ("a", "b"))
    bound = tuple(Control("depth", "b" * 64, layer=layer) for layer in ("a", "b", None))
    composition = Composition(layers=layers, control=bound)
    assert edits.removed(composition, {"a"}).control == bound[1:]
    validate(edits.removed(composition, {"a"}))
    validate(edits.as_scene(composition, "b"))
