"""What libraries say reaches a terminal only where it is about a person's machine or files."""

import logging
import os
import warnings
from collections.abc import Iterator

import pytest

from standee_backend.library_noise import LEVELS, be_quiet, hush


@pytest.fixture
def hushed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[warnings.WarningMessage]]:
    """What is warned of once libraries are hushed."""
    for name in LEVELS:
        monkeypatch.setenv(name, "")  # so that it comes back
        monkeypatch.delenv(name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        hush()
        yield told


@pytest.mark.parametrize(
    ("message", "kind", "module", "heard"),
    [
        ("`FluxPosEmbed` is deprecated", FutureWarning, "diffusers.models.embeddings", False),
        ("Already found a `peft_config` attribute", UserWarning, "peft.tuners.utils", False),
        ("torch.jit.script is deprecated", DeprecationWarning, "torch.jit._script", False),
        ("The NVIDIA driver on your system is too old", UserWarning, "torch.cuda", True),
        ("`Client.ask` is deprecated", DeprecationWarning, "standee.client.client", True),
    ],
)
def test_notes_to_programmers_are_left_out_and_what_is_about_the_machine_is_not(
    hushed: list[warnings.WarningMessage],
    message: str,
    kind: type[Warning],
    module: str,
    heard: bool,
) -> None:
    warnings.warn_explicit(message, kind, "there.py", 1, module)
    assert bool(hushed) is heard


def test_whoever_asks_to_hear_a_library_does(monkeypatch: pytest.MonkeyPatch) -> None:
    transformers = pytest.importorskip("transformers")
    diffusers = pytest.importorskip("diffusers")
    before = [one.utils.logging.get_verbosity() for one in (diffusers, transformers)]
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "info")
    monkeypatch.setenv("DIFFUSERS_VERBOSITY", "critical")
    try:
        hush()
        assert os.environ["TRANSFORMERS_VERBOSITY"] == "info"
        be_quiet()
        assert transformers.utils.logging.get_verbosity() == logging.INFO
        assert diffusers.utils.logging.get_verbosity() == logging.CRITICAL
    finally:
        for library, level in zip((diffusers, transformers), before, strict=True):
            library.utils.logging.set_verbosity(level)
