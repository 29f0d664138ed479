"""Token counts of own, hidden and clipped cells; test_arrangement.py compares the engine's."""

import numpy as np
from msgspec.structs import replace

from standee import Canvas, Composition, Layer, Rect, Scene
from standee_desktop.model.token_counts import CutOut, TokenCounter, Tokens

FULL = CutOut(np.ones((8, 8), np.float32), np.full((8, 8), 255, np.uint8), (8, 8))


def layer(name: str, *rect: float, **fields: object) -> Layer:
    return Layer(picture=name * 64, rect=Rect(*rect), id=name, **fields)


def test_own_hidden_and_clipped_cells_are_told_apart() -> None:
    below, above = layer("a", -16, 0, 64, 32, fit="stretch"), layer("b", 32, 0, 32, 32)
    composition = Composition(canvas=Canvas(64, 64), layers=(below, above))
    tokens = TokenCounter().count(composition, 16, lambda *_: FULL)
    assert tokens.counts("a") == (4, 2, 2)
    assert tokens.counts("b") == (4, 0, 0)
    assert tokens.counts("nobody") == (0, 0, 0)


def test_a_hidden_layer_owns_nothing_and_covers_nothing() -> None:
    below, above = layer("a", 0, 0, 32, 32), layer("b", 0, 0, 32, 32, visible=False)
    composition = Composition(canvas=Canvas(64, 64), layers=(below, above))
    assert TokenCounter().count(composition, 16, lambda *_: FULL).counts("a") == (4, 0, 0)


def test_a_rectangle_of_words_owns_what_its_mask_leaves_it_and_hides_what_is_behind() -> None:
    left = np.zeros((8, 8), np.float32)
    left[:, :4] = 1
    half = CutOut(left, np.uint8(left * 255), (8, 8))
    words = Layer(rect=Rect(0, 0, 64, 32), prompt="a tower", id="w")
    behind = layer("a", 0, 0, 64, 64)

    def count(one: Layer) -> Tokens:
        composition = Composition(canvas=Canvas(64, 64), layers=(behind, one))
        return TokenCounter().count(
            composition, 16, lambda picture, _: half if picture == "m" * 64 else FULL
        )

    assert count(words).counts("w") == (8, 0, 0)
    assert count(words).counts("a") == (8, 8, 0)
    assert count(replace(words, mask="m" * 64)).counts("w") == (4, 0, 0)
    assert count(replace(words, mask="m" * 64, flip=True)).counts("a") == (12, 4, 0)


def test_a_scene_owns_the_cells_that_it_keeps() -> None:
    stays = np.zeros((8, 8), np.uint8)
    stays[:, :4] = 255
    kept = CutOut((stays / 255).astype(np.float32), stays, (8, 8))
    composition = Composition(canvas=Canvas(64, 64), scene=Scene(picture="a" * 64))
    assert TokenCounter().count(composition, 16, lambda *_: kept).counts("") == (8, 0, 0)


def test_a_layer_whose_picture_is_not_read_yet_is_left_out() -> None:
    composition = Composition(layers=(layer("a", 0, 0, 32, 32),))
    assert TokenCounter().count(composition, 16, lambda *_: None).layers == ()
