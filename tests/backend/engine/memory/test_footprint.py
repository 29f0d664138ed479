"""What a job will take is known before it runs: within a tenth of what it then takes, for every preset."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch.profiler import ProfilerActivity, profile

from standee import Canvas, Composition, Control, Layer, Lora, Method, Rect, Sampling, Scene
from standee_backend.catalog import catalog, lora_files
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.control_nets import lay_control_nets
from standee_backend.engine.loading.load import load
from standee_backend.engine.memory.footprint import Blueprint, outline
from standee_backend.engine.memory.live_bytes import LiveBytes
from standee_backend.engine.memory.workload import workload_of
from standee_backend.hardware.load_presets import CARDS, PROCESSOR, Preset
from standee_backend.hardware.memory_estimate import Footprint, peak, with_loras
from standee_backend.hardware.options import Options
from support import tiny
from support.composing import compose
from support.ledger import Ledger

SOME = [CARDS[3], CARDS[-1], PROCESSOR[0]]
"""One that brings whole models, one that brings groups of layers, and one with everything there, in 32 bits."""

INT8 = Preset("int8", "model", "int8", "int8")
CASES = [
    *(("flux", preset) for preset in (*CARDS, *PROCESSOR, INT8)),
    ("mini", CARDS[0]),
    *(
        (kind, preset)
        for kind in [
            "mini",
            "klein-base",
            "z-image",
            "qwen-image",
            "qwen-edit",
            "flux2-dev",
            "kontext",
            "krea2",
        ]
        for preset in SOME
    ),
]
"""The layers of the other tiny models are narrower than a block of nf4."""


@pytest.fixture(scope="module")
def folder_of(tiny_model, tiny_flux) -> Callable[[str], Path]:
    special = {"mini": catalog.MINI, "flux": tiny_flux}
    return lambda kind: special.get(kind) or tiny_model(kind)


@pytest.fixture(scope="module")
def blueprint_of(folder_of) -> Callable[[str, str], Blueprint]:
    @cache
    def make(kind: str, dtype: str) -> Blueprint:
        types = {"bf16": torch.bfloat16, "fp32": torch.float32}
        return Blueprint(outline(folder_of(kind), types[dtype], torch.device("cpu")))

    return make


@pytest.fixture
def composition(shelf) -> Composition:
    """Two subjects that fill their rectangles, so that what is estimated is what there is."""
    layers = (
        Layer(picture=shelf.flat("red", 96), rect=Rect(16, 64, 96, 96)),
        Layer(picture=shelf.flat("blue", 96), rect=Rect(128, 64, 96, 96)),
    )
    return Composition(
        canvas=Canvas(320, 256), prompt="a cat and a dog", layers=layers, sampling=Sampling(steps=3)
    )


@pytest.mark.usefixtures("quantize_on_cpu")
@pytest.mark.parametrize(
    ("kind", "preset"), CASES, ids=lambda given: getattr(given, "name", given).replace(" ", "-")
)
def test_the_peak_is_within_a_tenth_of_what_a_job_takes(
    folder_of, blueprint_of, composition: Composition, shelf, kind: str, preset: Preset
) -> None:
    plan = blueprint_of(kind, preset.dtype)
    family = load(catalog.find(str(folder_of(kind))), Options(device="cpu"), preset)
    footprint = plan.footprint(workload_of(composition, plan.family))
    taken = measured(family, composition, shelf)
    expected = predicted(footprint, preset)
    print(preset.name, {name: round(expected[name] / taken[name], 3) for name in taken})
    assert expected == pytest.approx(taken, rel=0.1)


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_what_pictures_take_before_they_are_text_is_known(
    folder_of, blueprint_of, dtype: str
) -> None:
    family = load(catalog.find(str(folder_of("qwen-edit"))), Options(device="cpu", dtype=dtype))
    with LiveBytes() as live:
        made = family.encode_seen("", 0.0, [np.zeros((80, 96, 3), np.float32)] * 2)
    tokens, patches, looking = blueprint_of("qwen-edit", dtype).family.seen_picture(96, 80)
    read = made.text.shape[1] - family.encode_prompt("", 0.0).text.shape[1]
    assert read == pytest.approx(2 * tokens, rel=0.05)  # words that number them are letters here
    on_the_host = 28 * 28 * 3 * 2 * 14 * 14 * 4  # the patches of one, before they are copied
    expected = 2 * patches + max(on_the_host, 2 * looking)
    assert expected == pytest.approx(live.peak, rel=0.05)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        *(
            (kind, what)
            for kind in ("flux", "klein-base", "z-image")
            for what in ("scene", "count")
        ),
        ("klein-base", "beside"),
        *(("qwen-edit", what) for what in ("beside", "collage")),
        ("kontext", "beside"),
        ("flux2-dev", "beside"),
    ],
)
def test_a_scene_references_beside_the_picture_and_several_pictures_are_counted_in(
    folder_of, blueprint_of, composition: Composition, shelf, kind: str, what: str
) -> None:
    if what == "scene":
        composition = replace(composition, scene=Scene(picture=shelf.flat("green", 320, 256)))
    elif what == "beside":
        composition = replace(composition, method=Method(share_by="input"))
    elif what == "collage":
        composition = replace(composition, method=Method(collage=True))
    else:
        composition = replace(composition, sampling=Sampling(steps=3, count=2))
    preset = CARDS[3]
    plan = blueprint_of(kind, preset.dtype)
    family = load(catalog.find(str(folder_of(kind))), Options(device="cpu"), preset)
    footprint = plan.footprint(workload_of(composition, plan.family))
    taken = measured(family, composition, shelf)
    print(kind, what, predicted(footprint, preset), taken)
    assert predicted(footprint, preset) == pytest.approx(taken, rel=0.1)


LAYERS = {
    "flux": r".*(attn\.to_[qkv]|ff\.net\.2|proj_mlp|proj_out)",
    "klein-base": r".*(attn\.to_q|to_qkv_mlp_proj|ff\.linear_in)",
    "z-image": r".*(attention\.to_[qkv]|feed_forward\.w[123])",
    "qwen-image": r".*(attn\.to_[qkv]|img_mlp\.net\.2)",
}
"""What large LoRAs change: the widest layers too."""


@pytest.mark.parametrize("preset", SOME, ids=lambda preset: preset.name[:2])
@pytest.mark.parametrize("kind", LAYERS)
def test_loras_are_counted_in(
    folder_of, blueprint_of, composition: Composition, shelf, tmp_path, kind: str, preset: Preset
) -> None:
    """They take about half as much as the transformer."""
    file = tmp_path / "lora.safetensors"
    tiny.save_lora(file, folder_of(kind), targets=LAYERS[kind], rank=64)
    composition = replace(composition, sampling=Sampling(steps=3, loras=(Lora(str(file)),)))
    plan = blueprint_of(kind, preset.dtype)
    footprint = plan.footprint(workload_of(composition, plan.family))
    size = lora_files.numbers(file) * plan.family.dtype.itemsize
    family = load(catalog.find(str(folder_of(kind))), Options(device="cpu"), preset)
    family.adapters.lay([(file, 1.0)])
    taken = measured(family, composition, shelf)
    expected = predicted(with_loras(footprint, size), preset)
    print(kind, preset.name, size, {name: (expected[name], taken[name]) for name in taken})
    assert expected == pytest.approx(taken, rel=0.1)


@pytest.mark.parametrize("preset", SOME, ids=lambda preset: preset.name[:2])
@pytest.mark.parametrize("kind", ["flux", "qwen-image", "z-image"])
def test_control_nets_are_counted_in(
    folder_of, blueprint_of, composition: Composition, tiny_net, shelf, kind: str, preset: Preset
) -> None:
    """A net is about as large as the transformer, and two are at work in each step."""
    control = tuple(Control(one, shelf.flat("grey", 320, 256)) for one in ("depth", "pose"))
    composition, net = replace(composition, control=control), tiny_net(kind)
    nets = {"depth": net, "pose": net}
    plan = blueprint_of(kind, preset.dtype)
    footprint = plan.footprint(workload_of(composition, plan.family, nets))
    family = load(catalog.find(str(folder_of(kind))), Options(device="cpu"), preset)
    lay_control_nets(family, nets, preset, folder_of(kind))
    taken = measured(family, composition, shelf)
    expected = predicted(footprint, preset)
    print(kind, preset.name, {name: (expected[name], taken[name]) for name in taken})
    assert expected == pytest.approx(taken, rel=0.1)


@pytest.mark.parametrize("preset", PROCESSOR[:2], ids=lambda preset: preset.name[:2])
def test_torchs_own_allocator_counts_what_is_predicted(
    folder_of, blueprint_of, composition: Composition, shelf, preset: Preset
) -> None:
    plan = blueprint_of("mini", preset.dtype)
    family = load(catalog.find("mini"), Options(device="cpu"), preset)
    parts = [part for part in family.pipeline.components.values() if hasattr(part, "parameters")]
    fullest = now = sum(t.nbytes for part in parts for t in (*part.parameters(), *part.buffers()))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        compose(family, composition, shelf.read, seed=1)
    events = profiled.profiler.kineto_results.events()
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    for _, change in sorted(changes, key=lambda change: change[0]):
        now += change
        fullest = max(fullest, now)
    footprint = plan.footprint(workload_of(composition, plan.family))
    assert peak(footprint, preset) == pytest.approx(fullest, rel=0.1)


def measured(family: Family, composition: Composition, shelf) -> dict[str, int]:
    """Return the peaks up to the last step and over all, as a job's pictures are made."""
    steps: list[int] = []
    decode: list[int] = []
    with Ledger(family) as ledger:
        for seed in range(composition.sampling.count):
            compose(
                family,
                composition,
                shelf.read,
                seed=seed,
                on_step=lambda _: steps.append(ledger.mark()),
            )
            decode.append(ledger.mark())
        family.release()
    return {"decode": max(*steps, *decode), "steps": max(steps)}


def predicted(footprint: Footprint, preset: Preset) -> dict[str, int]:
    """Return the same as it is known beforehand."""
    without = replace(footprint, working=replace(footprint.working, decode=0))
    return {
        "decode": peak(footprint, preset, ahead=False),
        "steps": peak(without, preset, ahead=False),
    }
