"""How models are loaded is checked, and what suits a machine follows from its memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch

from standee.errors import InvalidField
from standee.wire.notes import preset_text
from standee_backend.hardware.load_presets import CARDS, GIB, RESERVE, presets, room
from standee_backend.hardware.machine import Advice, Machine, published, recommend, survey
from standee_backend.hardware.memory_estimate import TOLERANCE, Footprint, host, peak
from standee_backend.hardware.options import Options, check, resolve


def card(memory: float, ram: float = 64.0, bitsandbytes: bool = True) -> Machine:
    """A machine with a graphics card of `memory` GiB."""
    return Machine(device="cuda", memory=memory, ram=ram, bitsandbytes=bitsandbytes)


def advice(machine: Machine, model: str) -> Advice:
    """What is recommended for one model."""
    return next(one for one in recommend(machine) if one.model == model)


def test_options_are_checked_without_torch() -> None:
    script = (
        "import sys; from standee_backend.hardware import options; options.check({}); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"device": "gpu"}, "$.device"),
        ({"dtype": "fp16"}, "$.dtype"),
        ({"offload": "disk"}, "$.offload"),
        ({"quantization": "nf5"}, "$.quantization"),
        ({"compile": "yes"}, "$.compile"),
        ({"token_cache": -1}, "$.token_cache"),
        ({"token_disk": -1}, "$.token_disk"),
        ({"attention": "fast"}, "$.attention"),
        ({"step_cache": -0.1}, "$.step_cache"),
        ({"step_cache": 0.1, "compile": True}, "$.step_cache"),
        ({"quantization": "fp8", "compile": True}, "$.quantization"),
        ({"token_precision": "int8"}, "$.token_precision"),
        ({"offload": "group", "quantization": "nf4"}, "$.offload"),
        ({"offload": "group", "text_quantization": "int8"}, "$.offload"),
        ({"memory": -1}, "$.memory"),
        (Options(dtype="fp16"), "$.dtype"),
    ],
)
def test_a_wrong_option_is_refused_with_its_field_and_a_fix(options: object, path: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check(options)
    assert caught.value.path == path
    assert caught.value.fix


def test_half_precision_is_refused_with_what_it_would_do() -> None:
    with pytest.raises(InvalidField, match="black pictures"):
        resolve(Options(dtype="fp16"))


def test_a_cpu_computes_in_32_bits_unless_told_otherwise() -> None:
    cpu = torch.device("cpu")
    assert resolve(Options(device="cpu")) == (cpu, torch.float32)
    assert resolve(Options(device="cpu", dtype="bf16")) == (cpu, torch.bfloat16)


@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_best_device_is_taken(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.mps, "is_available", lambda: mps)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    assert resolve(Options()) == (torch.device(device), dtype)


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve(Options(device="cuda:1"))[0] == torch.device("cuda:1")
    for device in ("cuda:2", "mps"):
        with pytest.raises(InvalidField) as caught:
            resolve(Options(device=device))
        assert caught.value.path == "$.device"


def test_quantization_without_a_graphics_card_is_refused() -> None:
    with pytest.raises(InvalidField) as caught:
        resolve(Options(device="cpu", quantization="nf4"))
    assert caught.value.path == "$.quantization"


@pytest.mark.parametrize(
    ("memory", "preset"),
    [
        (79.2, "48 GB"),
        (47.5, "48 GB"),
        (31.8, "32 GB"),
        (23.6, "24 GB"),
        (15.6, "16 GB"),
        (11.6, "12 GB"),
        (7.6, "8 GB"),
    ],
)
def test_each_preset_is_what_flux_gets_on_the_card_that_it_is_named_for(
    memory: float, preset: str
) -> None:
    plan = advice(card(memory), "FLUX.1-dev").plan
    assert plan is not None
    assert plan.preset.name == preset


def test_a_smaller_model_gets_a_better_preset() -> None:
    plan = advice(card(23.6), "FLUX.2-klein-4B").plan
    assert plan is not None
    assert plan.preset == CARDS[0]


@pytest.mark.parametrize("memory", [2, 4, 6, 8, 12, 16, 24, 32, 48, 80])
@pytest.mark.parametrize("ram", [8, 16, 32, 64])
def test_what_is_recommended_fits_into_both_memories(memory: float, ram: float) -> None:
    for one in recommend(card(memory, ram)):
        if one.plan is None:
            assert "needs" in one.reason
        else:
            assert one.plan.need <= (memory - RESERVE) * GIB * (1 + TOLERANCE)
            assert host(published()[one.model], one.plan.preset) <= ram * GIB


def test_more_memory_never_gets_a_worse_recommendation() -> None:
    for model in published():
        plans = [advice(card(memory), model).plan for memory in range(2, 81)]
        ranks = [CARDS.index(plan.preset) for plan in plans if plan]
        assert ranks == sorted(ranks, reverse=True)


def test_without_bitsandbytes_nothing_that_needs_it_is_recommended() -> None:
    plan = advice(card(11.6, bitsandbytes=False), "FLUX.1-dev").plan
    assert plan is not None
    assert plan.preset.name == "8 GB"


def test_a_mac_shares_its_memory_with_everything_else() -> None:
    assert advice(Machine(device="mps", ram=64), "FLUX.1-dev").plan
    assert not advice(Machine(device="mps", ram=32), "FLUX.1-dev").plan


def test_how_much_may_be_used_can_be_limited() -> None:
    assert room(Options(memory=6.0), 40 * GIB) == 6 * GIB
    assert room(Options(), 40 * GIB) == 39 * GIB
    assert room(Options(memory=60.0), 40 * GIB) == 39 * GIB


@pytest.mark.parametrize(
    ("options", "offloads", "quantizations"),
    [
        (Options(offload="model"), {"model"}, {"none", "fp8", "nf4"}),
        (Options(quantization="int8"), {"none", "text", "model"}, {"int8"}),
        (
            Options(offload="none", quantization="none", text_quantization="none"),
            {"none"},
            {"none"},
        ),
        (Options(offload="group"), {"group"}, {"none", "fp8"}),
        (Options(compile=True), {"none", "text", "model"}, {"none", "nf4"}),
    ],
)
def test_presets_keep_to_what_a_user_insists_on(options, offloads, quantizations) -> None:
    left = presets(options, "cuda")
    assert {preset.offload for preset in left} == offloads
    assert {preset.quantization for preset in left} == quantizations
    assert len(left) == len({(p.offload, p.quantization, p.text_quantization) for p in left})


def test_on_a_processor_precision_is_all_there_is_to_give_up() -> None:
    left = presets(Options(), "cpu")
    assert [preset.dtype for preset in left] == ["fp32", "bf16", "bf16"]
    assert {preset.offload for preset in left} == {"none"}


def test_the_facts_of_this_machine_can_be_read() -> None:
    machine = survey()
    facts = dict(machine.facts)
    assert machine.ram > 0.5
    assert facts["torch"] == torch.__version__
    assert facts["memory"] == f"{machine.ram:.1f} GiB"


def test_what_comes_with_the_package_is_what_the_published_models_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted anew on `meta`, from the published configurations."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[3] / "benchmarks"))
    import memory

    fresh = msgspec.json.decode(memory.shipped(), type=dict[str, Footprint])
    assert fresh.keys() == published().keys()
    for model, footprint in fresh.items():
        for preset in CARDS:
            assert peak(published()[model], preset) == pytest.approx(
                peak(footprint, preset), rel=0.01
            ), f"{model}, {preset.name}: run `python benchmarks/memory.py --write`"


def test_the_table_in_the_documentation_is_what_is_predicted() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "models.md").read_text("utf-8")
    for preset in CARDS:
        sizes = [
            f"{peak(footprint, preset) / GIB:.1f} / {host(footprint, preset) / GIB:.0f}"
            for footprint in published().values()
        ]
        assert f"\n| {preset.name} | {preset_text(preset.note_values())} |\n" in page
        assert f"\n| {preset.name} | {' | '.join(sizes)} |\n" in page
