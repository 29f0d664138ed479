"""Missing packages of an extra, brought into this very Python with the PyTorch that suits."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from standee.files import home, private_folder

from .package_installer import Installer, InstallError
from .torch_builds import TorchBuild, choose, detect, name_of, suits

USUAL = ("backend", "desktop")
"""What most people want: the engine, and the editor."""
EXTRAS = (*USUAL, "gateway")
"""What can be brought."""
CHECKOUT = Path(__file__).resolve().parents[2]


def requirements(extra: str) -> list[str]:
    """Return what an extra needs, as `torch<3,>=2.7`. Raises `InstallError` where Standee itself is not installed."""
    try:
        known = [line.partition(";") for line in requires("standee") or ()]
    except PackageNotFoundError:
        known = []
    found = [name.strip() for name, _, marker in known if f'extra == "{extra}"' in marker]
    if not found:
        raise InstallError(
            "Standee runs from files that were not installed, so what it needs is not known. "
            f"Fix: python scripts/setup.py {extra}"
        )
    return found


def unsuitable_torch() -> TorchBuild | None:
    """Return the build that would use this machine's card, where the installed one does not; None without torch."""
    machine = detect()
    try:
        build = name_of(version("torch"), machine.system)
    except PackageNotFoundError:
        return None
    return None if suits(build, machine) else choose(machine)


def bring(extra: str, say: Callable[[str], object], torch: str = "") -> None:
    """Install what an extra needs, and for `backend` the build of PyTorch that suits, or that `torch` names.

    A named one is installed anew in any case. Raises `InstallError`, and `ValueError` for a build that there is not.
    """
    wanted = requirements(extra)
    pins = CHECKOUT / "constraints.txt"
    constraints = ["--constraint", str(pins)] if pins.is_file() else []
    installer = Installer(Path(sys.executable), private_folder(home()) / "install.log")
    tensors = next((line for line in wanted if line.startswith("torch")), None)
    if tensors is not None:
        build = choose(detect(), torch)
        if torch or unsuitable_torch():
            installer.uninstall("torch")
            importlib.invalidate_caches()
        try:
            say(f"PyTorch {version('torch')} stays.")
        except PackageNotFoundError:
            installer.install_torch(tensors, build, say, *constraints)
    say(f"Installing what standee[{extra}] needs by {installer.name}.")
    installer.install(*wanted, *constraints)
    importlib.invalidate_caches()
