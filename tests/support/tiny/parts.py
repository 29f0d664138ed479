"""Parts that tiny random checkpoints of several families have: tokenizer, language model, autoencoders."""

import json
from pathlib import Path
from typing import Any

BLOCKS = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
"""An f8 autoencoder's, in four stages."""


def image_autoencoder() -> object:
    """Return the autoencoder of FLUX.1 and Z-Image, with random weights."""
    import diffusers

    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        **BLOCKS,
        latent_channels=16,
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=1024,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def video_autoencoder() -> object:
    """Return Qwen-Image's autoencoder, with random weights."""
    import diffusers

    return diffusers.AutoencoderKLQwenImage(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.3, 0.05],
        latents_std=[1.5, 2.0, 0.8, 1.2],
    )


def make_tokenizer(*marks: str) -> Any:
    """Return a tokenizer of letters, with the marks of conversations and further `marks`."""
    import transformers

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, "\u0120", "<|endoftext|>", "<|im_start|>", "<|im_end|>", *marks]
    tokenizer = transformers.Qwen2TokenizerFast(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[],
        model_max_length=24,
        additional_special_tokens=["<|im_start|>", "<|im_end|>", *marks],
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
    )
    return tokenizer


def language_model(words: int, layers: int) -> object:
    import transformers

    return transformers.Qwen3Config(
        vocab_size=words,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=64,
    )


def say_in_index(folder: Path, **parts: list[str]) -> None:
    """Name parts in a folder's `model_index.json` that are not there."""
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | parts))
