"""Requests of a client about models: those that are there, those to be had, and their downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..composition import Composition
from ..wire import operations
from ..wire.messages import Cutout, Download, KnownModels, ModelDownload, ModelInfo
from ..wire.operations import Operation, TransferProgress

if TYPE_CHECKING:
    from ..wire.session import Session, Task

T = TypeVar("T")


class ModelRequests:
    """The part of a `Client` that is about models."""

    _session: Session

    def _run(self, operation: Operation[T], transfer: TransferProgress | None = None) -> T:
        raise NotImplementedError

    def models(self) -> list[ModelInfo]:
        """Return the models that compositions may name."""
        return self._run(operations.list_models())

    def downloads(self, spec: Composition | Cutout) -> tuple[Download, ...]:
        """Return what a job of this `spec` would have to download first."""
        return self._run(operations.downloads(spec))

    def known_models(self) -> KnownModels:
        """Return what models there are to have, and what each takes on the daemon's machine."""
        return self._run(operations.known_models())

    def download_model(self, model: str, stop: bool = False) -> None:
        """Have the daemon download a known model, or `stop` it; `known_models` says how far it is.

        Raises `UnknownModel` for another name.
        """
        self._run(operations.ask(ModelDownload(model=model, stop=stop)))

    def begin_models(self) -> Task[list[ModelInfo]]:
        """Like `models`."""
        return self._session.begin(operations.list_models())

    def begin_downloads(self, spec: Composition | Cutout) -> Task[tuple[Download, ...]]:
        """Like `downloads`."""
        return self._session.begin(operations.downloads(spec))

    def begin_known_models(self) -> Task[KnownModels]:
        """Like `known_models`."""
        return self._session.begin(operations.known_models())

    def begin_download_model(self, model: str, stop: bool = False) -> Task[object]:
        """Like `download_model`."""
        return self._session.begin(operations.ask(ModelDownload(model=model, stop=stop)))
