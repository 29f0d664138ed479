"""Tiny random checkpoints of FLUX.2 dev and klein, made and saved by diffusers' own classes."""

from pathlib import Path

from .parts import BLOCKS, language_model, make_tokenizer, say_in_index


def save_klein(folder: Path, *, distilled: bool) -> Path:
    """Save a FLUX.2 klein of 1 double- and 2 single-stream blocks of 64 dims."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    words = transformers.Qwen3ForCausalLM(language_model(len(tokenizer), layers=28))
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
    say_in_index(folder, tokenizer=["transformers", "PixtralProcessor"])
    return folder


def _flux2_parts(*, guided: bool) -> dict[str, object]:
    import diffusers

    vae = diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        **BLOCKS,
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
