"""Tiny random checkpoints of the families that Standee knows, made and saved by diffusers' own classes.

They are the published models in all but size: the same classes, the same parts, 16 px a cell.
"""

import json
from pathlib import Path

PARTS = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4


def save_klein(folder: Path, *, distilled: bool) -> Path:
    """Save a FLUX.2 klein of 1 double- and 2 single-stream blocks of 64 dims."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    words = transformers.Qwen3ForCausalLM(_language_model(len(tokenizer), layers=28))
    diffusers.Flux2KleinPipeline(
        **_flux2_parts(guided=False),
        text_encoder=words,
        tokenizer=tokenizer,
        is_distilled=distilled,
    ).save_pretrained(folder)
    return folder


def save_flux2_dev(folder: Path) -> Path:
    """Save a FLUX.2 dev of 1 double- and 2 single-stream blocks, with a Mistral that pads before its words."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    tokenizer.padding_side = "left"
    tokenizer.model_max_length = 240
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['content'][0]['text'] }}<|im_end|>{% endfor %}"
    )
    text = {
        "model_type": "mistral",
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 30,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
    }
    pictures = {"model_type": "pixtral", "hidden_size": 16, "intermediate_size": 16}
    pictures |= {"num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 8}
    language = transformers.Mistral3Config(text_config=text, vision_config=pictures)
    diffusers.Flux2Pipeline(
        **_flux2_parts(guided=True),
        text_encoder=transformers.Mistral3ForConditionalGeneration(language),
        tokenizer=tokenizer,
    ).save_pretrained(folder)
    # the published folder has a reader of pictures, which needs packages that nothing else does
    _say_in_index(folder, tokenizer=["transformers", "PixtralProcessor"])
    return folder


def _flux2_parts(*, guided: bool) -> dict[str, object]:
    import diffusers

    vae = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=PARTS[0],
        up_block_types=PARTS[1],
        latent_channels=8,
        layers_per_block=1,
        norm_num_groups=4,
    )
    vae.bn.running_mean.normal_(std=0.3)
    vae.bn.running_var.uniform_(0.5, 2.0)
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=32,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=32,
        num_attention_heads=2,
        joint_attention_dim=3 * 16,
        axes_dims_rope=(8, 8, 8, 8),
        guidance_embeds=guided,
    )
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0)
    return {"vae": vae, "transformer": transformer, "scheduler": scheduler}


def _say_in_index(folder: Path, **parts: list[str]) -> None:
    """Name parts in a folder's `model_index.json` that are not there."""
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | parts))


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
        vae=diffusers.AutoencoderKL(
            block_out_channels=(8, 8, 16, 16),
            down_block_types=PARTS[0],
            up_block_types=PARTS[1],
            latent_channels=16,
            layers_per_block=1,
            norm_num_groups=4,
            sample_size=1024,
            scaling_factor=0.3611,
            shift_factor=0.1159,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=transformers.Qwen3Model(_language_model(len(tokenizer), layers=2)),
        tokenizer=tokenizer,
        transformer=transformer,
    ).save_pretrained(folder)
    return folder


def save_qwen_image(folder: Path, *, edit: bool) -> Path:
    """Save a Qwen-Image of 2 double-stream blocks of 64 dims, or an Edit-2511, which sees references at time 0."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    text = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]},
    }
    pictures = {
        "depth": 1,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_heads": 2,
        "patch_size": 2,
    }
    language = transformers.Qwen2_5_VLConfig(
        text_config=text | {"vocab_size": len(tokenizer), "max_position_embeddings": 512},
        vision_config=pictures | {"out_hidden_size": 16, "fullatt_block_indexes": [0]},
    )
    kind = diffusers.QwenImageEditPlusPipeline if edit else diffusers.QwenImagePipeline
    kind(
        **({"processor": None} if edit else {}),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, max_shift=0.9, max_image_seq_len=8192, shift_terminal=0.02
        ),
        vae=video_autoencoder(),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(language),
        tokenizer=tokenizer,
        transformer=diffusers.QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(8, 12, 12),
            zero_cond_t=edit,
        ),
    ).save_pretrained(folder)
    if edit:  # the published folder has one, which needs packages that nothing else does
        _say_in_index(folder, processor=["transformers", "Qwen2VLProcessor"])
    return folder


def save_lora(file: Path, model: Path, *, targets: str, seed: int = 0, rank: int = 2) -> Path:
    """Save a random LoRA for a checkpoint, as a training script with peft and diffusers does."""
    import diffusers
    import peft
    import torch

    pipeline = diffusers.DiffusionPipeline.from_pretrained(model)
    torch.manual_seed(seed)
    transformer = pipeline.transformer
    transformer.add_adapter(peft.LoraConfig(r=rank, lora_alpha=rank, target_modules=targets))
    weights = peft.get_peft_model_state_dict(transformer)
    weights = {name: torch.randn_like(weight) for name, weight in weights.items()}
    pipeline.save_lora_weights(file.parent, transformer_lora_layers=weights, weight_name=file.name)
    return file


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


def make_tokenizer() -> object:
    """Return a tokenizer of letters, with the marks of conversations."""
    import transformers

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, "\u0120", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = transformers.Qwen2TokenizerFast(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[],
        model_max_length=24,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
    )
    return tokenizer


def _language_model(words: int, layers: int) -> object:
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
