"""Packages that the parts of Standee rest on, by extra, and which of them are not installed here.

Nothing is imported to find out. Packages that only some pictures or files need have errors of their own,
where they are used: `USEFUL` names them, and `standee doctor` looks for them too.
"""

from __future__ import annotations

import importlib.util

from ..errors import MissingDependency

PARTS = {
    "backend": "standee_backend",
    "desktop": "standee_desktop",
    "gateway": "standee_gateway",
}
"""The part of Standee that an extra is for."""

NEEDED = {
    "backend": {
        "accelerate": "accelerate",
        "cv2": "opencv-python-headless",
        "diffusers": "diffusers",
        "huggingface_hub": "huggingface_hub",
        "numpy": "numpy",
        "PIL": "pillow",
        "psutil": "psutil",
        "safetensors": "safetensors",
        "torch": "torch",
        "transformers": "transformers",
    },
    "desktop": {"PIL": "pillow", "PySide6": "PySide6-Essentials"},
    "gateway": {
        "mcp": "mcp",
        "PIL": "pillow",
        "python_multipart": "python-multipart",
        "starlette": "starlette",
        "uvicorn": "uvicorn",
    },
}
"""What a part does not start without: modules, and the packages that bring them."""

USEFUL = {
    "backend": {"onnxruntime": "onnxruntime", "peft": "peft"},
    "desktop": {"psd_tools": "psd-tools"},
    "gateway": {},
}
"""What a part starts without: networks for cut-outs in ONNX files, LoRAs, Photoshop files."""


def missing_packages(extra: str) -> list[str]:
    """Return the packages, as pip knows them, that an extra does not start without and that are not here."""
    return [name for module, name in NEEDED[extra].items() if not _is_here(module)]


def require(extra: str) -> None:
    """Raise `MissingDependency`, which names the packages, unless an extra is installed as a whole."""
    missing = missing_packages(extra)
    if missing or not _is_here(PARTS[extra]):
        raise MissingDependency(
            f"standee[{extra}] is not installed here: {', '.join(missing) or PARTS[extra]} missing.",
            fix=f"Run `standee doctor --fix {extra}`.",
        )


def _is_here(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
