"""Words that were encoded are remembered, so that text encoders on the host can stay there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend.catalog import catalog
from standee_backend.engine.families import conditioning as families
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import Conditioning
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support.composing import compose


@pytest.fixture(params=["flux", "klein-base", "z-image", "qwen-image"])
def family(request, tiny_flux: Path, tiny_model) -> Family:
    folder = tiny_flux if request.param == "flux" else tiny_model(request.param)
    return load(catalog.find(str(folder)), Options(device="cpu", offload="text"))


@pytest.fixture
def calls(family: Family, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which prompts the text encoders are asked for."""
    asked: list[str] = []
    encode = type(family).encode_prompt

    def watched(self: Family, prompt: str, guidance: float) -> Conditioning:
        asked.append(prompt)
        return encode(self, prompt, guidance)

    monkeypatch.setattr(type(family), "encode_prompt", watched)
    return asked


def same(one: Conditioning, other: Conditioning) -> bool:
    if (one.negative is None) != (other.negative is None):
        return False
    return (
        torch.equal(one.text, other.text)
        and torch.equal(one.pooled, other.pooled)
        and one.guidance == other.guidance
        and (one.negative is None or same(one.negative, other.negative))
    )


def test_words_are_encoded_once_and_found_again_bit_by_bit(family, calls) -> None:
    first = family.encode_prompts(["", "a cat"], 3.0)
    del calls[:]
    again = family.encode_prompts(["", "a cat"], 3.0)
    assert calls == []
    assert all(same(first[words], again[words]) for words in first)


def test_other_words_and_another_guidance_are_encoded(family, calls) -> None:
    family.encode_prompts(["a cat"], 3.0)
    del calls[:]
    family.encode_prompts(["a dog"], 3.0)
    assert "a dog" in calls
    del calls[:]
    assert family.encode_prompts(["a cat"], 5.0)["a cat"].guidance == 5.0
    assert "a cat" in calls


def test_the_words_used_longest_ago_are_forgotten(
    family, calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = family.encode_prompts(["a cat"], 0.0)["a cat"].size
    monkeypatch.setattr(families, "KEPT_WORDS", int(2.5 * size))
    family.encode_prompts(["a dog"], 0.0)
    family.encode_prompts(["a cat"], 0.0)
    family.encode_prompts(["a mug"], 0.0)
    del calls[:]
    family.encode_prompts(["a cat"], 0.0)
    assert calls == []
    family.encode_prompts(["a dog"], 0.0)
    assert calls == ["a dog"]


def test_text_encoders_leave_the_device_once_all_words_are_encoded(family) -> None:
    came: list[str] = []
    for hook in family.pipeline._all_hooks:
        fetch, send = hook.hook.pre_forward, hook.hook.init_hook
        hook.hook.pre_forward = lambda *a, fetch=fetch, **k: (came.append("comes"), fetch(*a, **k))[
            1
        ]
        hook.hook.init_hook = lambda module, send=send: (came.append("goes"), send(module))[1]
    family.encode_prompts(["", "a cat"], 3.0)
    first_to_go = came.index("goes")
    assert "comes" in came[:first_to_go]
    assert set(came[first_to_go:]) == {"goes"}
    del came[:]
    family.encode_prompts(["", "a cat"], 3.0)
    assert "comes" not in came


def test_words_are_counted_without_the_padding(family) -> None:
    pipeline = family.pipeline
    tokenizer = pipeline.tokenizer_2 if family.name == "flux" else pipeline.tokenizer
    for prompt in ("", "a cat"):
        said, before = prompt, 0
        if family.name == "qwen_image":
            said = pipeline.prompt_template_encode.format(prompt)
            before = pipeline.prompt_template_encode_start_idx
        elif family.name != "flux":
            said = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=family.name == "z_image",
            )
        padded = tokenizer(said, padding="max_length", max_length=256, return_tensors="pt")
        assert family.encode_prompt(prompt, 0.0).words == padded.attention_mask.sum() - before


def test_a_reference_sees_all_its_words_and_little_padding(family, shelf, monkeypatch) -> None:
    seen = []
    run = type(family).run

    def watched(self, tokens, sigma, conditioning, ids):
        if self.sites[0].mode == "capture":
            seen.append(conditioning.text)
        return run(self, tokens, sigma, conditioning, ids)

    monkeypatch.setattr(type(family), "run", watched)
    long = " ".join(["a cat on a dog"] * 4)
    for words in ("", long):
        layer = Layer(picture=shelf.disc("red", 32), rect=Rect(0, 0, 32, 32), prompt=words)
        given = Composition(canvas=Canvas(64, 64), layers=(layer,), sampling=Sampling(steps=4))
        compose(family, given, shelf.read, seed=0)
        whole = family.encode_prompt(words, 0.0)
        text = seen[0]
        seen.clear()
        assert text.shape[1] == max(whole.words, min(family.reference_text, whole.text.shape[1]))
        assert torch.equal(text, whole.text[:, : text.shape[1]])
