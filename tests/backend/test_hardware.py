"""How models are loaded is checked, and what suits a machine follows from its memory."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from standee.errors import InvalidField
from standee_backend.hardware import (
    PREFERENCE,
    RESERVE,
    Machine,
    Options,
    check,
    host,
    peak,
    recommend,
    resolve,
    survey,
)


def card(memory: float, ram: float = 64.0, bitsandbytes: bool = True) -> Machine:
    """A machine with a graphics card of `memory` GiB."""
    return Machine(device="cuda", memory=memory, ram=ram, bitsandbytes=bitsandbytes)


def test_options_are_checked_without_torch() -> None:
    script = (
        "import sys; from standee_backend import hardware; hardware.check({}); "
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
        ({"token_precision": "int8"}, "$.token_precision"),
        ({"offload": "group", "quantization": "nf4"}, "$.offload"),
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
    ("memory", "offload", "quantization"),
    [
        (79.2, "none", "none"),
        (39.4, "none", "none"),
        (31.4, "model", "none"),
        (23.6, "none", "int8"),
        (15.6, "model", "nf4"),
        (11.6, "model", "nf4"),
        (7.6, "group", "none"),
    ],
)
def test_what_is_recommended_follows_from_the_cards_memory(
    memory: float, offload: str, quantization: str
) -> None:
    advice = recommend(card(memory))
    assert advice.fits
    assert (advice.options.offload, advice.options.quantization) == (offload, quantization)


@pytest.mark.parametrize("memory", [4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 80])
@pytest.mark.parametrize("ram", [8, 16, 32, 64])
def test_what_is_recommended_fits_into_both_memories(memory: float, ram: float) -> None:
    advice = recommend(card(memory, ram))
    chosen = advice.options.offload, advice.options.quantization
    assert check(advice.options) == advice.options
    if advice.fits:
        assert peak(*chosen) + RESERVE <= memory
        assert host(*chosen) <= ram
    else:
        assert advice.options == Options()
        assert "bundled" in advice.reason


def test_more_memory_never_gets_a_worse_recommendation() -> None:
    advices = [recommend(card(memory)) for memory in range(4, 81)]
    choices = [(a.options.offload, a.options.quantization) for a in advices if a.fits]
    ranks = [PREFERENCE.index(choice) for choice in choices]
    assert ranks == sorted(ranks, reverse=True)


def test_offloading_and_quantizing_each_lower_the_peak() -> None:
    for quantization in ("none", "int8", "nf4"):
        peaks = [peak(offload, quantization) for offload in ("none", "model", "group")]
        assert peaks == sorted(peaks, reverse=True)
    for offload in ("none", "model"):
        peaks = [peak(offload, quantization) for quantization in ("none", "int8", "nf4")]
        assert peaks == sorted(peaks, reverse=True)


def test_a_recommendation_to_quantize_says_what_is_missing() -> None:
    assert "pip install" in recommend(card(11.6, bitsandbytes=False)).reason
    assert "pip install" not in recommend(card(11.6)).reason


def test_without_a_graphics_card_the_bundled_model_is_recommended() -> None:
    advice = recommend(Machine(device="cpu", ram=64))
    assert not advice.fits
    assert advice.options == Options()


def test_a_mac_needs_room_for_everything_else() -> None:
    assert recommend(Machine(device="mps", ram=64)).fits
    assert not recommend(Machine(device="mps", ram=32)).fits


def test_the_facts_of_this_machine_can_be_read() -> None:
    machine = survey()
    facts = dict(recommend(machine).facts)
    assert machine.ram > 0.5
    assert facts["torch"] == torch.__version__
    assert facts["memory"] == f"{machine.ram:.1f} GiB"


def test_the_estimates_are_the_sizes_of_the_weights() -> None:
    """The transformer of FLUX.1, counted without its weights."""
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        transformer = diffusers.FluxTransformer2DModel(guidance_embeds=True)
    linear = (m for m in transformer.modules() if isinstance(m, torch.nn.Linear))
    packed = sum(m.weight.numel() for m in linear)
    rest = sum(p.numel() for p in transformer.parameters()) - packed
    gib = 2**30
    bits = {"none": 16, "int8": 8, "nf4": 4.5}  # nf4 keeps a 32-bit scale for each 64 weights
    for quantization, bit in bits.items():
        weights = (packed * bit / 8 + rest * 2) / gib
        saved = peak("model", "none") - peak("model", quantization)
        assert saved == pytest.approx(22.17 - weights, abs=0.1)
    block = sum(p.numel() for p in transformer.transformer_blocks[0].parameters()) * 2 / gib
    single = itertools.islice(transformer.single_transformer_blocks, 1)
    assert 2 * block < peak("group", "none") - 4.0
    assert all(sum(p.numel() for p in s.parameters()) * 2 / gib < block for s in single)


def test_the_table_in_the_documentation_is_what_is_estimated() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text("utf-8")
    for offload, quantization in PREFERENCE:
        sizes = f"{peak(offload, quantization):.0f} GiB | {host(offload, quantization):.0f} GiB"
        assert f"| {offload} | {quantization} | {sizes} |" in page
