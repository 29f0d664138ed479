"""Flags of the daemon, for its own command line and for `standee serve`, also from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standee import files
from standee.errors import InvalidField

LOOPBACK = "127.0.0.1"
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Flag:
    """One flag: `--name`, of a `kind`, or a switch; `many` may be given again.

    One that is `experimental` is only worth a try where the usual way is too slow or too large.
    """

    name: str
    help: str
    kind: Callable[[str], Any] = str
    default: Callable[[], Any] = lambda: None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    switch: bool = False
    many: bool = False
    experimental: bool = False

    @property
    def field(self) -> str:
        """The name of its value."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable that it may come from."""
        return f"STANDEE_{self.field.upper()}"

    def value(self, given: Any, environment: Mapping[str, str] = os.environ) -> Any:
        """Return what counts: what was given, else what the environment says, else the default.

        Raises `InvalidField`.
        """
        if given is not None and given is not False and given not in ((), []):
            return self._chosen(given)
        text = environment.get(self.variable)
        if text is None:
            return False if self.switch else self.default()
        try:
            if self.switch:
                return _truth(text)
            return text.split(",") if self.many else self._chosen(self.kind(text))
        except ValueError:
            raise InvalidField(
                f"{self.variable} is {text!r}, which is no value for --{self.name}.",
                path=f"--{self.name}",
                fix="Correct the variable, or unset it.",
            ) from None

    def _chosen(self, value: Any) -> Any:
        if self.choices and value not in self.choices:
            raise InvalidField(
                f"{value!r} is no value for --{self.name}.",
                path=f"--{self.name}",
                fix=f"Use one of: {', '.join(self.choices)}.",
            )
        return self.kind(value) if isinstance(value, str) and not self.many else value


def _truth(text: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError(text)
    return text.lower() in YES


FLAGS = (
    Flag("home", "Folder of jobs, pictures and keys.", Path, files.home, metavar="FOLDER"),
    Flag(
        "listen",
        "Address; another machine has to be paired first, by `standee pair`.",
        default=lambda: LOOPBACK,
        metavar="HOST[:PORT]",
    ),
    Flag("device", "auto, cpu, mps, cuda or cuda:N; may be repeated.", many=True),
    Flag("dtype", "auto, bf16 or fp32.", experimental=True),
    Flag("offload", "auto, none, text, model or group: slower, with less memory."),
    Flag("quantization", "auto, none, fp8, int8 or nf4: less memory and quality."),
    Flag("text-quantization", "The text encoder's, where it differs.", experimental=True),
    Flag("memory", "Device memory to use at most.", float, metavar="GIB"),
    Flag("compile", "Compile the model at first use.", switch=True, experimental=True),
    Flag(
        "attention",
        "auto, or kernels that are installed: native, flash, sage, ...",
        experimental=True,
    ),
    Flag(
        "step-cache", "Skip what changes less, as 0.1.", float, metavar="CHANGE", experimental=True
    ),
    Flag(
        "token-cache",
        "Memory that keeps subjects' tokens.",
        float,
        metavar="GIB",
        experimental=True,
    ),
    Flag(
        "token-disk", "Disk that keeps them over restarts.", float, metavar="GIB", experimental=True
    ),
    Flag(
        "token-precision",
        "model, or fp8: half of that room, a little less alike.",
        experimental=True,
    ),
    Flag(
        "cluster",
        "Compute on the machines of a Ray cluster: auto, ray://HOST:PORT or HOST:PORT.",
        default=lambda: "",
        metavar="ADDRESS",
    ),
    Flag(
        "gpus-per-slot",
        "Graphics card per job at a time: 1, or a share as 0.5; 0 for processors.",
        float,
        lambda: 1.0,
        metavar="N",
    ),
    Flag("quota", "Pictures kept per client.", float, lambda: 4.0, metavar="GIB"),
    Flag("idle-exit", "End after so long without use.", float, lambda: 0.0, metavar="MINUTES"),
    Flag("offline", "Download nothing from the hub.", switch=True),
    Flag(
        "log", "How events are written to stderr.", default=lambda: "text", choices=("text", "json")
    ),
    Flag("lazy", "Start no worker before the first job.", switch=True),
)


def settled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every flag, `given` by field or not. Raises `InvalidField`."""
    return {flag.field: flag.value(given.get(flag.field)) for flag in FLAGS}
