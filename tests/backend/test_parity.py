"""The engine against the method's own published outputs (see the folder's README for what they pin)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from safetensors import safe_open

from standee_backend.catalog.sampling_defaults import SamplingDefaults
from standee_backend.engine.compose import denoise
from standee_backend.engine.families.conditioning import Conditioning
from standee_backend.engine.families.flux import Flux
from standee_backend.engine.references import Crop, Reference
from standee_backend.engine.schedule import Schedule

FOLDER = Path(os.environ.get("STANDEE_PARITY", Path(__file__).parents[3] / "shared" / "parity"))
CASES = sorted(FOLDER.glob("*.safetensors"))

pytestmark = pytest.mark.skipif(
    not CASES, reason=f"no parity vectors in {FOLDER}; set STANDEE_PARITY"
)


@pytest.fixture(scope="module")
def family() -> Flux:
    transformer = FluxTransformer2DModel.from_pretrained(FOLDER, subfolder="transformer").eval()
    scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(FOLDER)
    pipeline = FluxPipeline(scheduler, None, None, None, None, None, transformer)
    return Flux(pipeline, torch.device("cpu"), SamplingDefaults())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_trajectory_matches_the_published_code(family: Flux, case: Path) -> None:
    with safe_open(case, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    rows, cols = map(int, metadata["grid"].split("x"))
    sigmas = family.sigmas(int(metadata["steps"]), rows * cols)
    torch.testing.assert_close(sigmas, tensors["sigmas"])
    schedule = Schedule.of(sigmas)

    ids = family.grid_ids(rows, cols)
    prompts = [
        Conditioning(text[None], pooled[None], float(metadata["guidance_scale"]), len(text))
        for text, pooled in zip(
            tensors["prompt_embeds"], tensors["pooled_prompt_embeds"], strict=True
        )
    ]
    trajectory: list[torch.Tensor] = []
    denoise(
        family,
        tensors["initial_noise"][None],
        prompts[-1],
        ids,
        schedule,
        _references(tensors, prompts, (rows, cols), _time(float(metadata["tau"]), schedule)),
        on_step=lambda step: trajectory.append(step.latents[0]),
    )
    for ours, theirs in (
        (torch.stack(trajectory), tensors["trajectory"]),
        (trajectory[-1], tensors["final_latents"]),
    ):
        assert (ours - theirs).abs().max() / theirs.std() < 1e-4


def _references(
    tensors: dict[str, torch.Tensor],
    prompts: list[Conditioning],
    size: tuple[int, int],
    tau: float,
) -> list[Reference]:
    """Full-frame references with independent noise: the published code's own settings."""
    targets = tensors["target_masks"].flatten(1)
    owner = torch.full(targets.shape[1:], -1)
    for index, target in enumerate(targets):
        owner[target] = index
    references = []
    for index, target in enumerate(targets):
        put = target.nonzero()[:, 0]
        seen = owner[put] == index
        ends = tensors["reference_latents"][index], tensors["inverted_latents"][index]
        everything = torch.arange(len(ends[0]))
        crop = Crop(size, prompts[index], everything, str(index), lambda ends=ends: ends)
        take = tensors["source_masks"][index].flatten().nonzero()[:, 0]
        references.append(Reference(crop, take[seen], put[seen], tau, sharing=0.0))
    return references


def _time(tau: float, schedule: Schedule) -> float:
    """The published threshold is a noise level; ours is a time, above which lie the same steps."""
    return 1 - sum(level > tau for level in schedule.levels[:-1]) / schedule.steps
