"""The one SQLite file under the store: its tables, and transactions that survive any crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from standee.errors import StorageFull

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  key INTEGER PRIMARY KEY, owner TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
  spec BLOB NOT NULL, summary TEXT NOT NULL, priority INTEGER NOT NULL, state TEXT NOT NULL,
  created REAL NOT NULL, finished REAL, attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0, cancelling INTEGER NOT NULL DEFAULT 0,
  seq INTEGER NOT NULL DEFAULT 0, UNIQUE (owner, id));
CREATE INDEX IF NOT EXISTS queue ON jobs (state, priority DESC, key);
CREATE TABLE IF NOT EXISTS events (
  job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, seq INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses (
  job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, digest TEXT NOT NULL,
  PRIMARY KEY (job, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used ON uses (digest);
CREATE TABLE IF NOT EXISTS blobs (
  owner TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, touched REAL NOT NULL,
  complete INTEGER NOT NULL, PRIMARY KEY (owner, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holders ON blobs (digest);
CREATE TABLE IF NOT EXISTS models (
  job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (
  job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS speeds (model TEXT PRIMARY KEY, seconds REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (last INTEGER NOT NULL);
INSERT INTO numbers SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM numbers);
"""
"""What came later stands in tables of its own, so that a daemon of any version opens the file."""


SPARE = 2**22
"""Bytes that deleted rows may leave in the file, for those to come."""


class Database:
    """A connection whose changes are on the disk when a transaction ends. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        for setting in (
            "auto_vacuum=INCREMENTAL",  # of a file that has tables already, once it was shrunk
            "journal_mode=WAL",
            f"journal_size_limit={SPARE}",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            self._db.execute(f"PRAGMA {setting}")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def shrink(self, spare: int) -> None:
        """Give the disk back what deleted rows took, where it is more than `spare` bytes."""
        if self._free() > spare:
            with suppress(sqlite3.OperationalError):  # it takes room to make room
                self._db.execute("VACUUM")

    def _free(self) -> int:
        return self.number("PRAGMA freelist_count") * self.number("PRAGMA page_size")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing. Blocks may nest. Raises `StorageFull`."""
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise StorageFull(
                f"The jobs' file cannot be written: {error}.",
                fix="Make room on the disk.",
                retry_after=10.0,
            ) from None
        if self._free() > SPARE:
            with suppress(
                sqlite3.OperationalError
            ):  # as above; `execute` would free one page of many
                self._db.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

    def run(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Run a statement with values by position, or by name if the only one is a map."""
        given = values[0] if len(values) == 1 and isinstance(values[0], dict) else values
        return self._db.execute(sql, given).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Like `run`; return the first row, if any."""
        rows = self.run(sql, *values)
        return rows[0] if rows else None

    def number(self, sql: str, *values: Any) -> int:
        """Like `run`; return the only number asked for."""
        return int(self.run(sql, *values)[0][0])
