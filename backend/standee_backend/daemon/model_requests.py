"""Requests for models: which there are, which a job may use, what would be downloaded for it."""

from __future__ import annotations

import asyncio
import time

from standee.composition import Composition
from standee.errors import InvalidField, StandeeError, UnknownModel
from standee.wire.messages import GRABCUT, Cutout, Download, ModelInfo

from ..catalog import catalog, needed
from ..catalog.needed import Needed
from ..storage.disk_thread import DiskThread

LOOK_AGAIN = 5.0
"""Seconds for which the list of models is not looked up again."""
LOOKS_WITHIN = 10.0
"""Seconds that a model's and LoRAs' files may take to be looked at; a dead mount takes for ever."""


class Models:
    """The models of this machine. `files` are the threads that look at them."""

    def __init__(self, files: DiskThread) -> None:
        self._files, self._hub = files, DiskThread("hub", threads=2)
        self._known: tuple[ModelInfo, ...] = ()
        self._looked = float("-inf")

    def close(self) -> None:
        self._hub.close()

    async def listed(self) -> tuple[ModelInfo, ...]:
        """Return the models there are, looked up anew when the last look is some seconds old."""
        if time.monotonic() - self._looked > LOOK_AGAIN:
            self._known = tuple(await self._files(catalog.models))
            self._looked = time.monotonic()
        return self._known

    def look_again(self) -> None:
        """Have the next list looked up anew: a model has come."""
        self._looked = float("-inf")

    async def of_job(
        self, spec: Composition | Cutout, *, local: bool, agreed: bool
    ) -> ModelInfo | None:
        """Return the model that a composition names, when a job may use it and all else that it names.

        What is not on this machine has to be `agreed` to. Who is not the user of this machine may name what is listed
        and here, and learns nothing of other files: each miss is the same sentence.
        Raises `UnknownModel`, `InvalidField`, `DownloadNeeded`.
        """
        if not local:
            await self._check_offered(spec)
        info, lacking = await self._look(spec)
        if not local and lacking:
            raise _not_offered(spec)
        if not agreed:
            await self._files(needed.check, lacking)
        return info

    async def downloads(self, spec: Composition | Cutout) -> tuple[Download, ...]:
        """Return what has to be downloaded before a job can run. Raises what the hub's refusals mean."""
        _, lacking = await self._look(spec)
        found: dict[str, Download] = {}
        for one in lacking:
            offer = await self._hub(one.offer)
            found[one.repository] = Download(
                repository=offer.repository,
                size=offer.size,
                licence=offer.licence[:200],
                licence_url=offer.licence_url[:1000],
                gated=offer.gated,
            )
        return tuple(found.values())

    async def _check_offered(self, spec: Composition | Cutout) -> None:
        if isinstance(spec, Cutout):
            if spec.model not in (None, GRABCUT) or spec.finder or spec.words.strip():
                raise _not_offered(spec)
            return
        if spec.sampling.model not in [one.name for one in await self.listed()]:
            raise _not_offered(spec)
        if spec.sampling.loras:
            raise InvalidField(
                "LoRAs are files of the daemon's machine, which are not offered to others.",
                path="$.sampling.loras",
                fix="Leave them out, or compose on the daemon's own machine.",
            )

    async def _look(
        self, spec: Composition | Cutout
    ) -> tuple[catalog.ModelInfo | None, list[Needed]]:
        """Look at what a job names, for a while; return its model, and what is not on this machine."""

        def look() -> tuple[catalog.ModelInfo | None, list[Needed]]:
            if isinstance(spec, Cutout):
                return None, needed.by_cutout(spec)
            info = catalog.find(spec.sampling.model)
            return info, needed.by_composition(info, spec)

        try:
            async with asyncio.timeout(LOOKS_WITHIN):
                return await self._files(look)
        except TimeoutError:
            raise UnknownModel(
                f"The files of a model or LoRA did not answer within {LOOKS_WITHIN:.0f} s.",
                path="$.sampling",
                fix="Check the disk or network folder that they are on.",
            ) from None


def _not_offered(spec: Composition | Cutout) -> StandeeError:
    if isinstance(spec, Cutout):
        path = "$.finder" if spec.model in (None, GRABCUT) else "$.model"
        fix = "Name none, for the one that is usual there."
    else:
        path, fix = "$.sampling.model", "Name one of the daemon's list of models."
    return UnknownModel("This model is not offered to other machines.", path=path, fix=fix)
