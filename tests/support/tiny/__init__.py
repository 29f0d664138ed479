"""Tiny random checkpoints of the families that Standee knows, made and saved by diffusers' own classes.

They are the published models in all but size: the same classes, the same parts, 16 px a cell.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .control_nets import NETS
from .flux import save_flux
from .flux2 import save_flux2_dev, save_klein
from .krea2 import save_krea2
from .lora import save_lora
from .qwen_image import save_qwen_image
from .z_image import save_z_image

__all__ = ["KINDS", "NETS", "save_lora"]

KINDS: dict[str, Callable[[Path], Path]] = {
    "flux": partial(save_flux, guided=True),
    "schnell": partial(save_flux, guided=False),
    "kontext": partial(save_flux, guided=True, kontext=True),
    "flux-depth": partial(save_flux, guided=True, control=True),
    "flux2-dev": save_flux2_dev,
    "klein": partial(save_klein, distilled=True),
    "klein-base": partial(save_klein, distilled=False),
    "z-image": partial(save_z_image, shift=6.0),
    "z-image-turbo": partial(save_z_image, shift=3.0),
    "qwen-image": partial(save_qwen_image, edit=False),
    "qwen-edit": partial(save_qwen_image, edit=True),
    "krea2": partial(save_krea2, distilled=False),
    "krea2-turbo": partial(save_krea2, distilled=True),
}
"""What saves a checkpoint of each kind into a folder, and returns that."""
