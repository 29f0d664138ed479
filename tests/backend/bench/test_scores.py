"""Scores: a collage keeps everything, an empty place nothing, and the front is told from what is behind."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Layer, Rect
from standee.errors import MissingDependency
from standee_backend.bench.cases import Case
from standee_backend.bench.networks import Clip, Dino
from standee_backend.bench.scores import Judges, occlusion_order, score
from standee_backend.bench.subject_sets import Subject
from standee_backend.engine.layout import Layout, lay_out
from support.networks.pretrained import save_clip, save_dino

SIDE = 128


@pytest.fixture
def layout(shelf) -> Layout:
    """A striped disc in front of another, striped across."""
    rng = np.random.default_rng(0)
    layers = []
    for x, axis in ((8, 0), (40, 1)):
        stripes = np.repeat((rng.random((16, 1, 3)) * 255), 5, axis=0).repeat(80, axis=1)
        pixels = stripes if axis == 0 else stripes.swapaxes(0, 1)
        picture = shelf.add(pixels.astype(np.uint8))
        layers.append(Layer(rect=Rect(x, 24, 80, 80), picture=picture, id=str(axis)))
    return lay_out(Composition(canvas=Canvas(SIDE, SIDE), layers=tuple(layers)), shelf.read, 16, 8)


@pytest.fixture
def case() -> Case:
    subjects = Subject("a.png", "a"), Subject("b.png", "b")
    return Case("x", "overlap", "a and b", "", subjects, (Rect(0, 0, 1, 1),) * 2)


def place() -> np.ndarray:
    ramp = np.linspace(0.2, 0.6, SIDE, dtype=np.float32)
    return np.repeat(np.tile(ramp, (SIDE, 1))[..., None], 3, axis=2)


def test_a_collage_has_identity_and_an_empty_place_has_none(layout, case) -> None:
    pasted = score(case, layout, layout.collage(place()), place(), Judges())
    empty = score(case, layout, place(), place(), Judges())
    assert pasted["identity"] > 60 > 20 > empty["identity"]
    assert pasted["ssim"] > 0.99 > 0.4 > empty["ssim"]
    assert pasted["defects"] == 0


def test_figures_that_nobody_asked_for_are_a_defect(layout, case) -> None:
    picture = layout.collage(place())
    rng = np.random.default_rng(1)
    picture[:, :8] = rng.random((SIDE, 8, 3))
    picture[112:] = rng.random((16, SIDE, 3))
    assert score(case, layout, picture, place(), Judges())["defects"] == 1


@pytest.mark.parametrize("light", [1.0, 0.5])
def test_occlusion_order_follows_what_is_seen_in_any_light(layout, light) -> None:
    behind = layout.subjects[0]
    picture = layout.collage(place()) * light
    colour, matte, _ = behind.paint(layout.grid.rect(16), 16)
    swapped = (matte[..., None] * colour + (1 - matte[..., None]) * picture / light) * light
    assert occlusion_order(layout, picture, swapped) == 1
    assert occlusion_order(layout, swapped, picture) == 0
    assert occlusion_order(layout, picture, picture) == 0.5


def test_published_networks_score_what_they_are_given(layout, case, tmp_path) -> None:
    judges = Judges(
        clip=Clip(str(save_clip(tmp_path / "clip"))),
        dino=Dino(str(save_dino(tmp_path / "dino"))),
        find=lambda picture, words: half_of(picture),
    )
    found = score(case, layout, layout.collage(place()), place(), judges)
    assert found["CLIP-I"] == pytest.approx(1, abs=1e-5)
    assert found["SegCLIP-I"] == pytest.approx(1, abs=1e-5)
    assert found["DINO"] == pytest.approx(1, abs=1e-5)
    assert -1 <= found["CLIP-T"] < 0.99
    assert 0 < found["box IoU"] < 0.9
    other = score(case, layout, place(), place(), judges)
    assert other["DINO"] < found["DINO"]


@pytest.mark.parametrize("name", ["none", "nobody/has-this-network"])
def test_networks_that_are_not_here_say_how_they_are_had(name, monkeypatch) -> None:
    """And nobody is asked for them: a hub that cannot be reached would be tried for half a minute."""
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))
    with pytest.raises(MissingDependency, match=f"{name} is not on this machine") as caught:
        Dino(name)
    assert "--yes" in caught.value.fix


def half_of(picture: bytes) -> bytes:
    """Return the mask (PNG) of a picture's left half."""
    with Image.open(io.BytesIO(picture)) as image:
        mask = Image.new("L", image.size)
    mask.paste(255, (0, 0, mask.width // 2, mask.height))
    out = io.BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()
