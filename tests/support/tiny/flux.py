"""Tiny random checkpoints of FLUX.1, made and saved by diffusers' own classes.

They are FLUX.1 in all but size: CLIP and T5 with their tokenizers, an f8 autoencoder of 16 channels, a transformer of
double- and single-stream blocks; 16 px a cell.
"""

from pathlib import Path

from .parts import image_autoencoder

WORDS = ["a", "the", "cat", "dog", "mug", "robot", "on", "beach", "in", "snow"]


def save_flux(folder: Path, *, guided: bool, kontext: bool = False, control: bool = False) -> Path:
    """Save a checkpoint like FLUX.1 dev (schnell, if not guided), like Kontext, or Depth, with `control` channels."""
    import diffusers
    import torch

    torch.manual_seed(0)
    tokenizer, tokenizer_2 = _make_tokenizers()
    text_encoder, text_encoder_2 = _make_text_encoders(len(tokenizer), len(tokenizer_2))
    kind = diffusers.FluxKontextPipeline if kontext else diffusers.FluxPipeline
    kind = diffusers.FluxControlPipeline if control else kind
    pipeline = kind(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=guided),
        vae=image_autoencoder(),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        text_encoder_2=text_encoder_2,
        tokenizer_2=tokenizer_2,
        transformer=diffusers.FluxTransformer2DModel(
            in_channels=128 if control else 64,
            out_channels=64,
            num_layers=1,
            num_single_layers=2,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=64,
            pooled_projection_dim=64,
            guidance_embeds=guided,
            axes_dims_rope=(8, 12, 12),
        ),
    )
    pipeline.save_pretrained(folder)
    return folder


def _make_tokenizers() -> tuple[object, object]:
    import transformers

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, *(letter + "</w>" for letter in letters), "<start>", "<end>"]
    clip = transformers.CLIPTokenizer(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[],
        bos_token="<start>",
        eos_token="<end>",
        pad_token="<end>",
        unk_token="<end>",
        model_max_length=77,
    )
    words = [("\u2581" + word, -float(n + 1)) for n, word in enumerate(WORDS)]
    t5 = transformers.T5TokenizerFast(
        vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *words],
        extra_ids=0,
        model_max_length=16,
    )
    return clip, t5


def _make_text_encoders(clip_words: int, t5_words: int) -> tuple[object, object]:
    import transformers

    clip = transformers.CLIPTextConfig(
        vocab_size=clip_words,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=64,
        bos_token_id=clip_words - 2,
        eos_token_id=clip_words - 1,
        pad_token_id=clip_words - 1,
    )
    t5 = transformers.T5Config(
        vocab_size=t5_words,
        d_model=64,
        d_kv=32,
        d_ff=128,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return transformers.CLIPTextModel(clip), transformers.T5EncoderModel(t5)
