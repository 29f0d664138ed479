"""Builds of PyTorch: which one suits a machine's graphics card, and why.

Standard library only, in the syntax of Python 3.6: `scripts/setup.py` reads this before anything is installed.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

INDEX = "https://download.pytorch.org/whl/"
VARIABLE = "STANDEE_TORCH"
"""Names a build for every installation, as `--torch` does for one."""


class CudaBuild(NamedTuple):
    """A build for NVIDIA cards: the oldest driver, and the compute capabilities from `oldest` to below `newest`."""

    name: str
    driver: int
    oldest: "Tuple[int, int]"
    newest: "Tuple[int, int]"


CUDA = (
    CudaBuild("cu130", 580, (7, 5), (99, 0)),
    CudaBuild("cu132", 580, (7, 5), (99, 0)),
    CudaBuild("cu129", 525, (7, 5), (99, 0)),
    CudaBuild("cu126", 525, (5, 0), (10, 0)),
)
"""Best first. CUDA 13 has left out cards before Turing, CUDA 12.6 has none since Blackwell."""

ROCM = ("rocm7.2", "rocm7.1")
AMD = {
    *(90000, 90006, 90008, 90010, 90402, 90500),
    *(100300, 110000, 110001, 110002, 110500, 110501, 120000, 120001),
}
"""AMD's chips that PyTorch is built for, as the kernel numbers them: 100300 is gfx1030."""

BUILDS = ("cpu", *(build.name for build in CUDA), *ROCM, "xpu")
"""What PyTorch's own index has of the pinned version; the usual index has one of them for each system."""
USUAL = "usual"
CHOICES = ("auto", USUAL, *BUILDS)

KFD = Path("/sys/class/kfd/kfd/topology/nodes")
"""Where Linux lists what AMD's driver can compute on."""
DRM = Path("/sys/class/drm")
INTEL_CARDS = re.compile(r"0x(56|e2|0bd)")
"""Device numbers of Intel's cards of their own: Arc A, Arc B, and Data Center Max."""


class Machine(NamedTuple):
    """What decides which build suits. `nvidia` is the driver's version, `capabilities` those of the cards."""

    system: str
    processor: str = "x86_64"
    nvidia: "Tuple[int, ...]" = ()
    capabilities: "Tuple[Tuple[int, int], ...]" = ()
    amd: "Tuple[int, ...]" = ()
    intel: bool = False


class TorchBuild(NamedTuple):
    """A build: its name on PyTorch's index, or `usual`, and one sentence that says why this one."""

    name: str
    reason: str

    @property
    def url(self) -> "Optional[str]":
        """The address of its index; None for the usual one."""
        return None if self.name == USUAL else INDEX + self.name


def choose(machine: Machine, wanted: str = "") -> TorchBuild:
    """Return the build that suits a machine, or the one that is `wanted`; without either, what `STANDEE_TORCH` names.

    Raises `ValueError` for a name that there is not.
    """
    source = "--torch"
    if not wanted:
        wanted, source = os.environ.get(VARIABLE, "auto"), VARIABLE
    if wanted not in CHOICES:
        raise ValueError(
            "{} names {!r}, and there is no such build of PyTorch. Fix: give {} or {}.".format(
                source, wanted, ", ".join(CHOICES[:-1]), CHOICES[-1]
            )
        )
    if wanted != "auto":
        return TorchBuild(wanted, _sentence(wanted, f"{source} asks for it"))
    if machine.system == "darwin":
        return _build(USUAL, "the one for macOS computes on Apple's GPU (MPS)")
    if machine.nvidia:
        return _for_nvidia(machine)
    if machine.amd:
        return _for_amd(machine)
    if machine.intel:
        return _build("cpu", "Standee does not compute on Intel's GPUs yet (`xpu` is their build)")
    if machine.system == "linux":
        return _build("cpu", "no NVIDIA driver and no AMD GPU was found")
    return _build("cpu", "no NVIDIA driver was found")


def suits(build: str, machine: Machine) -> bool:
    """Whether a build that is installed makes use of a machine's card as the best one does."""
    best = choose(machine, "auto").name
    if best in (build, "cpu"):
        return True
    return build in cuda_builds(machine) or (best in ROCM and build.startswith("rocm"))


def cuda_builds(machine: Machine) -> "Tuple[str, ...]":
    """Return the builds for NVIDIA cards that run on a machine, best first; its newest card decides."""
    card = max(machine.capabilities) if machine.capabilities else None
    return tuple(
        build.name
        for build in CUDA
        if machine.nvidia
        and machine.nvidia[0] >= build.driver
        and (card is None or build.oldest <= card < build.newest)
    )


def name_of(version: str, system: str) -> str:
    """Return the build that an installed version is: `2.13.0+cpu` names it, the usual index's do not."""
    local = version.partition("+")[2]
    if local or system == "darwin":
        return local or USUAL
    return "cpu" if system == "win32" else CUDA[0].name


def _for_nvidia(machine: Machine) -> TorchBuild:
    driver = ".".join(map(str, machine.nvidia))
    found = cuda_builds(machine)
    if found:
        card = "{}.{}".format(*max(machine.capabilities)) if machine.capabilities else ""
        has = f"an NVIDIA card of compute capability {card} " if card else "an NVIDIA card "
        return _build(found[0], f"{has}with driver {driver} was found")
    return _build(
        "cpu",
        f"no build runs this NVIDIA card with driver {driver}; a newer driver (580) may help",
    )


def _for_amd(machine: Machine) -> TorchBuild:
    known = [number for number in machine.amd if number in AMD]
    if known:
        return _build(ROCM[0], f"an AMD GPU ({gfx(max(known))}) was found")
    chips = ", ".join(gfx(number) for number in machine.amd)
    return _build("cpu", f"PyTorch has no build for the AMD GPU that was found ({chips})")


def gfx(number: int) -> str:
    """Return AMD's name of a chip that the kernel numbers, as 90010 for gfx90a."""
    return f"gfx{number // 10000}{number // 100 % 100}{number % 100:x}"


def _build(name: str, why: str) -> TorchBuild:
    return TorchBuild(name, _sentence(name, why))


def _sentence(name: str, why: str) -> str:
    if name == USUAL:
        what = "from the usual index"
    elif name.startswith("cu"):
        what = f"for CUDA {name[2:4]}.{name[4:]} ({name})"
    elif name.startswith("rocm"):
        what = f"for ROCm {name[4:]} ({name})"
    else:
        what = {"cpu": "for the CPU (cpu)", "xpu": "for Intel GPUs (xpu)"}[name]
    return f"PyTorch {what}: {why}."


# What the machine has


def detect() -> Machine:
    """Look at this machine; takes a fraction of a second."""
    system = sys.platform
    driver, capabilities = _nvidia()
    linux = system == "linux"
    return Machine(
        system,
        platform.machine(),
        driver,
        capabilities,
        _amd() if linux else (),
        _intel() if linux else False,
    )


def _nvidia() -> "Tuple[Tuple[int, ...], Tuple[Tuple[int, int], ...]]":
    """The driver's version and the cards' compute capabilities; a driver from before 2022 does not tell the latter."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return (), ()
    for query in ("driver_version,compute_cap", "driver_version"):
        command = [program, "--query-gpu=" + query, "--format=csv,noheader"]
        try:
            answer = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                timeout=20,
            )
        except (OSError, subprocess.TimeoutExpired):
            return (), ()
        if answer.returncode == 0:
            return read_nvidia(answer.stdout)
    return (), ()


def read_nvidia(text: str) -> "Tuple[Tuple[int, ...], Tuple[Tuple[int, int], ...]]":
    """Return driver and compute capabilities out of lines such as `580.65.06, 9.0`."""
    driver = ()  # type: Tuple[int, ...]
    capabilities = []
    for line in text.splitlines():
        found = re.match(r"\s*(\d+(?:\.\d+)*)\s*(?:,\s*(\d+)\.(\d+))?\s*$", line)
        if found:
            driver = tuple(map(int, found.group(1).split(".")))
            if found.group(2):
                capabilities.append((int(found.group(2)), int(found.group(3))))
    return driver, tuple(capabilities)


def _amd() -> "Tuple[int, ...]":
    chips = []
    for file in sorted(KFD.glob("*/properties")):
        try:
            found = re.search(r"^gfx_target_version (\d+)$", file.read_text(), re.MULTILINE)
        except OSError:
            continue
        if found and int(found.group(1)):  # a processor has 0
            chips.append(int(found.group(1)))
    return tuple(chips)


def _intel() -> bool:
    for file in DRM.glob("card*/device/vendor"):
        try:
            number = (file.parent / "device").read_text().strip()
            if file.read_text().strip() == "0x8086" and INTEL_CARDS.match(number):
                return True
        except OSError:
            continue
    return False
