"""Model speeds: how long a picture of each model took on this machine, measured at its last job."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from .database import Database


class _Named(Struct):
    name: str


class ModelSpeeds:
    """Seconds a picture by the name of its model, in the jobs' file."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, model: bytes, seconds: float) -> None:
        """Take what a picture took; `model` is JSON, as a job has it."""
        name = msgspec.json.decode(model, type=_Named).name
        self._db.run("INSERT OR REPLACE INTO speeds VALUES (?,?)", name, seconds)

    def known(self) -> dict[str, float]:
        """Return the seconds of the last pictures by the names of their models."""
        return {row["model"]: row["seconds"] for row in self._db.run("SELECT * FROM speeds")}
