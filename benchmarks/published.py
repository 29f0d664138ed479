"""The published models at their true sizes, with random weights or none.

`build` makes one of them on any device (`meta`: no weights), and `save` writes it as a folder in diffusers layout, so
that time and memory can be measured without a download. Numbers of blocks and widths are those of the published
configurations; the tokenizers know a few words only, which does not change the sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]


def build(model: str, device: str = "meta", dtype: torch.dtype = torch.bfloat16) -> Any:
    """Return a published model as a pipeline; see `MODELS` for the names."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            made = MODELS[model]()
    finally:
        torch.set_default_dtype(before)
    for part in made.components.values():
        if isinstance(part, torch.nn.Module):
            part.to(dtype).eval().requires_grad_(False)
    return made


def save(model: str, folder: Path, device: str = "cpu") -> Path:
    """Write a published model with random weights into `folder`."""
    torch.manual_seed(0)
    build(model, device).save_pretrained(folder, max_shard_size="5GB")
    return folder


def _flux(guided: bool, kind: Any = diffusers.FluxPipeline) -> Any:
    clip = transformers.CLIPTokenizer(
        vocab={piece: index for index, piece in enumerate([*LETTERS, "<start>", "<end>"])},
        merges=[],
        bos_token="<start>",
        eos_token="<end>",
        pad_token="<end>",
        unk_token="<end>",
        model_max_length=77,
    )
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581a", -1.0)]
    t5 = transformers.T5TokenizerFast(vocab=pieces, extra_ids=0, model_max_length=512)
    return kind(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=guided, shift=3.0 if guided else 1.0
        ),
        vae=_autoencoder(),
        text_encoder=transformers.CLIPTextModel(
            transformers.CLIPTextConfig(
                hidden_size=768,
                intermediate_size=3072,
                num_attention_heads=12,
                projection_dim=768,
                bos_token_id=26,
                eos_token_id=27,
            )
        ),
        tokenizer=clip,
        text_encoder_2=transformers.T5EncoderModel(
            transformers.T5Config(
                d_model=4096,
                d_ff=10240,
                num_layers=24,
                num_heads=64,
                feed_forward_proj="gated-gelu",
            )
        ),
        tokenizer_2=t5,
        transformer=diffusers.FluxTransformer2DModel(guidance_embeds=guided),
    )


def _klein(
    double: int, single: int, heads: int, words: int, distilled: bool, **language: Any
) -> Any:
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=diffusers.AutoencoderKLFlux2(),
        text_encoder=transformers.Qwen3ForCausalLM(_qwen(hidden_size=words, **language)),
        tokenizer=_qwen_tokenizer(),
        transformer=diffusers.Flux2Transformer2DModel(
            num_layers=double,
            num_single_layers=single,
            num_attention_heads=heads,
            joint_attention_dim=3 * words,
            guidance_embeds=False,
        ),
        is_distilled=distilled,
    )


def _flux2_dev() -> Any:
    text = {
        "model_type": "mistral",
        "vocab_size": 131072,
        "hidden_size": 5120,
        "intermediate_size": 32768,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
    }
    language = transformers.Mistral3Config(text_config=text)
    tokenizer = _qwen_tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['content'][0]['text'] }}<|im_end|>{% endfor %}"
    )
    return diffusers.Flux2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=diffusers.AutoencoderKLFlux2(),
        text_encoder=transformers.Mistral3ForConditionalGeneration(language),
        tokenizer=tokenizer,
        transformer=diffusers.Flux2Transformer2DModel(),
    )


def _z_image(shift: float) -> Any:
    return diffusers.ZImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=shift),
        vae=_autoencoder(),
        text_encoder=transformers.Qwen3Model(_qwen(hidden_size=2560, intermediate_size=9728)),
        tokenizer=_qwen_tokenizer(),
        transformer=diffusers.ZImageTransformer2DModel(),
    )


def _qwen_image(edit: bool) -> Any:
    kind = diffusers.QwenImageEditPlusPipeline if edit else diffusers.QwenImagePipeline
    text = {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24]},
    }
    pictures = {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "out_hidden_size": 3584,
    }
    language = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=pictures)
    return kind(
        **({"processor": transformers.Qwen2VLImageProcessorPil()} if edit else {}),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_shift=0.9, max_image_seq_len=8192, shift_terminal=0.02
        ),
        vae=diffusers.AutoencoderKLQwenImage(),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(language),
        tokenizer=_qwen_tokenizer(),
        transformer=diffusers.QwenImageTransformer2DModel(zero_cond_t=edit),
    )


def _krea2(distilled: bool) -> Any:
    text = {
        "vocab_size": 151936,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rope_parameters": {"rope_type": "default", "mrope_section": [24, 20, 20]},
    }
    pictures = {
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "out_hidden_size": 2560,
    }
    pictures |= {"deepstack_visual_indexes": [5, 11, 17]}
    language = transformers.Qwen3VLConfig(text_config=text, vision_config=pictures)
    return diffusers.Krea2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_image_seq_len=6400
        ),
        vae=diffusers.AutoencoderKLQwenImage(),
        text_encoder=transformers.Qwen3VLModel(language),
        tokenizer=_qwen_tokenizer(),
        transformer=diffusers.Krea2Transformer2DModel(),
        is_distilled=distilled,
    )


def _autoencoder() -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=16,
        layers_per_block=2,
        sample_size=1024,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def _qwen(hidden_size: int, intermediate_size: int, tied: bool = True) -> Any:
    return transformers.Qwen3Config(
        vocab_size=151936,
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=36,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=tied,
    )


def _qwen_tokenizer() -> Any:
    marks = ["<|im_start|>", "<|im_end|>"]
    pieces = [*LETTERS, "\u0120", "<|endoftext|>", *marks]
    tokenizer = transformers.Qwen2TokenizerFast(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[],
        model_max_length=512,
        additional_special_tokens=marks,
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
    )
    return tokenizer


SMALL = {"double": 5, "single": 20, "heads": 24, "words": 2560, "intermediate_size": 9728}
LARGE = {"double": 8, "single": 24, "heads": 32, "words": 4096, "intermediate_size": 12288}

MODELS: dict[str, Callable[[], Any]] = {
    "FLUX.1-dev": lambda: _flux(guided=True),
    "FLUX.1-schnell": lambda: _flux(guided=False),
    "FLUX.1-Kontext-dev": lambda: _flux(guided=True, kind=diffusers.FluxKontextPipeline),
    "FLUX.2-dev": _flux2_dev,
    "FLUX.2-klein-4B": lambda: _klein(**SMALL, distilled=True),
    "FLUX.2-klein-base-4B": lambda: _klein(**SMALL, distilled=False),
    "FLUX.2-klein-9B": lambda: _klein(**LARGE, tied=False, distilled=True),
    "FLUX.2-klein-base-9B": lambda: _klein(**LARGE, tied=False, distilled=False),
    "Z-Image-Turbo": lambda: _z_image(shift=3.0),
    "Z-Image": lambda: _z_image(shift=6.0),
    "Krea-2-Turbo": lambda: _krea2(distilled=True),
    "Krea-2-Raw": lambda: _krea2(distilled=False),
    "Qwen-Image-2512": lambda: _qwen_image(edit=False),
    "Qwen-Image-Edit-2511": lambda: _qwen_image(edit=True),
}
