"""What a worker does for a job: load the model it names, keep it resident, compose or cut out.

This runs in the worker's process, the only one that imports torch. The worker hands in a way to read pictures, to
report, and to learn of a cancellation; it gets each picture when the device is done with it, to be finished beside
the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from standee.composition import Composition
from standee.errors import JobCancelled, OutOfMemory
from standee.wire.messages import Cutout

from ..catalog import catalog, download, lora_files
from ..catalog.catalog import ModelInfo
from ..catalog.download import Follower
from ..engine import images
from ..engine.compose import Step, paint
from ..engine.cutout.cutout import cut_out
from ..engine.families.base import Family
from ..engine.loading.load import load
from ..engine.preview import encode_preview
from ..engine.token_cache.cache import TokenCache
from ..engine.token_cache.disk import TokenFiles
from ..hardware.load_presets import Preset
from ..hardware.memory_estimate import Plan
from ..hardware.options import Options
from .memory_planner import Fitting, exhausted, give_back

log = logging.getLogger(__name__)

PREVIEWS = 6
"""About how many previews a picture sends on its way."""

RECEIPT_PACKAGES = ("standee", "torch", "diffusers", "transformers")


class Progress(msgspec.Struct, frozen=True):
    """How far a job is: `step` of `of` steps of a stage, and the seconds that it will still take.

    `note` says what was decided about the memory.
    """

    stage: str
    step: int
    of: int
    eta: float | None = None
    note: str = ""


class Preview(msgspec.Struct, frozen=True):
    """A small encoded picture of what a step predicts."""

    step: int
    data: bytes


class Output(msgspec.Struct, frozen=True):
    """One finished picture: encoded PNG, its size, its seed and the receipt that makes it again."""

    data: bytes
    width: int
    height: int
    seed: int
    receipt: dict[str, Any]


Read = Callable[[str], bytes]
Report = Callable[[Progress | Preview], None]
Cancelled = Callable[[], bool]
Finish = Callable[[], Output]
"""Encodes a picture; needs neither the device nor the model, so any thread may call it while these go on."""


@dataclass
class Resident:
    """The model that is loaded, under which name and how, and the subjects' tokens it has captured."""

    path: str
    family: Family
    fingerprint: str
    tokens: TokenCache
    preset: Preset


class Tasks:
    """Runs jobs one after another with one model kept loaded.

    `tokens` is the folder of captured tokens, where the options give them room on the disk.
    """

    def __init__(self, options: Options, tokens: Path | None = None) -> None:
        self.options = options
        limit = int(options.token_disk * 2**30)
        self.files = TokenFiles(tokens, limit) if tokens and limit else None
        self.fitting = Fitting(options)
        self.resident: Resident | None = None

    def run(
        self,
        kind: str,
        spec: Composition | Cutout,
        read: Read,
        report: Report,
        cancelled: Cancelled,
    ) -> Generator[Finish, None, None]:
        """Run one job; yield each of its pictures when the device is done with it.

        Raises `StandeeError`s; anything else that it raises is a failure of the job.
        """
        if isinstance(spec, Composition):
            yield from self._compose(spec, read, report, cancelled)
            return
        try:
            mask = _cut_out(spec, read, self.options.device, _follower(report, cancelled))
        except torch.OutOfMemoryError:
            give_back()
            raise OutOfMemory(
                "The device has too little memory for this cut-out.",
                path="$.model",
                fix="Use the built-in cut-out, which needs none, or a smaller model.",
            ) from None
        yield lambda: _encode(mask, 0, {})

    def _compose(
        self, composition: Composition, read: Read, report: Report, cancelled: Cancelled
    ) -> Generator[Finish, None, None]:
        """Compose all pictures of a job, going on with a smaller preset whenever the memory does not suffice."""
        info = catalog.find(composition.sampling.model)
        follower = _follower(report, cancelled)
        folder = download.folder(info, "$.sampling.model", follower)
        loras = lora_files.bring_all(composition.sampling.loras, follower)
        plan, note = self._plan(info, folder, composition, [file for file, _ in loras], report)
        started, painted = time.monotonic(), 0

        def attempt(plan: Plan, tell: Report) -> Generator[Finish, None, bool]:
            """Paint the pictures that are still missing; return whether the memory sufficed."""
            nonlocal painted
            try:
                resident = self._load(info, plan.preset, tell)
                self._lay(resident, loras, plan.room - plan.need, tell)
                resident.tokens.model = f"{resident.fingerprint} {self._computed_by(resident)}"
                for index in range(painted, composition.sampling.count):
                    watch = _Watch(resident.family, composition, index, started, tell, cancelled)
                    yield _paint(resident, composition, read, index, watch)
                    painted += 1
                log.info("%s", resident.tokens)
            except Exception as error:
                if not exhausted(error):
                    raise
                return False
            finally:
                if self.resident:
                    self.resident.family.release()
            return True

        while not (yield from attempt(plan, _noting(report, note))):
            self.resident = None
            give_back()  # all of it, before anything else comes
            failed, plan = plan, self.fitting.after(plan)
            note = (
                f"Too little memory with preset {failed.preset.name}; going on with preset"
                f" {plan.preset.name}: {plan.preset.meaning}."
            )
            log.warning("%s", note)

    def _plan(
        self,
        info: ModelInfo,
        folder: Path,
        composition: Composition,
        loras: Sequence[Path],
        report: Report,
    ) -> tuple[Plan, str]:
        """Decide how the job's model is loaded, and say so."""
        report(Progress("fitting", 0, 1))
        resident = self.resident if self.resident and self.resident.path == info.path else None
        loaded = resident.preset if resident else None
        plan = self.fitting.plan(info, folder, composition, loras, loaded)
        note = f"Memory: {plan}."
        report(Progress("fitting", 1, 1, note=note))
        log.info("%s: %s", info.name, note)
        return plan, note

    def _load(self, info: ModelInfo, preset: Preset, report: Report) -> Resident:
        here = self.resident
        if here is None or (here.path, here.preset) != (info.path, preset):
            report(Progress("loading", 0, 1))
            self.resident = here = None
            give_back()
            family = load(info, self.options, preset)
            room, precision = _room(self.options), self.options.token_precision
            tokens = TokenCache(room, precision, self.files)
            fingerprint = family.fingerprint()
            self.resident = here = Resident(info.path, family, fingerprint, tokens, preset)
        return here

    def _computed_by(self, resident: Resident) -> str:
        """Say what decides over the last bits of tokens beside the weights: device, kernels, versions."""
        device = resident.family.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        return f"{name} {self.options.attention} {self.options.compile} {_versions()}"

    def _lay(
        self, resident: Resident, loras: Sequence[tuple[Path, float]], spare: int, report: Report
    ) -> None:
        """Lay a job's LoRAs over the model, and no others; those of earlier jobs may stay in `spare` bytes."""
        adapters = resident.family.adapters
        before = adapters.active
        try:
            adapters.lay(loras, lambda: report(Progress("loading", 0, 1)), spare)
        finally:
            if adapters.active != before:
                resident.fingerprint = resident.family.fingerprint()


def _paint(
    resident: Resident, composition: Composition, read: Read, index: int, watch: _Watch
) -> Finish:
    seed = composition.sampling.seed + index
    painted = paint(
        resident.family, composition, read, seed=seed, on_step=watch, cache=resident.tokens
    )
    receipt = _receipt(composition, seed, resident)
    return lambda: _encode(painted.finish(), seed, receipt)


def _encode(pixels: NDArray[np.uint8], seed: int, receipt: dict[str, Any]) -> Output:
    height, width = pixels.shape[:2]
    return Output(images.encode_png(pixels), width, height, seed, receipt)


def _noting(report: Report, note: str) -> Report:
    """Return `report` that adds a note to all progress: a client may see the last one only."""

    def tell(what: Progress | Preview) -> None:
        noted = isinstance(what, Progress) and not what.note
        report(msgspec.structs.replace(what, note=note) if noted else what)

    return tell


def _follower(report: Report, cancelled: Cancelled) -> Follower:
    """Return what reports a download as a job's progress, and stops it when the job is cancelled."""

    def say(stage: str, done: int, of: int, left: float | None) -> None:
        report(Progress(stage, done, of, left))

    def check() -> None:
        if cancelled():
            raise JobCancelled("The job was cancelled.")

    return Follower(say, check)


def _room(options: Options) -> int:
    """Return how many bytes of the host's memory captured tokens may take."""
    if options.token_cache is not None:
        return int(options.token_cache * 2**30)
    return psutil.virtual_memory().available // 4


class _Watch:
    """Follows a picture's steps: reports, sends previews, and stops when the job is cancelled."""

    def __init__(
        self,
        family: Family,
        composition: Composition,
        index: int,
        started: float,
        report: Report,
        cancelled: Cancelled,
    ) -> None:
        self.family, self.index, self.started = family, index, started
        self.report, self.cancelled = report, cancelled
        self.count = composition.sampling.count
        self.rows = composition.canvas.height // family.patch
        self.cols = composition.canvas.width // family.patch
        self.check()

    def __call__(self, step: Step) -> None:
        self.check()
        done, of = self.index * step.of + step.done, self.count * step.of
        eta = (time.monotonic() - self.started) / done * (of - done)
        self.report(Progress("denoising", done, of, eta))
        if step.done < step.of and step.done % max(1, step.of // PREVIEWS) == 0:
            self.show(step, done)

    def show(self, step: Step, done: int) -> None:
        """Send a preview. Where none can be made, the picture is what counts."""
        try:
            data = encode_preview(self.family, step.predicted, self.rows, self.cols)
        except Exception as error:
            log.warning("There is no preview of step %d: %s", done, error)
            return
        self.report(Preview(done, data))

    def check(self) -> None:
        if self.cancelled():
            raise JobCancelled("The job was cancelled.")


def _cut_out(spec: Cutout, read: Read, device: str, follower: Follower) -> NDArray[np.uint8]:
    picture = images.decode(read(spec.picture), "$.picture")
    return cut_out(
        picture,
        box=spec.box,
        points=spec.points,
        model=spec.model,
        words=spec.words,
        finder=spec.finder,
        device=device,
        follower=follower,
    )


def _receipt(composition: Composition, seed: int, resident: Resident) -> dict[str, Any]:
    """Return what makes this very picture again: its composition with its own seed, the model, the versions."""
    one = msgspec.structs.replace(composition.sampling, seed=seed, count=1)
    laid = [lora.digest for lora in resident.family.adapters.active]
    return {
        "composition": msgspec.to_builtins(msgspec.structs.replace(composition, sampling=one)),
        "model": {
            "path": resident.path,
            "fingerprint": resident.fingerprint,
            "loras": laid,
            "preset": resident.preset.name,
        },
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    """Return what is installed; a package without metadata, run from its sources, is of version ""."""
    found = dict.fromkeys(RECEIPT_PACKAGES, "")
    for package in found:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
