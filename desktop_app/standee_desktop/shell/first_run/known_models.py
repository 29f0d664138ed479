"""Known models of the daemon: looked up when they are wanted, and followed while one is downloaded."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from standee.composition import Composition, Sampling
from standee.errors import StandeeError
from standee.wire.messages import Download, KnownModels

from ...services.daemon_link import ConnectionState, DaemonLink

FOLLOW_MS = 700
"""How often a download is looked at, ms."""
LOOK_AFTER_MS = 400
"""How long the page is looked at before the daemon is asked, ms: who goes straight on needs no list."""


class ModelDownloads(QObject):
    """What the daemon knows of models, and its downloads. No method waits; answers come as signals."""

    changed = Signal(object)
    """The `KnownModels`."""
    offered = Signal(str, object)
    """The name of a model, and its `Download`, None where nothing is lacking, or the `StandeeError`."""
    refused = Signal(str, object)
    """The name of a model whose download was not begun, and the `StandeeError`."""

    def __init__(self, link: DaemonLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link, self._wanted, self._asked = link, False, False
        self._downloading: frozenset[str] = frozenset()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        link.contact_changed.connect(self._on_contact)

    def want(self, wanted: bool) -> None:
        """Somebody looks at the models from now on, or no more."""
        self._wanted = wanted
        if wanted:
            self._timer.start(LOOK_AFTER_MS)

    def offer(self, name: str) -> None:
        """Ask what a model's download is: `offered` tells its size and licence."""

        def answered(value: tuple[Download, ...] | StandeeError) -> None:
            if isinstance(value, StandeeError):
                self.offered.emit(name, value)
            else:
                self.offered.emit(name, value[0] if value else None)
                if not value:
                    self._ask()

        spec = Composition(sampling=Sampling(model=name))
        self._link.ask(lambda client: client.begin_downloads(spec), answered)

    def begin(self, name: str) -> None:
        """Download a model, whose licence the person has accepted."""
        self._order(name, stop=False)

    def stop(self, name: str) -> None:
        """Stop a download; what has arrived is kept."""
        self._order(name, stop=True)

    def _order(self, name: str, stop: bool) -> None:
        def answered(value: object) -> None:
            if isinstance(value, StandeeError):
                self.refused.emit(name, value)
            self._ask()

        self._link.ask(lambda client: client.begin_download_model(name, stop), answered)

    def _on_contact(self, contact: ConnectionState) -> None:
        if contact.state == "connected" and (self._wanted or self._downloading):
            self._timer.start(LOOK_AFTER_MS)

    def _ask(self) -> None:
        if self._asked or not (self._link.connected and (self._wanted or self._downloading)):
            return
        self._asked = True
        self._link.ask(lambda client: client.begin_known_models(), self._answered)

    def _answered(self, value: KnownModels | StandeeError) -> None:
        self._asked = False
        if isinstance(value, StandeeError):  # an older daemon, or another machine's
            return
        downloading = frozenset(one.name for one in value.models if one.state == "downloading")
        if self._downloading - downloading:
            self._link.look_for_models()
        self._downloading = downloading
        self.changed.emit(value)
        if downloading:
            self._timer.start(FOLLOW_MS)
