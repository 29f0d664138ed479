"""Random LoRAs for tiny checkpoints, made as training scripts make them."""

from pathlib import Path


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
