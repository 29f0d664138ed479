"""Tiny random checkpoints of Qwen-Image and Qwen-Image-Edit, made and saved by diffusers' own classes."""

from pathlib import Path

from .parts import make_tokenizer, say_in_index, video_autoencoder

PICTURE_MARKS = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"


def save_qwen_image(folder: Path, *, edit: bool) -> Path:
    """Save a Qwen-Image of 2 double-stream blocks of 64 dims, or an Edit-2511, which sees references at time 0."""
    import diffusers
    import torch
    import transformers

    torch.manual_seed(0)
    tokenizer = make_tokenizer(*PICTURE_MARKS)
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
        "patch_size": 14,
    }
    language = transformers.Qwen2_5_VLConfig(
        text_config=text | {"vocab_size": len(tokenizer), "max_position_embeddings": 512},
        vision_config=pictures | {"out_hidden_size": 16, "fullatt_block_indexes": [0]},
        image_token_id=tokenizer.convert_tokens_to_ids(PICTURE_MARKS[1]),
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
        transformers.Qwen2VLImageProcessorPil().save_pretrained(folder / "processor")
        say_in_index(folder, processor=["transformers", "Qwen2VLProcessor"])
    return folder
