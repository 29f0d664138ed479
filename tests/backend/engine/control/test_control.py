"""Control pictures against diffusers' own control pipelines, and beside subjects whose tokens they leave alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from msgspec.structs import replace
from PIL import Image
from torch import Tensor

from standee import Canvas, Composition, Control, Layer, Rect, Sampling
from standee.errors import InvalidField, UnknownModel
from standee_backend.catalog import catalog
from standee_backend.engine import compose as engine
from standee_backend.engine.control.staging import StagedControl, controls_at
from standee_backend.engine.families.base import Family
from standee_backend.engine.injection import Site
from standee_backend.engine.loading.control_nets import lay_control_nets
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import gaussian
from standee_backend.hardware.load_presets import Preset
from standee_backend.hardware.options import Options
from support.composing import own_pipeline

ROWS, COLS = 5, 6
PLAIN = Preset("32 bits", dtype="fp32")

WAYS = [
    ("flux", "flux", "FluxControlNetPipeline"),
    ("schnell", "flux-guided", "FluxControlNetPipeline"),
    ("flux", "flux-union", "FluxControlNetPipeline"),
    ("flux", "flux-pixels", "FluxControlNetPipeline"),
    ("flux-depth", "", "FluxControlPipeline"),
    ("qwen-image", "qwen-image", "QwenImageControlNetPipeline"),
    ("z-image", "z-image", "ZImageControlNetPipeline"),
    ("z-image-turbo", "z-image-2", "ZImageControlNetPipeline"),
]
"""A model, a net for it where it needs one, and the pipeline of diffusers that has both."""


@pytest.fixture(scope="module")
def opened(tiny_model, tiny_net):
    """Return `open(model, net)`: a family with that net for depth, made once."""
    made: dict[str, Family] = {}

    def get(model: str, net: str, kind: str = "depth") -> Family:
        folder = tiny_model(model)
        if model not in made:
            made[model] = load(catalog.find(str(folder)), Options(device="cpu"))
        lay_control_nets(made[model], {kind: tiny_net(net)} if net else {}, PLAIN, Path(folder))
        return made[model]

    return get


@pytest.fixture
def slope(shelf) -> str:
    """A picture of depth, in the size of the canvas."""
    return shelf.add(picture())


def picture() -> Image.Image:
    rows, cols = np.mgrid[0 : ROWS * 16, 0 : COLS * 16]
    pixels = np.stack([rows * 3, cols * 2, rows + cols], axis=-1).astype(np.uint8)
    return Image.fromarray(pixels)


def controlled(digest: str, **more: Any) -> Composition:
    return Composition(
        canvas=Canvas(COLS * 16, ROWS * 16),
        prompt="a cat",
        sampling=Sampling(steps=4, guidance=3.0, seed=3),
        control=(Control("depth", digest, **more),),
    )


def pixels(family: Family, composition: Composition, shelf) -> np.ndarray:
    return engine.compose(family, composition, shelf.read, seed=3).pixels


@pytest.mark.parametrize(("model", "net", "kind"), WAYS, ids=[f"{m}-{n}" for m, n, _ in WAYS])
def test_without_a_subject_it_is_diffusers_own_control_pipeline(
    opened, tiny_model, tiny_net, slope, shelf, monkeypatch, model: str, net: str, kind: str
) -> None:
    family = opened(model, net)
    ours = pixels(family, controlled(slope, strength=0.7 if net else 1.0), shelf)
    mode = DiagonalGaussianDistribution.mode
    monkeypatch.setattr(DiagonalGaussianDistribution, "sample", lambda self, *_, **__: mode(self))
    theirs = diffusers_picture(tiny_model(model), net and tiny_net(net), kind, family)
    assert np.abs(ours - theirs).max() < 1e-4
    plain = pixels(family, replace(controlled(slope), control=()), shelf)
    assert np.abs(ours - plain).max() > 0.01


def diffusers_picture(folder: Path, net: Path | str, kind: str, family: Family) -> np.ndarray:
    """Return the picture (height, width, 3) of the pipeline `kind` of diffusers."""
    pipeline = own_pipeline(folder)
    given: dict[str, Any] = {"prompt": "a cat", "guidance_scale": 3.0}
    if net:
        with_net = getattr(diffusers, family.control_net).from_pretrained(net)
        if family.name == "z_image":
            with_net = with_net.from_transformer(with_net, pipeline.transformer)
        given["controlnet_conditioning_scale"] = 0.7
        parts = {**pipeline.components, "controlnet": with_net}
        if family.name == "flux" and getattr(with_net, "union", False):
            given["control_mode"] = 2
        pipeline = getattr(diffusers, kind)(**parts)
        pipeline.set_progress_bar_config(disable=True)
    latents = gaussian(3, (1, ROWS * COLS, family.channels))
    if family.name == "z_image":
        latents = latents.transpose(1, 2).reshape(1, -1, ROWS, COLS)
        latents = torch.nn.functional.pixel_shuffle(latents, 2)
    if family.name == "qwen_image":
        given = {"prompt": "a cat", "negative_prompt": "", "true_cfg_scale": 3.0} | {
            "controlnet_conditioning_scale": 0.7
        }
    made = pipeline(
        **given,
        control_image=picture(),
        height=ROWS * 16,
        width=COLS * 16,
        num_inference_steps=4,
        max_sequence_length=family.text_limit,
        latents=latents,
        output_type="np",
    ).images[0]
    assert isinstance(made, np.ndarray)
    return made


ONE_OF_EACH = [WAYS[0], WAYS[4], WAYS[5], WAYS[7]]


@pytest.mark.parametrize(("model", "net", "_"), ONE_OF_EACH, ids=[one[0] for one in ONE_OF_EACH])
def test_at_strength_0_and_outside_its_steps_it_is_no_control(
    opened, slope, shelf, model: str, net: str, _: str
) -> None:
    family = opened(model, net)
    plain = pixels(family, replace(controlled(slope), control=()), shelf)
    assert (pixels(family, controlled(slope, strength=0.0), shelf) == plain).all()
    whole = pixels(family, controlled(slope), shelf)
    early = pixels(family, controlled(slope, end=0.5), shelf)
    late = pixels(family, controlled(slope, start=0.5), shelf)
    for one, other in (
        (whole, plain),
        (early, plain),
        (late, plain),
        (early, whole),
        (early, late),
    ):
        assert np.abs(one - other).max() > 1e-3


def test_a_step_that_a_bound_falls_into_is_told_in_part() -> None:
    staged = StagedControl(Control("depth", "0" * 64, 0.8, 0.1, 0.6), torch.zeros(1, 1, 4), None)
    weights = [[part.weight for part in controls_at([staged], step, 4)] for step in range(4)]
    assert [round(sum(step), 6) for step in weights] == [0.48, 0.8, 0.32, 0.0]
    assert [len(step) for step in weights] == [1, 1, 1, 0]


@pytest.mark.parametrize(("model", "net", "_"), ONE_OF_EACH, ids=[one[0] for one in ONE_OF_EACH])
def test_a_subjects_tokens_are_in_their_cells_under_control_as_without(
    opened, slope, shelf, monkeypatch, model: str, net: str, _: str
) -> None:
    """What enters each attention at the subject's cells are the captured tokens, bit for bit."""
    family = opened(model, net)
    layer = Layer(picture=shelf.flat("red", 48), rect=Rect(16, 16, 48, 48), id="a", fidelity=1.0)
    composition = replace(controlled(slope), layers=(layer,))
    composition = replace(composition, method=replace(composition.method, anchor=0.0))
    plain, put, checked = {}, Site.rows, []
    for named, given in (
        ("plain", replace(composition, control=())),
        ("controlled", composition),
    ):
        seen: list[tuple[int, Tensor, Tensor]] = []

        def rows(site: Site, own: Tensor, seen=seen) -> Tensor:
            found = put(site, own)
            assert site.tokens is not None
            assert site.weight is None or (site.weight == 1).all()
            assert torch.equal(found, site.tokens.to(own.dtype).expand_as(own))
            seen.append((id(site), own, found))
            return found

        monkeypatch.setattr(Site, "rows", rows)
        engine.compose(family, given, shelf.read, seed=3)
        plain[named] = seen
    for (site, own, tokens), (other, steered, same) in zip(*plain.values(), strict=True):
        assert site == other
        assert torch.equal(tokens, same)
        checked.append(float((own - steered).abs().max()))
    assert max(checked) > 1e-3, "what they replace is controlled"


def test_no_block_is_skipped_in_a_step_that_a_control_picture_counts_in(
    tiny_model, tiny_net, slope, shelf
) -> None:
    """What a net adds between blocks would count twice: once kept with the last step's, once anew."""
    folder, made = Path(tiny_model("flux")), []
    for threshold in (0.0, 10.0):
        family = load(catalog.find(str(folder)), Options(device="cpu"))
        lay_control_nets(family, {"depth": tiny_net("flux")}, PLAIN, folder)
        if threshold:
            family.reuse_blocks(threshold)
        made.append([pixels(family, controlled(slope, end=end), shelf) for end in (1.0, 0.5)])
    (whole, part), (cached, cached_in_part) = made
    assert (whole == cached).all()
    assert (part != cached_in_part).any(), "afterwards they are"


def test_pictures_of_several_kinds_add_up(opened, tiny_model, tiny_net, slope, shelf) -> None:
    family = opened("flux", "flux")
    folders = {
        "depth": tiny_net("flux"),
        "normal": tiny_net("flux"),
        "pose": tiny_net("flux-guided"),
    }
    lay_control_nets(family, folders, PLAIN, Path(tiny_model("flux")))
    assert family.nets["depth"] is family.nets["normal"]
    assert len(family.loaded_nets) == 2
    one = controlled(slope)
    twice = replace(one, control=(one.control[0], Control("normal", slope)))
    double = replace(one, control=(Control("depth", slope, 2.0),))
    assert np.abs(pixels(family, twice, shelf) - pixels(family, double, shelf)).max() < 1e-4
    third = replace(
        one, control=(*twice.control, Control("pose", slope))
    )  # of other numbers of blocks
    assert np.abs(pixels(family, third, shelf) - pixels(family, twice, shelf)).max() > 1e-3


def test_bound_to_a_layer_it_counts_where_that_is_seen(opened, slope, shelf, monkeypatch) -> None:
    family = opened("flux", "flux")
    layer = Layer(picture=shelf.flat("red", 32), rect=Rect(16, 16, 48, 48), id="a")
    composition = replace(controlled(slope, layer="a"), layers=(layer,))
    parts = []
    controlled_by = family.controlled
    monkeypatch.setattr(
        family, "controlled", lambda told: parts.extend(told) or controlled_by(told)
    )
    pixels(family, composition, shelf)
    cover = parts[0].cover.view(ROWS, COLS)
    expected = torch.zeros(ROWS, COLS)
    expected[1:4, 1:4] = 1
    assert torch.allclose(cover, expected, atol=1e-4)
    residuals = family._residuals  # which are 0 elsewhere
    with controlled_by(parts[:1]):
        tokens, ids = gaussian(0, (1, ROWS * COLS, 64)), family.grid_ids(ROWS, COLS)
        told = residuals(tokens, torch.tensor(0.5), family.encode_prompt("a", 3.0), ids)
    [sample] = told["controlnet_block_samples"]
    assert (sample[0, cover.flatten() == 0] == 0).all()
    assert sample[0, cover.flatten() > 0.9].abs().min() >= 0
    assert sample.abs().max() > 0.1
    hidden = replace(composition, layers=(replace(layer, visible=False),))
    parts.clear()
    pixels(family, hidden, shelf)
    assert parts == []


def test_what_a_model_does_not_take_is_refused(opened, tiny_model, slope, shelf) -> None:
    for family in (opened("flux", "flux", "pose"), opened("klein", ""), opened("kontext", "")):
        with pytest.raises(InvalidField) as caught:
            pixels(family, controlled(slope), shelf)
        assert caught.value.path == "$.control[0].kind"
        assert "Qwen-Image" in caught.value.fix
    family, one = opened("flux-depth", ""), controlled(slope)
    with pytest.raises(InvalidField) as caught:
        pixels(family, replace(one, control=(*one.control, Control("lines", slope))), shelf)
    assert caught.value.path == "$.control[1]"


@pytest.mark.parametrize(
    ("net", "kind", "said"),
    [
        ("qwen-image", "depth", "this model takes a FluxControlNetModel"),
        ("flux-union", "normal", "knows lines, depth, pose, but no normal"),
        ("flux-narrow", "depth", "made for a model of another size"),
        ("flux-broken", "depth", "is not whole"),
        ("nothing", "depth", "holds no control net"),
    ],
)
def test_wrong_weights_are_refused_by_name(
    opened, tiny_model, tiny_net, tmp_path, net: str, kind: str, said: str
) -> None:
    from safetensors.torch import load_file, save_file

    from support.tiny.control_nets import save_flux_net

    folder = tmp_path / net
    if net == "flux-narrow":
        save_flux_net(folder, num_attention_heads=1)
    elif net == "flux-broken":
        save_flux_net(folder)
        file = folder / "diffusion_pytorch_model.safetensors"
        weights = load_file(file)
        del weights["controlnet_blocks.0.weight"]
        save_file(weights, file, {"format": "pt"})
    elif net != "nothing":
        folder = tiny_net(net)
    family = opened("flux", "")
    with pytest.raises(UnknownModel, match=said) as caught:
        lay_control_nets(family, {kind: folder}, PLAIN, Path(tiny_model("flux")))
    assert caught.value.path == "$.control"
    assert caught.value.fix
