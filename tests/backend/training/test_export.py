from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from diffusers import FluxPipeline

from training import export, text, transformer
from training.presets import PRESETS


def test_a_deeper_network_begins_as_the_shallower_one(mini: Path, tmp_path: Path) -> None:
    """With other words in its vocabulary too."""
    old = FluxPipeline.from_pretrained(mini, dtype=torch.float32)
    config = old.transformer.config
    deeper = dataclasses.replace(
        PRESETS["cpu"],
        double_blocks=config.num_layers + 1,
        single_blocks=config.num_single_layers + 3,
    )
    export.take_up(mini, tmp_path, deeper, ["unheard of thing"])
    new = transformer.load(tmp_path, deeper, ["unheard of thing"])
    assert len(new.transformer.single_transformer_blocks) == config.num_single_layers + 3

    torch.manual_seed(0)
    tokens, ids = torch.randn(1, 16, 64), transformer.grid_ids(4, 4, 0, 0, torch.device("cpu"))
    prompt, sigma = "a beach at sunset", torch.tensor([0.6])
    with torch.inference_mode():
        states, pooled, text_ids = old.encode_prompt(
            prompt=prompt, prompt_2=None, max_sequence_length=text.MAX_TOKENS
        )
        expected = old.transformer(
            hidden_states=tokens,
            timestep=sigma,
            encoder_hidden_states=states,
            pooled_projections=pooled,
            txt_ids=text_ids,
            img_ids=ids,
            return_dict=False,
        )[0]
        t5_ids, clip_ids = (
            text.token_ids(tokenizer, [prompt])
            for tokenizer in (new.t5_tokenizer, new.clip_tokenizer)
        )
        states, pooled = text.encode(new.t5, new.clip, t5_ids, clip_ids)
        velocity = transformer.velocity(new, tokens, sigma, states, pooled, ids)
    assert torch.allclose(velocity, expected, atol=1e-4)
