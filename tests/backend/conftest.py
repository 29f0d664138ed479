"""The bundled model, pictures to compose, and a tiny random FLUX.1 checkpoint."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor, ImageDraw

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading import load as loading
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options


class Shelf:
    """Pictures by digest, as the engine reads them."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def read(self, digest: str) -> bytes:
        return self.data[digest]

    def add_bytes(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.data[digest] = data
        return digest

    def add(self, picture: Image.Image | np.ndarray) -> str:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        out = io.BytesIO()
        picture.save(out, "PNG")
        return self.add_bytes(out.getvalue())

    def flat(self, colour: str, width: int, height: int | None = None) -> str:
        """Add an opaque picture of one colour."""
        return self.add(Image.new("RGB", (width, height or width), colour))

    def disc(self, colour: str, side: int, ground: str | None = None) -> str:
        """Add a disc, as a cut-out or on a ground."""
        clear = (*ImageColor.getrgb(colour), 0)
        picture = Image.new("RGBA", (side, side), clear if ground is None else ground)
        ImageDraw.Draw(picture).ellipse((0, 0, side - 1, side - 1), fill=colour)
        return self.add(picture if ground is None else picture.convert("RGB"))


@pytest.fixture
def shelf() -> Shelf:
    """An empty shelf of pictures."""
    return Shelf()


@pytest.fixture(scope="session")
def mini() -> Family:
    """The bundled model, loaded once."""
    torch.manual_seed(0)
    return load(catalog.find("mini"), Options(device="cpu"))


WORDS = ["a", "the", "cat", "dog", "mug", "robot", "on", "beach", "in", "snow"]

MakeFlux = Callable[[bool], Path]


@pytest.fixture(scope="session")
def make_flux(tmp_path_factory: pytest.TempPathFactory) -> MakeFlux:
    """Return `make(guided)`, which saves a random FluxPipeline and returns its folder.

    It is FLUX.1 in all but size: CLIP and T5 with their tokenizers, an f8 autoencoder of 16
    channels, a transformer of double- and single-stream blocks; 16 px a cell.
    """
    import diffusers
    import transformers

    def make_tokenizers() -> tuple[object, object]:
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

    def make_text_encoders(clip_words: int, t5_words: int) -> tuple[object, object]:
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

    def make(guided: bool) -> Path:
        folder: Path = tmp_path_factory.mktemp("flux") / "tiny"
        torch.manual_seed(0)
        tokenizer, tokenizer_2 = make_tokenizers()
        text_encoder, text_encoder_2 = make_text_encoders(len(tokenizer), len(tokenizer_2))
        pipeline = diffusers.FluxPipeline(
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=guided),
            vae=diffusers.AutoencoderKL(
                block_out_channels=(8, 8, 16, 16),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                latent_channels=16,
                layers_per_block=1,
                norm_num_groups=4,
                sample_size=1024,
                scaling_factor=0.3611,
                shift_factor=0.1159,
                use_quant_conv=False,
                use_post_quant_conv=False,
            ),
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
            transformer=diffusers.FluxTransformer2DModel(
                in_channels=64,
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

    return make


@pytest.fixture(scope="session")
def tiny_flux(make_flux: MakeFlux) -> Path:
    """The folder of a checkpoint like FLUX.1 dev. Tests do not write into it."""
    return make_flux(True)


@pytest.fixture
def quantize_on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lift diffusers' demand for a GPU: bitsandbytes itself has kernels for the CPU."""
    pytest.importorskip("bitsandbytes")
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    for bits in (4, 8):
        quantizer = getattr(bnb_quantizer, f"BnB{bits}BitDiffusersQuantizer")
        monkeypatch.setattr(quantizer, "validate_environment", lambda self, *a, **k: None)
        monkeypatch.setattr(quantizer, "update_device_map", lambda self, _: {"": "cpu"})
    cpu = torch.device("cpu"), torch.float32
    monkeypatch.setattr(loading, "resolve", lambda options: cpu)
