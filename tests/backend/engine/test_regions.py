"""Rectangles of words: whom their words are told, for how long, and what hides them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from standee import Canvas, Composition, Layer, Method, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import Conditioning
from standee_backend.engine.layout import absent_subjects, lay_out
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support.composing import compose

STEPS = 4
WORDS = Layer(rect=Rect(16, 32, 48, 32), prompt="a robot", id="words")
GIVEN = Composition(
    canvas=Canvas(96, 96), prompt="a beach", layers=(WORDS,), sampling=Sampling(steps=STEPS)
)


@pytest.fixture(scope="module")
def family(tiny_flux) -> Family:
    return load(catalog.find(str(tiny_flux)), Options(device="cpu"))


@pytest.fixture
def told(family: Family, monkeypatch: pytest.MonkeyPatch) -> list[Conditioning]:
    """What each forward of a picture is told, as the transformer is run."""
    said: list[Conditioning] = []
    run = family.run

    def watched(tokens, sigma, conditioning, ids):
        if family.sites[0].mode != "capture":
            said.append(conditioning)
        return run(tokens, sigma, conditioning, ids)

    monkeypatch.setattr(family, "run", watched)
    return said


def cells_of(one: Conditioning) -> list[set[int]]:
    return [set(region.cells.tolist()) for region in one.regions]


def changed(given: Composition, **fields: object) -> Composition:
    return replace(given, layers=(replace(given.layers[0], **fields), *given.layers[1:]))


def with_front(given: Composition, shelf, rect: Rect) -> Composition:
    front = Layer(rect=rect, picture=shelf.flat("red", 64), fit="stretch", id="front")
    return replace(given, layers=(*given.layers, front))


def test_words_are_told_to_their_cells_in_the_first_half_of_the_steps(family, told) -> None:
    compose(family, GIVEN, None, seed=0)
    assert [len(one.regions) for one in told] == [1, 1, 0, 0]
    assert cells_of(told[0]) == [{13, 14, 15, 19, 20, 21}]
    late = family.encode_prompts(["a beach, a robot"], told[0].guidance)["a beach, a robot"]
    assert torch.equal(told[-1].text, late.text)
    around = family.encode_prompts(["a beach"], told[0].guidance)["a beach"]
    [region] = told[0].regions
    assert torch.equal(told[0].text[:, : region.start], around.text)
    words = family.encode_prompts(["a robot"], told[0].guidance)["a robot"]
    assert torch.equal(told[0].text[:, region.start :], words.text[:, : region.stop - region.start])
    assert torch.equal(told[0].pooled, late.pooled)


@pytest.mark.parametrize(("fidelity", "steps"), [(0.0, 0), (0.25, 1), (1.0, STEPS)])
def test_fidelity_decides_how_long_words_count(family, told, fidelity, steps) -> None:
    compose(family, changed(GIVEN, fidelity=fidelity), None, seed=0)
    assert sum(bool(one.regions) for one in told) == steps


def test_opacity_and_a_step_in_part_weigh_the_words(family, told) -> None:
    given = changed(GIVEN, opacity=0.5, fidelity=0.4)
    compose(family, given, None, seed=0)
    assert [one.regions[0].weight for one in told[:2]] == pytest.approx([0.5, 0.3])


def test_a_subject_in_front_hides_words_and_one_behind_does_not(family, told, shelf) -> None:
    rect = Rect(16, 32, 16, 64)
    compose(family, with_front(GIVEN, shelf, rect), shelf.read, seed=0)
    assert cells_of(told[1]) == [{14, 15, 20, 21}]
    del told[:]
    given = with_front(GIVEN, shelf, rect)
    behind = replace(given, layers=given.layers[::-1])
    compose(family, behind, shelf.read, seed=0)
    assert cells_of(told[1]) == [{13, 14, 15, 19, 20, 21}]


def test_words_that_are_wholly_hidden_change_nothing_and_a_note_says_so(family, shelf) -> None:
    given = with_front(GIVEN, shelf, Rect(0, 16, 96, 80))
    notes = []
    made = compose(family, given, shelf.read, seed=0, tell=notes.append)
    alone = compose(family, replace(given, layers=given.layers[1:]), shelf.read, seed=0)
    assert np.array_equal(made, alone)
    assert [(one.code, one.path, one.values) for one in notes] == [
        ("subject-nowhere", "$.layers[0]", {"name": "a robot", "why": "hidden"})
    ]


def test_a_mask_is_stretched_over_the_rectangle_and_may_be_mirrored(family, told, shelf) -> None:
    left = np.zeros((8, 8), np.uint8)
    left[:, :4] = 255
    wide = changed(GIVEN, mask=shelf.add(left), rect=Rect(0, 32, 64, 32))
    compose(family, wide, shelf.read, seed=0)
    assert cells_of(told[0]) == [{12, 13, 18, 19}]
    del told[:]
    compose(family, changed(wide, flip=True), shelf.read, seed=0)
    assert cells_of(told[0]) == [{14, 15, 20, 21}]


def test_words_off_the_canvas_are_noted(shelf) -> None:
    layout = lay_out(changed(GIVEN, rect=Rect(500, 0, 9, 9), name="robot"), shelf.read, 16, 8)
    [note] = absent_subjects(layout)
    assert note.values == {"name": "robot", "why": "off"}


def test_two_rectangles_are_told_apart_and_the_second_forward_of_guidance_nothing(
    tiny_model, monkeypatch
) -> None:
    family = load(catalog.find(str(tiny_model("klein-base"))), Options(device="cpu"))
    said, run = [], family.run
    monkeypatch.setattr(family, "run", lambda *given: said.append(given[2]) or run(*given))
    other = Layer(rect=Rect(64, 64, 32, 32), prompt="a mug")
    given = replace(GIVEN, layers=(WORDS, other), sampling=Sampling(steps=STEPS, guidance=3.0))
    compose(family, given, None, seed=0)
    assert [len(one.regions) for one in said] == [2, 0, 2, 0, 0, 0, 0, 0]
    first, second = said[0].regions
    assert first.stop == second.start
    assert not set(first.cells.tolist()) & set(second.cells.tolist())


def test_a_model_without_guidance_may_be_guided_towards_words_by_a_forward_without_them(
    tiny_model, monkeypatch
) -> None:
    family = load(catalog.find(str(tiny_model("schnell"))), Options(device="cpu"))
    plain = compose(family, GIVEN, None, seed=0)
    said, run = [], family.run
    monkeypatch.setattr(family, "run", lambda *given: said.append(given[2]) or run(*given))

    def guided(by: float) -> np.ndarray:
        family.defaults = replace(family.defaults, words_guidance=by)
        return compose(family, GIVEN, None, seed=0)

    assert np.abs(guided(1.0).astype(int) - plain).max() <= 1
    assert [len(one.regions) for one in said] == [1, 0, 1, 0, 0, 0]
    assert torch.equal(said[1].text, family.encode_prompts(["a beach"], 0.0)["a beach"].text)
    assert not np.array_equal(guided(3.0), plain)


def test_a_model_with_guidance_of_its_own_is_not_guided_towards_words_besides(
    family, told, monkeypatch
) -> None:
    monkeypatch.setattr(family, "defaults", replace(family.defaults, words_guidance=3.0))
    compose(family, GIVEN, None, seed=0)
    assert len(told) == STEPS


def test_named_figures_come_into_their_rectangle_on_the_bundled_model(mini) -> None:
    """What fills the middle of the rectangle has the figure's colour, and around it the picture stays as it was."""
    rect = Rect(112, 96, 128, 144)
    given = Composition(
        canvas=Canvas(256, 256), prompt="a beach at noon", sampling=Sampling(steps=8, seed=11)
    )

    def made(*layers: Layer) -> np.ndarray:
        return compose(mini, replace(given, layers=layers), None, seed=11).astype(float)

    empty = made()
    for words, more, less in [("a lemon", 1, 2), ("a strawberry", 0, 1), ("a cactus", 1, 0)]:
        picture = made(Layer(rect=rect, prompt=words))
        change = np.abs(picture - empty).mean(axis=2)
        inside = np.zeros(change.shape, bool)
        inside[96:240, 112:240] = True
        assert change[inside].mean() > 4 * change[~inside].mean()
        assert change[inside].mean() > 10
        colour = picture[150:220, 150:202].mean(axis=(0, 1))
        assert colour[more] - colour[less] > 40, words


def test_words_join_other_words_where_the_model_wants_them(family, told, shelf) -> None:
    given = with_front(GIVEN, shelf, Rect(64, 64, 32, 32))
    subject = replace(given.layers[1], prompt="a cat")
    given = replace(given, layers=(WORDS, subject), method=Method(join_words=True))
    compose(family, given, shelf.read, seed=0)
    around, whole = (
        family.encode_prompts([said], told[0].guidance)[said].text
        for said in ("a beach, a cat", "a beach, a robot, a cat")
    )
    assert torch.equal(told[0].text[:, : told[0].regions[0].start], around)
    assert torch.equal(told[-1].text, whole)
