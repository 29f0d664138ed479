"""Tiny random checkpoints of Krea 2, made and saved by diffusers' own classes."""

from pathlib import Path

from .parts import make_tokenizer, video_autoencoder


def save_krea2(folder: Path, *, distilled: bool) -> Path:
    """Save a Krea 2 of 2 blocks of 64 dims, with one key for two queries; Turbo, if it is distilled."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 1, 1]},
    }
    pictures = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2}
    pictures |= {"out_hidden_size": 16, "patch_size": 2, "num_position_embeddings": 16}
    language = transformers.Qwen3VLConfig(
        text_config=text, vision_config=pictures | {"deepstack_visual_indexes": [0]}
    )
    transformer = diffusers.Krea2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        attention_head_dim=32,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=64,
        timestep_embed_dim=16,
        text_hidden_dim=16,
        num_text_layers=2,
        text_num_attention_heads=2,
        text_num_key_value_heads=2,
        text_intermediate_size=32,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(8, 12, 12),
    )
    for name, weight in transformer.named_parameters():
        if "scale_shift_table" in name:  # which are nothing before training
            torch.nn.init.normal_(weight, std=0.3)
    diffusers.Krea2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_image_seq_len=6400
        ),
        vae=video_autoencoder(),
        text_encoder=transformers.Qwen3VLModel(language),
        tokenizer=tokenizer,
        transformer=transformer,
        text_encoder_select_layers=(1, 2),
        is_distilled=distilled,
    ).save_pretrained(folder)
    return folder
