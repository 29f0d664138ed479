from __future__ import annotations

import numpy as np
import pytest

from training.world import backgrounds, data, light
from training.world.backgrounds import Frame

SMALL = (64, 48)
OUTDOORS = sorted(set(backgrounds.PAINTERS) - {*backgrounds.INDOORS, "plain"})


def test_a_scene_depends_on_its_seed_alone(figures: list[data.Figure]) -> None:
    first, same, other = (
        data.render(np.random.default_rng(seed), figures, SMALL) for seed in (3, 3, 4)
    )
    assert first.pixels.shape == (48, 64, 3)
    assert np.array_equal(first.pixels, same.pixels)
    assert (first.place, first.figures) == (same.place, same.figures)
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
    assert all("a beach at sunset" in words for words in told)
    assert 0.05 < 1 - len(told) / len(captions) < 0.16
    assert sum("a fox" in words and "a red apple" in words for words in told) > 0.6 * len(told)
    empty = [data.caption(rng, "a beach at sunset", ()).lower() for _ in range(50)]
    assert any("an empty beach at sunset" in words for words in empty)
