"""What a job will take is known before it runs: within a tenth of what it then takes, for every preset."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend import catalog
from standee_backend.engine.compose import compose
from standee_backend.engine.footprint import Blueprint, layout_of, outline
from standee_backend.engine.loading import load
from standee_backend.hardware import Options
from standee_backend.memory import CARDS, PROCESSOR, Preset, peak

sys.path.insert(0, str(Path(__file__).parents[1]))

from ledger import Ledger

SOME = [CARDS[0], CARDS[3], CARDS[-1], PROCESSOR[0]]
INT8 = Preset("int8", "model", "int8", "int8")
CASES = [
    *((kind, preset) for kind in ("mini", "flux") for preset in (*CARDS, *PROCESSOR, INT8)),
    *((kind, preset) for kind in ("klein-base", "z-image") for preset in SOME),
]
"""The layers of tiny klein and Z-Image are narrower than a block of nf4."""


@pytest.fixture(scope="module")
def folder_of(tiny_model, tiny_flux) -> Callable[[str], Path]:
    special = {"mini": catalog.MINI, "flux": tiny_flux}
    return lambda kind: special.get(kind) or tiny_model(kind)


@pytest.fixture(scope="module")
def blueprint_of(folder_of) -> Callable[[str, str], Blueprint]:
    @cache
    def make(kind: str, dtype: str) -> Blueprint:
        types = {"bf16": torch.bfloat16, "fp32": torch.float32}
        return Blueprint(outline(folder_of(kind), types[dtype]))

    return make


@pytest.fixture
def composition(shelf) -> Composition:
    """Two subjects that fill their rectangles, so that what is estimated is what there is."""
    layers = (
        Layer(picture=shelf.flat("red", 96), rect=Rect(16, 64, 96, 96)),
        Layer(picture=shelf.flat("blue", 96), rect=Rect(128, 64, 96, 96)),
    )
    return Composition(
        canvas=Canvas(256, 256), prompt="a cat and a dog", layers=layers, sampling=Sampling(steps=3)
    )


@pytest.mark.usefixtures("quantize_on_cpu")
@pytest.mark.parametrize(
    ("kind", "preset"), CASES, ids=lambda given: getattr(given, "name", given).replace(" ", "-")
)
def test_the_peak_is_within_a_tenth_of_what_a_job_takes(
    folder_of, blueprint_of, composition: Composition, shelf, kind: str, preset: Preset
) -> None:
    plan = blueprint_of(kind, preset.dtype)
    footprint = plan.footprint(layout_of(composition, plan.family))
    family = load(catalog.find(str(folder_of(kind))), Options(device="cpu"), preset)
    with Ledger(family) as ledger:
        steps: list[int] = []
        compose(
            family, composition, shelf.read, seed=1, on_step=lambda _: steps.append(ledger.mark())
        )
        decode = ledger.mark()
        family.release()
    taken = {"decode": max(*steps, decode), "steps": max(steps)}
    without = replace(footprint, working=replace(footprint.working, decode=0))
    expected = {
        "decode": peak(footprint, preset, ahead=False),
        "steps": peak(without, preset, ahead=False),
    }
    if family.defaults.backdrop == "predicted":  # the decoder is at work before the first step
        del expected["steps"], taken["steps"]
    print(preset.name, {name: round(expected[name] / taken[name], 3) for name in taken})
    assert expected == pytest.approx(taken, rel=0.1)
