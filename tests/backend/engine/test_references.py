"""References: their noise, and the tokens that their crops give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.rotation import quarter_turned
from standee_backend.engine import references
from standee_backend.engine.capture import TokenCapture
from standee_backend.engine.layout import lay_out
from standee_backend.engine.prompts import encode_prompts
from standee_backend.engine.references import own_noise, subject_references
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import FREE, resolve, threshold

SCHEDULE = Schedule(torch.tensor([1.0, 0.7, 0.0]), (1.0, 0.7, 0.0))


def test_each_subject_gives_the_tokens_that_it_gives_alone(mini, shelf) -> None:
    wide = Layer(picture=shelf.flat("red", 64, 32), rect=Rect(16, 16, 64, 32))
    tall = Layer(picture=shelf.flat("blue", 32, 64), rect=Rect(80, 48, 32, 64))
    same = Layer(picture=shelf.flat("green", 32, 64), rect=Rect(16, 48, 32, 64))
    references = _references(mini, shelf, wide, tall, same)
    together = TokenCapture(mini, references, SCHEDULE, 64).injection(0).replace
    apart = [TokenCapture(mini, [r], SCHEDULE, 64).injection(0).replace for r in references]
    for site, tokens in enumerate(together.at_site):
        assert torch.equal(tokens, torch.cat([part.at_site[site] for part in apart]))


def test_a_subject_is_the_same_wherever_it_stands(mini, shelf) -> None:
    picture = shelf.flat("red", 64, 64)
    one, other = (
        _references(mini, shelf, Layer(picture=picture, rect=Rect(x, x, 64, 64)))[0]
        for x in (16, 48)
    )
    assert one.crop.digest == other.crop.digest
    for ours, theirs in zip(one.crop.line, other.crop.line, strict=True):
        assert torch.equal(ours, theirs)
    assert not torch.equal(one.put, other.put)


def test_noise_differs_by_picture() -> None:
    shape = (4, 8)
    assert torch.equal(own_noise("a" * 64, shape), own_noise("a" * 64, shape))
    assert not torch.equal(own_noise("a" * 64, shape), own_noise("b" * 64, shape))


def test_a_varied_flock_is_none_of_clones(mini, shelf) -> None:
    picture = shelf.flat("red", 64, 64)
    pair = [
        Layer(id=str(x), picture=picture, rect=Rect(x, 32, 64, 64), variation=0.5) for x in (0, 64)
    ]
    one, other = _references(mini, shelf, *pair)
    assert not torch.equal(one.crop.line[1], other.crop.line[1])


def test_cells_that_a_cut_out_hardly_fills_keep_their_own_tokens(mini, shelf) -> None:
    layer = Layer(picture=shelf.disc("red", 96), rect=Rect(16, 16, 96, 96))
    composition = Composition(canvas=Canvas(128, 128), layers=(layer,))
    [subject] = lay_out(composition, shelf.read, mini.patch, mini.latent_px).subjects
    [reference] = _references(mini, shelf, layer)
    assert 0 < len(reference.put) == subject.seen.sum() < subject.owned.sum()


def test_small_subjects_are_shown_on_a_crop_that_models_know(mini, shelf) -> None:
    [reference] = _references(
        mini, shelf, Layer(picture=shelf.flat("red", 32), rect=Rect(48, 48, 32, 32))
    )
    assert reference.crop.size == (16, 16)


@pytest.mark.parametrize(
    ("fidelity", "expected", "begun"),
    [
        (0.0, 1.0, 1.0),
        (0.1, 0.92, 0.84),
        (0.25, 0.8, 0.75),
        (0.5, 0.6, 0.6),
        (0.75, 0.3, 0.3),
        (1.0, 0.0, 0.0),
    ],
)
def test_fidelity_runs_from_never_over_the_familys_own_to_always(fidelity, expected, begun) -> None:
    """For subjects, which come in after the first tenth of the steps, from there on: no value has no effect."""
    assert threshold(fidelity, 0.6) == pytest.approx(expected)
    assert threshold(fidelity, 0.6, 0.9) == pytest.approx(begun)
    assert threshold(fidelity, 0.95, 0.9) >= threshold(fidelity + 0.01, 0.95, 0.9)


@pytest.mark.parametrize(("fidelity", "free"), [(0.0, 1.0), (0.2, 0.6), (0.5, 0.0), (1.0, 0.0)])
def test_below_half_shared_tokens_leave_their_own_cells_in_part(
    mini, shelf, fidelity, free
) -> None:
    """The picture's cells look like the tokens of their neighbours: so many tokens move there, the others stay."""
    layer = Layer(picture=shelf.flat("red", 64), rect=Rect(32, 32, 64, 64), fidelity=fidelity)
    [reference] = _references(mini, shelf, layer)
    assert reference.freedom == pytest.approx(free)
    late = replace(reference, tau=FREE)
    capture = TokenCapture(mini, [late], Schedule.of(mini.sigmas(4, 64)), 64)
    capture.injection(0)
    own = capture._of(late.crop, 0).at_site[0]
    capture.match([own[late.rows].roll(1, 0)] if free else [], 0, 0)
    share_at, share = (getattr(capture.injection(1), name) for name in ("share_at", "share"))
    home = {
        tuple(token): cell
        for token, cell in zip(own[late.rows].tolist(), late.put.tolist(), strict=True)
    }
    at = [home[tuple(token)] for token in share.at_site[0].tolist()]
    moved = sum(here != there for here, there in zip(at, share_at.tolist(), strict=True))
    assert moved == pytest.approx(free * len(late.put), abs=1)
    assert len(share_at) == len(late.put)


def test_a_subjects_cells_and_those_next_to_it_that_are_nobodys_look_at_it(mini, shelf) -> None:
    """On a canvas of 8 x 8 cells: the one in front hides two columns of the other, and looks at itself alone."""
    behind = Layer(picture=shelf.flat("red", 64), rect=Rect(16, 32, 64, 64))
    front = Layer(picture=shelf.flat("blue", 64), rect=Rect(48, 32, 64, 64))
    looking = []
    for reference in _references(mini, shelf, behind, front):
        seen = torch.zeros(64)
        seen[reference.looking] = 1
        seen[reference.put] = 2
        looking.append(seen.view(8, 8))
    of_behind = torch.zeros(8, 8)
    of_behind[1:7, 0:4] = 1
    of_behind[2:6, 1:3] = 2
    of_behind[2:6, 3] = 0  # the other's
    assert torch.equal(looking[0], of_behind)
    of_front = torch.zeros(8, 8)
    of_front[1:7, 4:8] = 1
    of_front[2:6, 3:7] = 2
    assert torch.equal(looking[1], of_front)


def _references(mini, shelf, *layers):
    composition = Composition(canvas=Canvas(128, 128), layers=layers, sampling=Sampling(steps=4))
    layout = lay_out(composition, shelf.read, mini.patch, mini.latent_px)
    settings = resolve(mini, composition)
    prompts = encode_prompts(mini, composition, settings).layers
    return subject_references(mini, layout, prompts, SCHEDULE, settings, 0)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_a_subject_on_its_side_gives_the_tokens_of_the_turned_picture_bit_for_bit(
    mini, shelf, monkeypatch, quarters: int, masked: bool
) -> None:
    """The noise goes by the picture's file, so both are given the same."""
    monkeypatch.setattr(references, "own_noise", lambda _, shape: own_noise("", shape))
    random = np.random.default_rng(quarters)
    colours = random.integers(0, 256, (170, 91, 3)).astype(np.uint8)
    inside = (np.hypot(*(np.mgrid[:170, :91] - np.array([[[70]], [[50]]]))) < 60) * np.uint8(255)

    def layer(turns: int, rect: Rect, rotation: float) -> Layer:
        turned = [np.ascontiguousarray(np.rot90(one, -turns)) for one in (colours, inside)]
        if masked:
            mask = shelf.add(turned[1])
            return Layer(picture=shelf.add(turned[0]), rect=rect, mask=mask, rotation=rotation)
        return Layer(picture=shelf.add(np.dstack(turned)), rect=rect, rotation=rotation)

    rect = Rect(21, 18, 48, 80)
    [side] = _references(mini, shelf, layer(0, rect, 90 * quarters - 360))
    [turned] = _references(mini, shelf, layer(quarters, quarter_turned(rect, quarters), 0))
    assert torch.equal(side.put, turned.put)
    assert torch.equal(side.crop.line[0], turned.crop.line[0])
    tokens = [
        TokenCapture(mini, [one], SCHEDULE, 64).injection(0).replace for one in (side, turned)
    ]
    for ours, theirs in zip(tokens[0].at_site, tokens[1].at_site, strict=True):
        assert torch.equal(ours, theirs)


def test_a_subject_at_another_angle_has_other_tokens(mini, shelf) -> None:
    picture = shelf.disc("red", 64)
    one, other = (
        _references(mini, shelf, Layer(picture=picture, rect=Rect(32, 32, 64, 48), rotation=angle))[
            0
        ]
        for angle in (10, 11)
    )
    assert one.crop.digest != other.crop.digest
