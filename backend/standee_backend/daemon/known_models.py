"""Known models on this machine: what each would take here, and downloads of them beside the jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from standee.errors import JobCancelled, StandeeError, UnknownModel
from standee.wire.events import Problem
from standee.wire.known_models import KnownModel
from standee.wire.messages import KnownModels

from ..catalog import catalog, download
from ..catalog.known_models import BUILT_LIKE, KNOWN
from ..event_log import event
from ..hardware import machine
from ..hardware.options import Options
from ..storage.disk_thread import DiskThread

log = logging.getLogger("standee.models")

BUNDLED = "mini"
FIELD = "$.model"


class ModelDownload:
    """A download under way, in a thread that does not keep the daemon from ending: the next one goes on with it."""

    def __init__(self, name: str, came: Callable[[], None]) -> None:
        self.name, self.done, self.size = name, 0, 0
        self._came = came
        self.error: StandeeError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"download {name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still brings something, and nobody has stopped it."""
        return self._thread.is_alive() and not self._stop.is_set()

    def stop(self) -> None:
        """Have it end at the next chunk."""
        self._stop.set()

    def _run(self) -> None:
        event(log, "model.download", model=self.name)
        try:
            observer = download.DownloadObserver(self._report, self._check)
            download.folder(catalog.find(self.name), FIELD, observer)
            self._came()
        except JobCancelled:
            return
        except StandeeError as error:
            self.error = error
        except Exception as error:
            log.exception("model.download failed")
            self.error = StandeeError(f"{self.name} could not be downloaded: {error}.")

    def _report(self, stage: str, done: int, size: int, left: float | None) -> None:
        self.done, self.size = done, size

    def _check(self) -> None:
        if self._stop.is_set():
            raise JobCancelled("The download was stopped.")


class KnownModelRequests:
    """Answers about the known models. `files` are the threads that look at them, `options` how models are loaded.

    `came` is called, in a thread, when a model has been downloaded. `speeds` tells how long pictures took, s by model.
    """

    def __init__(
        self,
        files: DiskThread,
        options: Options,
        came: Callable[[], None],
        speeds: Callable[[], Awaitable[dict[str, float]]],
    ) -> None:
        self._files, self._options, self._came, self._speeds = files, options, came, speeds
        self._survey, self._closing = DiskThread("survey"), threading.Event()
        self._device: str | None = None
        self._advice: dict[str, dict[str, Any]] = {}
        self._downloads: dict[str, ModelDownload] = {}

    def close(self) -> None:
        """Let go of the downloads: what has arrived is kept."""
        for one in self._downloads.values():
            one.stop()
        self._closing.set()
        self._survey.close()

    @property
    def downloading(self) -> bool:
        """Whether a download is under way."""
        return any(one.running for one in self._downloads.values())

    async def listed(self) -> KnownModels:
        """Return the known models. The first time this machine is looked at, which takes seconds."""
        if self._device is None:
            await self._survey(self._look)
        models, took = await self._files(self._models), await self._speeds()
        timed = tuple(replace(one, seconds=took.get(one.name)) for one in models)
        return KnownModels(models=timed, device=self._device or "")

    def download(self, name: str, stop: bool) -> None:
        """Download a known model, unless that is under way, or stop it. Raises `UnknownModel`."""
        if name not in KNOWN:
            raise UnknownModel(
                f"{name} is none of the known models.",
                path=FIELD,
                fix=f"Name one of {', '.join(KNOWN)}.",
            )
        under_way = self._downloads.get(name)
        if stop:
            if under_way is not None:
                under_way.stop()
        elif under_way is None or not under_way.running:
            self._downloads[name] = ModelDownload(name, self._came)

    def _look(self) -> None:
        """Find out once what this machine is, and what would suit it for each model."""
        if self._device is not None:  # another client asked in the meantime
            return
        here = machine.survey_apart(self._closing)
        found = machine.recommend(here, self._options) if here else []
        takes = {one.model: _takes(one) for one in found}
        published = machine.published()
        for name in KNOWN:
            like = BUILT_LIKE.get(name, name)
            if like in published:
                footprint = published[like]
                parts = (
                    footprint.transformer["none"],
                    footprint.text["none"],
                    footprint.autoencoder,
                )
                weights = sum(part.whole for part in parts)
                self._advice[name] = takes.get(like, {}) | {"weights": weights}
        self._device = ("cpu" if self._options.device == "cpu" else here.device) if here else ""

    def _models(self) -> tuple[KnownModel, ...]:
        mini = catalog.find(BUNDLED)
        bundled = KnownModel(BUNDLED, mini.description, mini.licence, state="bundled", fits=True)
        return (bundled, *(self._model(name) for name in KNOWN))

    def _model(self, name: str) -> KnownModel:
        entry, going = KNOWN[name], self._downloads.get(name)
        here = _is_here(name)
        known = KnownModel(
            name,
            entry.description,
            entry.licence,
            entry.path,
            "here" if here else "absent",
            **self._advice.get(name, {}),
        )
        if going is not None and going.running:  # also while the list of models is not told yet
            return replace(known, state="downloading", done=going.done, size=going.size)
        if going is None or here:
            return known
        return replace(known, error=Problem.of(going.error) if going.error else None)


def _is_here(name: str) -> bool:
    """Whether a model is on this machine: in the hub's cache, or where `models.toml` says."""
    try:
        return download.here(catalog.find(name)) is not None
    except StandeeError:
        return False


def _takes(advice: machine.Advice) -> dict[str, Any]:
    """Return what suits this machine as the fields of a `KnownModel`."""
    plan = advice.plan
    if plan is None:
        return {"fits": False, "reason": advice.reason}
    preset = plan.preset.note_values()
    return {"fits": True, "preset": preset, "need": plan.need, "room": plan.room}
