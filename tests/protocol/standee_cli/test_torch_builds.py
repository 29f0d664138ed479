"""Which build of PyTorch suits which machine, by a table of machines."""

from pathlib import Path

import pytest

from standee_cli import torch_builds
from standee_cli.torch_builds import (
    BUILDS,
    USUAL,
    Machine,
    choose,
    gfx,
    name_of,
    read_nvidia,
    suits,
)

TURING, ADA, BLACKWELL, PASCAL = (7, 5), (8, 9), (12, 0), (6, 1)


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STANDEE_TORCH", raising=False)


@pytest.mark.parametrize(
    ("machine", "build", "words"),
    [
        (Machine("linux"), "cpu", "no NVIDIA driver and no AMD GPU"),
        (Machine("win32"), "cpu", "no NVIDIA driver was found"),
        (Machine("darwin", "arm64"), USUAL, "Apple's GPU (MPS)"),
        (Machine("linux", nvidia=(580, 65, 6), capabilities=(ADA,)), "cu130", "capability 8.9"),
        (Machine("win32", nvidia=(581, 80), capabilities=(BLACKWELL,)), "cu130", "driver 581.80"),
        (Machine("linux", nvidia=(580, 65)), "cu130", "driver 580.65"),
        (Machine("linux", nvidia=(570, 86), capabilities=(BLACKWELL,)), "cu129", "12.0"),
        (Machine("linux", nvidia=(550, 54), capabilities=(TURING,)), "cu129", "7.5"),
        (Machine("linux", nvidia=(590, 1), capabilities=(PASCAL,)), "cu126", "6.1"),
        (Machine("linux", nvidia=(590, 1), capabilities=(PASCAL, ADA)), "cu130", "8.9"),
        (Machine("linux", nvidia=(470, 82), capabilities=(ADA,)), "cpu", "a newer driver (580)"),
        (Machine("linux", nvidia=(580, 1), capabilities=((3, 5),)), "cpu", "no build runs"),
        (Machine("linux", amd=(110000,)), "rocm7.2", "gfx1100"),
        (Machine("linux", amd=(100306, 90402)), "rocm7.2", "gfx942"),
        (
            Machine("linux", amd=(100306,)),
            "cpu",
            "no build for the AMD GPU that was found (gfx1036)",
        ),
        (Machine("linux", nvidia=(580, 1), amd=(100306,)), "cu130", "NVIDIA"),
        (Machine("linux", intel=True), "cpu", "Intel's GPUs"),
    ],
)
def test_the_build_follows_from_the_card_and_one_sentence_says_why(
    machine: Machine, build: str, words: str
) -> None:
    chosen = choose(machine)
    assert chosen.name == build
    assert chosen.reason.startswith("PyTorch ")
    assert chosen.reason.endswith(".")
    assert words in chosen.reason


@pytest.mark.parametrize("name", [*BUILDS, USUAL])
def test_whoever_names_a_build_gets_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine = Machine("linux", nvidia=(580,))
    by_option = choose(machine, name)
    assert by_option.name == name
    assert by_option.reason.endswith("--torch asks for it.")
    index = f"https://download.pytorch.org/whl/{name}"
    assert by_option.url == (None if name == USUAL else index)
    monkeypatch.setenv("STANDEE_TORCH", name)
    assert choose(machine).reason.endswith("STANDEE_TORCH asks for it.")
    assert choose(machine, "cpu").name == "cpu"


def test_an_unknown_build_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDEE_TORCH", "cuda")
    with pytest.raises(ValueError, match=r"STANDEE_TORCH names 'cuda'.*Fix: give auto, .* or xpu"):
        choose(Machine("linux"))


@pytest.mark.parametrize(
    ("version", "machine", "fits"),
    [
        ("2.13.0+cpu", Machine("linux"), True),
        ("2.13.0", Machine("linux"), True),  # larger than it need be
        ("2.13.0+cpu", Machine("linux", nvidia=(580,), capabilities=(ADA,)), False),
        ("2.13.0", Machine("linux", nvidia=(580,), capabilities=(ADA,)), True),
        ("2.13.0", Machine("win32", nvidia=(580,), capabilities=(ADA,)), False),
        ("2.13.0", Machine("linux", nvidia=(580,), capabilities=(PASCAL,)), False),
        ("2.13.0+cu126", Machine("linux", nvidia=(580,), capabilities=(ADA,)), True),
        ("2.13.0+cu126", Machine("linux", nvidia=(580,), capabilities=(BLACKWELL,)), False),
        ("2.13.0+rocm10.0.0", Machine("linux", amd=(110000,)), True),
        ("2.13.0", Machine("linux", amd=(110000,)), False),
        ("2.13.0", Machine("darwin", "arm64"), True),
    ],
)
def test_an_installed_build_suits_where_it_uses_the_card(
    version: str, machine: Machine, fits: bool
) -> None:
    assert suits(name_of(version, machine.system), machine) is fits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("580.65.06, 9.0\n580.65.06, 12.0\n", ((580, 65, 6), ((9, 0), (12, 0)))),
        ("470.82\n", ((470, 82), ())),
        ("Failed to initialize NVML: Driver/library version mismatch\n", ((), ())),
        ("", ((), ())),
    ],
)
def test_what_the_driver_says_is_read(text: str, found: object) -> None:
    assert read_nvidia(text) == found


def test_amd_chips_and_intel_cards_are_read_where_the_kernel_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for node, number in enumerate((0, 90010)):  # a processor, then a card
        (tmp_path / f"kfd/{node}").mkdir(parents=True)
        (tmp_path / f"kfd/{node}/properties").write_text(
            f"simd_count 4\ngfx_target_version {number}\n"
        )
    device = tmp_path / "drm/card1/device"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x8086\n")
    (device / "device").write_text("0x4680\n")  # in a processor
    monkeypatch.setattr(torch_builds, "KFD", tmp_path / "kfd")
    monkeypatch.setattr(torch_builds, "DRM", tmp_path / "drm")
    monkeypatch.setattr("sys.platform", "linux")
    found = torch_builds.detect()
    assert (found.amd, found.intel) == ((90010,), False)
    assert gfx(found.amd[0]) == "gfx90a"
    (device / "device").write_text("0x56a0\n")  # an Arc A770
    assert torch_builds.detect().intel
