"""Tiny random checkpoints of Z-Image, made and saved by diffusers' own classes."""

from pathlib import Path

from .parts import image_autoencoder, language_model, make_tokenizer


def save_z_image(folder: Path, *, shift: float) -> Path:
    """Save a Z-Image of 1 refiner and 2 main layers of 64 dims; a shift of 3 makes it a Turbo."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=16,
        dim=64,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 12, 12],
        axes_lens=[256, 64, 64],
    )
    for padding in (transformer.x_pad_token, transformer.cap_pad_token):
        torch.nn.init.normal_(padding)
    diffusers.ZImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=shift),
        vae=image_autoencoder(),
        text_encoder=transformers.Qwen3Model(language_model(len(tokenizer), layers=2)),
        tokenizer=tokenizer,
        transformer=transformer,
    ).save_pretrained(folder)
    return folder
