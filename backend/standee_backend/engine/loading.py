"""From a model of the catalogue to a family that runs.

diffusers loads, quantizes, places and offloads; here are only the choices. Weights are read from
safetensors alone: a model named by a stranger's composition must not run code.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.hooks import apply_group_offloading
from safetensors import SafetensorError

from standee.errors import InvalidField, MissingDependency, StandeeError, UnknownModel

from .. import downloads
from ..catalog import FAMILIES, ModelInfo, describe
from ..hardware import Options, resolve
from .families.base import Defaults, Family

log = logging.getLogger(__name__)

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # else a line per multiplication

QUANTIZED = ("transformer", "text_encoder_2")
"""The parts worth quantizing: a hundredth of the weights lies elsewhere.

Where there is no second text encoder, the first is the large one.
"""

GRAPHS = 32
"""How many graphs one block may have: the modes of a site times the sizes of crops; torch gives 8."""

LEAST_TILE = 512
"""An autoencoder whose tiles would be smaller than this (px) decodes in one piece."""


def load(info: ModelInfo, options: Options) -> Family:
    """Load a model on this machine, ready to compose.

    Raises `UnknownModel` (not there, not readable, or out of reach), `InvalidField` (options that
    this machine or this model cannot do, path `$.offload` and so on), `MissingDependency`, and
    torch's own `OutOfMemoryError`.
    """
    device, dtype = resolve(options)
    for noisy in (diffusers.utils.logging, transformers.utils.logging):
        noisy.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()  # it warns of every autoencoder but its own
    folder = downloads.folder(info.path, "$.sampling.model")
    here = describe(folder)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # quantized weights are packed on the current device
    pipeline = _read(folder, here.pipeline, dtype, options)
    for part in _modules(pipeline):
        part.eval().requires_grad_(False)
    _tile(pipeline)
    module, name = FAMILIES[here.pipeline].split(".")
    family = getattr(import_module(f".families.{module}", __package__), name)
    defaults = Defaults(**here.defaults.under(info.defaults).given())
    _place(pipeline, device, options)
    opened: Family = family(pipeline, device, defaults, partial(_place, pipeline, device, options))
    if options.compile:
        _compile(pipeline, device)
    log.info("Loaded %s from %s on %s as %s", info.name, folder, device, options)
    return opened


def _read(folder: Path, pipeline: str, dtype: torch.dtype, options: Options) -> Any:
    """Read the weights from a folder, without network."""
    quantization = _quantization(folder, dtype, options)
    try:
        return getattr(diffusers, pipeline).from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            quantization_config=quantization,
        )
    except torch.OutOfMemoryError:
        raise
    except ImportError as error:
        raise MissingDependency(
            f"The model in {folder} needs a package that is not installed: {_line(error)}",
            fix="Install it into the daemon's environment.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _unknown(
            f"The model in {folder} cannot be loaded: {_line(error)}",
            "Download or save it again, with its weights as safetensors.",
        ) from error


def _quantization(
    folder: Path, dtype: torch.dtype, options: Options
) -> diffusers.PipelineQuantizationConfig | None:
    if options.quantization == "none":
        return None
    if find_spec("bitsandbytes") is None:
        raise MissingDependency(
            f"Quantization {options.quantization} needs the package bitsandbytes.",
            fix="Run `pip install bitsandbytes` in the daemon's environment.",
        )
    asked: dict[str, Any] = {"load_in_8bit": True}
    if options.quantization == "nf4":
        asked = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_compute_dtype": dtype,
        }
    configs = (diffusers.BitsAndBytesConfig(**asked), transformers.BitsAndBytesConfig(**asked))
    mapping = dict(zip(QUANTIZED, configs, strict=True))
    if not (folder / "text_encoder_2").is_dir():
        mapping["text_encoder"] = mapping.pop("text_encoder_2")
    return diffusers.PipelineQuantizationConfig(quant_mapping=mapping)


def _place(pipeline: Any, device: torch.device, options: Options) -> None:
    """Put the weights where they belong: on the device, or on the host to be fetched when needed.

    Of whole models only one is on the device at a time, and the small autoencoder: previews would
    else swap the transformer out and in again. In groups, the transformer goes block by block, the
    next one on its way while one computes. The other parts go layer by layer without such
    look-ahead: it would rely on one order of calls, and an autoencoder encodes or decodes as it
    comes.
    """
    try:
        if options.offload == "none":
            pipeline.to(device)
        elif options.offload == "model":
            pipeline.model_cpu_offload_seq = pipeline.model_cpu_offload_seq.removesuffix("->vae")
            pipeline._exclude_from_cpu_offload = ["vae"]
            pipeline.enable_model_cpu_offload(device=device)
            first, *_, last = pipeline._all_hooks
            first.hook.prev_module_hook = last  # the next prompt sends the transformer away
        else:
            ahead = device.type == "cuda"
            for part in _modules(pipeline):
                if part is pipeline.transformer:
                    part.enable_group_offload(
                        device, offload_type="block_level", num_blocks_per_group=1, use_stream=ahead
                    )
                else:
                    apply_group_offloading(part, device, offload_type="leaf_level")
    except torch.OutOfMemoryError:
        raise
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise InvalidField(
            f"This model cannot be offloaded as {options.offload!r} here: {_line(error)}",
            path="$.offload",
            fix="Use another offload; `standee doctor` says what suits this machine.",
        ) from error


def _compile(pipeline: Any, device: torch.device) -> None:
    """Compile the transformer's repeated blocks; that happens at the first step of each mode."""
    if device.type == "cuda" and find_spec("triton") is None:
        raise MissingDependency(
            "Compiling for CUDA needs the package triton.",
            fix="Run `pip install triton` (on Windows `triton-windows`), or load without compile.",
        )
    torch._dynamo.config.recompile_limit = max(GRAPHS, torch._dynamo.config.recompile_limit)
    pipeline.transformer.compile_repeated_blocks()


def _tile(pipeline: Any) -> None:
    """Let pictures larger than the autoencoder was made for be decoded in tiles."""
    if getattr(pipeline.vae, "tile_sample_min_size", 0) >= LEAST_TILE:
        pipeline.vae.enable_tiling()


def _modules(pipeline: Any) -> list[torch.nn.Module]:
    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]


def _line(error: BaseException) -> str:
    """Return the first line of what an error says, as a sentence."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said[:300].rstrip(". ") + "."


def _unknown(message: str, fix: str) -> StandeeError:
    return UnknownModel(message, path="$.sampling.model", fix=fix)
