"""Ownership of pictures: who holds which, for which job; quotas, and what may be deleted.

A picture's bytes exist once (`blob_files.py`); an owner sees those that they uploaded or that a job made
for them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from standee.errors import QuotaExceeded

from .database import Database

LEAST = 4096
"""Bytes that a picture counts for at least: a file and its row take so much, whatever is in it."""
MAX_UPLOADS = 64
"""How many uploads of one owner may be under way; the oldest gives way to another."""


class BlobOwnership:
    """The tables `blobs` and `uses` of a database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def holds(self, owner: str, digest: str) -> bool:
        """Return whether `owner` has this picture."""
        sql = "SELECT 1 FROM blobs WHERE owner=? AND digest=? AND complete"
        return self._db.row(sql, owner, digest) is not None

    def lacks(self, owner: str, digests: Iterable[str]) -> list[str]:
        """Return those that `owner` does not have, and note that the others are in use."""
        sql = "UPDATE blobs SET touched=? WHERE owner=? AND digest=? AND complete RETURNING 1"
        with self._db.transaction():
            return [d for d in digests if self._db.row(sql, time.time(), owner, d) is None]

    def expect(self, owner: str, digest: str, size: int, quota: int) -> list[str]:
        """Make room for an upload: what was used longest ago and by no job gives way.

        Returns the pictures that no one holds any more. Raises `QuotaExceeded`.
        """
        with self._db.transaction():
            self.forget(owner, digest)
            gone = self.let_go(owner, self._oldest_uploads(owner))
            gone += self.make_room(owner, max(size, LEAST), quota, "$.size")
            upload = (owner, digest, size, time.time())
            self._db.run("INSERT INTO blobs VALUES (?,?,?,?,0)", *upload)
            return gone

    def make_room(self, owner: str, size: int, quota: int, path: str) -> list[str]:
        """Let pictures of an owner go, as many as `size` bytes more take; see `expect`.

        `path` is the field that is too much. Raises `QuotaExceeded`.
        """
        over = self.stored(owner) + size - quota
        if over <= 0:
            return []
        idle = self._db.run(
            "SELECT digest, size FROM blobs b WHERE owner=? AND NOT EXISTS (SELECT 1 FROM uses"
            " JOIN jobs ON key=job WHERE uses.digest=b.digest AND jobs.owner=b.owner)"
            " ORDER BY touched",
            owner,
        )
        gone: list[str] = []
        for row in idle:
            if over > 0:
                gone.append(row["digest"])
                over -= max(row["size"], LEAST)
        if over > 0:
            raise QuotaExceeded(
                f"Your pictures and jobs would take {over:,} bytes more than the {quota:,} allowed.",
                path=path,
                fix="Release finished jobs, or start the daemon with a larger --quota.",
            )
        return self.let_go(owner, gone)

    def _oldest_uploads(self, owner: str) -> list[str]:
        sql = "SELECT digest FROM blobs WHERE owner=? AND NOT complete ORDER BY touched DESC"
        rows = self._db.run(f"{sql} LIMIT -1 OFFSET ?", owner, MAX_UPLOADS - 1)
        return [row["digest"] for row in rows]

    def unheld(self, digests: Iterable[str]) -> list[str]:
        """Return those that no one holds and no job needs."""
        held = "SELECT 1 FROM blobs WHERE digest=:d UNION ALL SELECT 1 FROM uses WHERE digest=:d"
        return [digest for digest in digests if self._db.row(held, {"d": digest}) is None]

    def expected(self, owner: str, digest: str) -> int | None:
        """Return the size that an upload was announced with, if it was."""
        row = self._db.row("SELECT size FROM blobs WHERE owner=? AND digest=?", owner, digest)
        return None if row is None else int(row[0])

    def hold(self, owner: str, digest: str, size: int) -> None:
        """Note that `owner` has a picture."""
        row = (owner, digest, size, time.time())
        self._db.run("INSERT OR REPLACE INTO blobs VALUES (?,?,?,?,1)", *row)

    def forget(self, owner: str, digest: str) -> None:
        """Note that `owner` has a picture no more."""
        self._db.run("DELETE FROM blobs WHERE owner=? AND digest=?", owner, digest)

    def use(self, job: int, digests: Iterable[str]) -> None:
        """Note that a job needs these pictures."""
        for digest in digests:
            self._db.run("INSERT OR IGNORE INTO uses VALUES (?,?)", job, digest)

    def let_go(self, owner: str, digests: Iterable[str]) -> list[str]:
        """Take pictures from their owner, save those that a job of theirs needs.

        Returns those that no one holds any more.
        """
        held = "SELECT count(*) FROM (SELECT digest FROM blobs UNION ALL SELECT digest FROM uses)"
        gone: list[str] = []
        for digest in digests:
            self._db.run(
                "DELETE FROM blobs WHERE owner=:owner AND digest=:digest AND NOT EXISTS (SELECT 1"
                " FROM uses JOIN jobs ON key=job WHERE digest=:digest AND jobs.owner=:owner)",
                {"owner": owner, "digest": digest},
            )
            if not self._db.number(held + " WHERE digest=?", digest):
                gone.append(digest)
        return gone

    def stored(self, owner: str | None = None) -> int:
        """Return the bytes that one owner or all have here: pictures, and what jobs say and said."""
        sums = (
            f"SELECT coalesce(sum(max(size, {LEAST})), 0) FROM blobs WHERE owner=coalesce(?, owner)",
            "SELECT coalesce(sum(length(spec)), 0) FROM jobs WHERE owner=coalesce(?, owner)",
            "SELECT coalesce(sum(length(body)), 0) FROM events JOIN jobs ON key=job"
            " WHERE owner=coalesce(?, owner)",
        )
        return sum(self._db.number(sql, owner) for sql in sums)

    def digests(self) -> set[str]:
        """Return all pictures that anyone holds or a job needs."""
        rows = self._db.run("SELECT digest FROM blobs UNION SELECT digest FROM uses")
        return {row[0] for row in rows}
