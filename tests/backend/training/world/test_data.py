from __future__ import annotations

import numpy as np
import pytest

from training import text
from training.world import backgrounds, data, light
from training.world.backgrounds import Frame
from training.world.names import KNOWN_BY_NAME

SMALL = (64, 48)
OUTDOORS = sorted(set(backgrounds.PAINTERS) - {*backgrounds.INDOORS, "plain"})


def test_a_scene_depends_on_its_seed_alone(figures: list[data.Figure]) -> None:
    first, same, other = (
        data.render(np.random.default_rng(seed), figures, SMALL) for seed in (3, 3, 4)
    )
    assert first.pixels.shape == (48, 64, 3)
    assert np.array_equal(first.pixels, same.pixels)
    assert first.told == same.told
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("painter", OUTDOORS)
def test_a_place_comes_in_every_light(painter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        backgrounds, "PAINTERS", {painter: backgrounds.PAINTERS[painter]}
    )  # the other places do not matter here
    rng = np.random.default_rng(0)
    lights = {data.find_place(rng, Frame(16, 16))[1].name for _ in range(150)}
    assert lights == set(light.KINDS)


@pytest.mark.parametrize("painter", OUTDOORS)
def test_the_same_place_is_darker_at_night_than_at_noon(painter: str) -> None:
    night, noon = (
        data.render_empty(np.random.default_rng(7), painter, kind, SMALL).mean()
        for kind in ("night", "noon")
    )
    assert night < 0.5 * noon


def test_held_out_figures_are_a_fixed_number_and_in_no_training_figure(
    figures: list[data.Figure],
) -> None:
    training, held_out = data.split(figures)
    assert len(held_out) == data.HELD_OUT
    assert len(training) == len(figures) - data.HELD_OUT
    assert not {f.codepoint for f in training} & {f.codepoint for f in held_out}
    again = data.split(list(reversed(figures)))
    assert {f.codepoint for f in again[1]} == {f.codepoint for f in held_out}


def test_what_a_scene_says_names_the_place_and_its_light(figures: list[data.Figure]) -> None:
    rng = np.random.default_rng(1)
    frame = Frame(16, 16)
    for kind in light.KINDS:
        lit = light.of_kind(rng, kind)
        words = data.describe(rng, backgrounds.beach(rng, frame), lit)
        assert words.endswith(lit.words)
        assert any(noun in words for noun in ("beach", "seaside"))


def test_a_caption_names_place_and_figures_or_says_nothing() -> None:
    rng = np.random.default_rng(2)
    captions = [data.caption(rng, "a beach at sunset", ("fox", "red apple")) for _ in range(400)]
    told = [words.lower() for words in captions if words]
    assert 0.05 < 1 - len(told) / len(captions) < 0.16
    assert all("a beach at sunset" in words or "fox" in words or "apple" in words for words in told)
    assert 0.03 < sum("beach" not in words for words in told) / len(told) < 0.25
    both = sum(
        "a fox" in words and ("a red apple" in words or "an apple" in words) for words in told
    )
    assert both > 0.6 * len(told)
    empty = [data.caption(rng, "a beach at sunset", ()).lower() for _ in range(50)]
    assert any("an empty beach at sunset" in words for words in empty)


def test_figures_that_are_known_by_name_come_often_in_their_own_colours(
    figures: list[data.Figure],
) -> None:
    rng = np.random.default_rng(4)
    scenes = [data.render(rng, figures, SMALL, count=3) for _ in range(30)]
    names = [name for scene in scenes for name in scene.told.figures]
    known = [name for name in names if name in KNOWN_BY_NAME]
    assert len(known) > 0.5 * len(names)


def test_a_known_figure_is_called_by_either_name() -> None:
    rng = np.random.default_rng(0)
    said = [data.caption(rng, "a beach", ("automobile",)).lower() for _ in range(40)]
    assert any("an automobile" in words for words in said)
    assert any("a car" in words for words in said)
    assert any("beach" not in words for words in said if "car" in words)


def test_every_name_of_a_known_figure_is_in_the_vocabulary() -> None:
    words = text.vocabulary([])
    named = {word for name in KNOWN_BY_NAME.values() for word in name.split()}
    assert named <= set(words)


def test_a_close_up_shows_one_known_figure_large(figures: list[data.Figure]) -> None:
    rng = np.random.default_rng(6)
    for side in 3 * list(data.CLOSE_UPS):
        scene = data.render_close_up(rng, figures, side)
        assert scene.pixels.shape == (side, side, 3)
        [name] = scene.told.figures
        assert name in KNOWN_BY_NAME
        left, top, right, bottom = scene.told.box
        assert 0 <= left < right <= side
        assert 0 <= top < bottom <= side
