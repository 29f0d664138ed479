"""Composing with the bundled model: what is injected, what is kept, and what a seed decides."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from standee import Canvas, Composition, Layer, Method, Rect, Sampling, Scene
from standee_backend.engine.layout import lay_out
from standee_backend.engine.references import gaussian
from support.composing import compose

SMALL = Composition(canvas=Canvas(128, 128), prompt="a meadow", sampling=Sampling(steps=4))


@pytest.fixture
def two(shelf) -> Composition:
    back = Layer(id="back", picture=shelf.disc("red", 64), rect=Rect(16, 32, 64, 64))
    front = Layer(id="front", picture=shelf.disc("blue", 64), rect=Rect(48, 48, 64, 64))
    return msgspec.structs.replace(SMALL, layers=(back, front))


def test_a_seed_decides_every_pixel(mini, shelf, two) -> None:
    first, again = (compose(mini, two, shelf.read, seed=7) for _ in range(2))
    assert (first == again).all()
    assert (first != compose(mini, two, shelf.read, seed=8)).any()


def test_tokens_go_to_visible_cells_only(mini, shelf, two, monkeypatch) -> None:
    puts = _watch(mini, monkeypatch, lambda site: site.put)
    compose(mini, two, shelf.read, seed=0)
    arrangement = lay_out(two, shelf.read, mini.patch, mini.latent_px).arrangement
    assert arrangement.hidden(0).any()
    owned = set(np.flatnonzero(arrangement.owner.ravel() >= 0).tolist())
    assert puts
    for put in puts:
        assert len(set(put.tolist())) == len(put) > 0
        assert set(put.tolist()) <= owned


def test_fidelity_decides_how_long_tokens_are_replaced(mini, shelf, two, monkeypatch) -> None:
    counts = {}
    for fidelity in (0.0, 0.5, 1.0):
        layers = tuple(msgspec.structs.replace(x, fidelity=fidelity) for x in two.layers)
        given = msgspec.structs.replace(
            two, layers=layers, sampling=Sampling(steps=8), method=Method(tau=0.5)
        )
        with monkeypatch.context() as patch:
            puts = _watch(mini, patch, lambda site: site.put)
            compose(mini, given, shelf.read, seed=0)
        counts[fidelity] = len(puts)
    assert counts[0.0] == 0
    assert 0 < counts[0.5] < counts[1.0] == 7  # the first step is without


def test_a_white_subject_turns_warm_at_sunset_as_its_light_says(mini, shelf) -> None:
    white = Layer(picture=shelf.disc("white", 96), rect=Rect(80, 112, 96, 96))
    given = Composition(Canvas(256, 256), "a beach at sunset", sampling=Sampling(steps=8, seed=3))
    warmth = []
    for light in (0.0, 0.5, 1.0):
        layer = msgspec.structs.replace(white, light=light)
        picture = compose(mini, msgspec.structs.replace(given, layers=(layer,)), shelf.read, seed=3)
        red, _, blue = picture[140:180, 108:148].mean(axis=(0, 1))
        warmth.append(red - blue)
    own, half, scenes = warmth
    assert own < 20
    assert scenes > own + 40
    assert 0.3 < (half - own) / (scenes - own) < 0.8


def test_late_steps_share_what_early_steps_replaced(mini, shelf, two, monkeypatch) -> None:
    given = msgspec.structs.replace(two, method=Method(tau=0.5, sharing=True))
    modes = _watch(
        mini,
        monkeypatch,
        lambda site: None if site.mode == "capture" else (site.tokens, site.shared_at),
    )
    compose(mini, given, shelf.read, seed=0)
    kinds = [
        (tokens is not None, shared is not None)
        for tokens, shared in modes
        if tokens is not None or shared is not None
    ]
    assert kinds == [(True, False), (False, True), (False, True)]


def test_kept_pixels_are_identical(mini, shelf) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (128, 128, 3), dtype=np.uint8)
    kept = np.full((128, 128, 3), 255, np.uint8)
    kept[40:90, 30:100] = 0
    scene = Scene(picture=shelf.add(pixels), kept=shelf.add(kept))
    made = compose(mini, msgspec.structs.replace(SMALL, scene=scene), shelf.read, seed=0)
    outside = kept[..., 0] == 255
    assert (made[outside] == pixels[outside]).all()
    assert (made[~outside] != pixels[~outside]).mean() > 0.5


def test_outpainting_continues_a_picture_and_keeps_it(mini, shelf) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    scene = Scene(picture=shelf.add(pixels), rect=Rect(37, 21, 64, 64))
    made = compose(mini, msgspec.structs.replace(SMALL, scene=scene), shelf.read, seed=0)
    assert (made[21:85, 37:101] == pixels).all()


def test_a_subject_changes_a_scene_only_around_itself(mini, shelf) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    given = msgspec.structs.replace(
        SMALL,
        scene=Scene(picture=shelf.add(pixels), blend=16 / 128),
        layers=(Layer(picture=shelf.disc("red", 48), rect=Rect(48, 48, 48, 48)),),
    )
    made = compose(mini, given, shelf.read, seed=0)
    changed = np.argwhere((made != pixels).any(axis=2))
    assert changed.min() >= 48 - 17
    assert changed.max() <= 96 + 16


def test_around_a_subject_the_scene_goes_on(mini, shelf) -> None:
    """Not one that the model makes up: the prompt asks for another place."""
    colours = np.linspace((40, 120, 220), (230, 200, 140), 128)
    pixels = np.broadcast_to(colours[:, None], (128, 128, 3)).astype(np.uint8)
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(32, 32, 64, 64))
    given = msgspec.structs.replace(
        SMALL,
        prompt="a night sky",
        layers=(layer,),
        scene=Scene(picture=shelf.add(pixels), blend=32 / 128),
        sampling=Sampling(steps=12),
    )
    made = compose(mini, given, shelf.read, seed=0)
    y, x = np.mgrid[:128, :128] + 0.5
    radius = np.hypot(y - 64, x - 64)
    around = (radius > 36) & (radius < 48)
    assert np.abs(made.astype(float) - pixels)[around].mean() < 20


def test_a_subject_ends_where_its_cut_out_does(mini, shelf) -> None:
    """The model would go on with it: without the place around it a tenth of this ring is red."""
    layer = Layer(picture=shelf.disc("red", 96), rect=Rect(80, 80, 96, 96))
    given = Composition(
        canvas=Canvas(256, 256), prompt="snow", layers=(layer,), sampling=Sampling(steps=10)
    )
    made = compose(mini, given, shelf.read, seed=0).astype(float)
    y, x = np.mgrid[:256, :256] + 0.5
    radius = np.hypot(y - 128, x - 128)
    red = made[..., 0] - made[..., 1:].max(axis=2) > 40
    assert red[radius < 44].all()
    assert red[(radius > 54) & (radius < 72)].mean() < 0.01


def test_the_anchor_brings_a_subject_nearer_to_its_picture(mini, shelf) -> None:
    layer = Layer(picture=shelf.disc("red", 96), rect=Rect(16, 16, 96, 96), light=0.0)
    given = msgspec.structs.replace(SMALL, layers=(layer,), sampling=Sampling(steps=8))
    errors = {}
    for anchor in (1.0, 0.0):
        method = Method(anchor=anchor)
        made = compose(mini, msgspec.structs.replace(given, method=method), shelf.read, seed=0)
        errors[anchor] = np.abs(made[48:80, 48:80].astype(float) - (255, 0, 0)).mean()
    assert errors[1.0] < 0.5 * errors[0.0]


def test_a_picture_of_one_step_has_its_subject(mini, shelf) -> None:
    layer = Layer(picture=shelf.disc("red", 96), rect=Rect(16, 16, 96, 96))
    given = msgspec.structs.replace(SMALL, layers=(layer,), sampling=Sampling(steps=1))
    red, green, blue = compose(mini, given, shelf.read, seed=0)[48:80, 48:80].mean(axis=(0, 1))
    assert red > 150 > 100 > max(green, blue)


def test_variation_changes_the_subject_and_zero_does_not(mini, shelf, two) -> None:
    plain = compose(mini, two, shelf.read, seed=0)
    varied = msgspec.structs.replace(
        two, layers=tuple(msgspec.structs.replace(x, variation=0.8) for x in two.layers)
    )
    assert (compose(mini, varied, shelf.read, seed=0) != plain).any()


def test_without_subjects_it_is_the_pipelines_own_picture(mini, shelf) -> None:
    made = compose(mini, SMALL, shelf.read, seed=3)
    theirs = mini.pipeline(
        SMALL.prompt,
        height=128,
        width=128,
        num_inference_steps=4,
        guidance_scale=mini.defaults.guidance,
        max_sequence_length=int(mini.pipeline.tokenizer_2.model_max_length),
        latents=gaussian(3, (1, 64, mini.channels)),
        output_type="np",
    ).images[0]
    assert np.abs(made / 255 - theirs).max() < 2 / 255


def test_rf_inversion_with_less_control_makes_another_picture(mini, shelf, two) -> None:
    plain = compose(mini, two, shelf.read, seed=0)
    inverted = msgspec.structs.replace(two, method=Method(gamma=0.5))
    assert (compose(mini, inverted, shelf.read, seed=0) != plain).any()


def test_what_on_step_raises_ends_the_run(mini, shelf, two) -> None:
    def stop(step) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose(mini, two, shelf.read, seed=0, on_step=stop)
    assert all(site.mode == "off" for site in mini.sites)


def _watch(family, monkeypatch, look):
    """Note what `look` sees at the first site before every forward."""
    seen = []
    velocity = family.velocity

    def watched(*args):
        value = look(family.sites[0])
        if value is not None:
            seen.append(value)
        return velocity(*args)

    monkeypatch.setattr(family, "velocity", watched)
    return seen


FOX, MUG = (
    (Path(__file__).parents[3] / "examples" / "subjects" / name).read_bytes()
    for name in ("fox.png", "mug.png")
)


def test_half_a_subject_lies_between_none_and_all_of_it_in_every_cell(mini, shelf) -> None:
    fox = Layer(id="fox", picture=shelf.add_bytes(FOX), rect=Rect(16, 16, 96, 96))
    scene = Scene(picture=shelf.flat("seagreen", 128))
    cells = []
    for opacity in (0.0, 0.5, 1.0):
        layers = (msgspec.structs.replace(fox, opacity=opacity),)
        given = msgspec.structs.replace(SMALL, layers=layers, scene=scene)
        made = compose(mini, given, shelf.read, seed=0).astype(float)
        cells.append(made.reshape(8, 16, 8, 16, 3).mean(axis=(1, 3)))
    none, half, whole = cells
    beyond = np.maximum(np.minimum(none, whole) - half, half - np.maximum(none, whole))
    assert beyond.max() < 10  # of 255
    way = whole - none
    assert 0.3 < ((half - none) * way).sum() / (way**2).sum() < 0.7


def test_subjects_at_an_angle_keep_their_identity(mini, shelf) -> None:
    """Of subjects six cells wide many px lie in cells of their slanting edge; of twice as wide ones 0.7 dB are lost."""
    upright = (
        Layer(picture=shelf.add_bytes(FOX), rect=Rect(0, 16, 96, 96), light=0.0),
        Layer(picture=shelf.add_bytes(MUG), rect=Rect(96, 16, 96, 96), light=0.0),
    )
    likeness = []
    for rotation in (0.0, 30.0):
        layers = tuple(msgspec.structs.replace(one, rotation=rotation) for one in upright)
        given = msgspec.structs.replace(SMALL, canvas=Canvas(192, 128), layers=layers)
        made = compose(mini, given, shelf.read, seed=0) / 255
        subjects = lay_out(given, shelf.read, mini.patch, mini.latent_px).subjects
        painted = [one.paint(Rect(0, 0, 192, 128), mini.patch) for one in subjects]
        off = [((made - colour)[matte > 0.98] ** 2).mean() for colour, matte, _ in painted]
        likeness.append(-10 * np.log10(np.mean(off)))
    assert likeness[1] > likeness[0] - 1.5, likeness
