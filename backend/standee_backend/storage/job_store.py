"""Jobs and their events, in a file that survives any crash: the daemon's queue and its memory.

A call returns when its change is on the disk. All calls come from one thread at a time. A job's
durable events are numbered in strides of `STRIDE`; the numbers between are for what is only sent
(progress), so that numbers never repeat, whatever was lost in a crash.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from standee.errors import Conflict, QuotaExceeded, UnknownJob
from standee.wire.events import AnyEvent, Cancelled, Event, Failed, Problem, Queued, Result, Started
from standee.wire.messages import JobInfo, State

from .blob_ownership import BlobOwnership
from .database import Database
from .job import Job
from .model_speeds import ModelSpeeds

STRIDE = 100_000
PAGE = 500
"""How many jobs one answer lists."""
PAGE_BYTES = 2**21
"""How much of a job's events is read at once; one alone may be larger."""
MAX_CRASHES = 3
"""A job that took so many workers down with it fails."""
MAX_ATTEMPTS = 10
"""A job that so many daemons did not survive fails."""

E = TypeVar("E", bound=Event)


Choose = Callable[[list[Job]], Job | None]
_LISTED = "key, id, kind, state, created, finished, priority, attempts, summary"
_COLUMNS = ", ".join(name for name in Job.__struct_fields__ if name != "model")
JOBS = (
    f"SELECT {_COLUMNS}, coalesce((SELECT body FROM models WHERE job=key), x'') AS model FROM jobs"
)


class JobStore:
    """The jobs of one daemon."""

    def __init__(self, path: Path) -> None:
        self._db = Database(path)
        self.ownership, self.speeds = BlobOwnership(self._db), ModelSpeeds(self._db)
        self._served: dict[str, int] = {}
        self._turn = 0

    def close(self) -> None:
        self._db.close()

    # -- the life of a job -----------------------------------------------------------------------

    def submit(
        self,
        owner: str,
        job_id: str,
        kind: str,
        spec: bytes,
        *,
        model: bytes = b"",
        digests: Iterable[str] = (),
        priority: int = 0,
        summary: str = "",
        limit: int = 256,
        quota: int | None = None,
    ) -> tuple[Job, Queued | None, list[str]]:
        """Accept a job, or find the one of that id, which comes without an event.

        Third come the pictures that gave way to it, which no one holds any more. Raises `Conflict`, and
        `QuotaExceeded` where the owner has `limit` unfinished jobs, or keeps `quota` bytes in pictures and jobs.
        """
        with self._db.transaction():
            known = self._find(owner, job_id)
            if known is not None:
                if (known.kind, known.spec) != (kind, spec):
                    raise Conflict(
                        f"Job {job_id} exists already and is another one.",
                        path="$.job",
                        fix="Give each job an id of its own.",
                    )
                return known, None, []
            open_jobs = "SELECT count(*) FROM jobs WHERE owner=? AND state IN ('queued','running')"
            if self._db.number(open_jobs, owner) >= limit:
                raise QuotaExceeded(
                    f"There are {limit} unfinished jobs already.",
                    fix="Wait for some of them, or cancel them.",
                    retry_after=10.0,
                )
            key = self._number()
            self._db.run(
                "INSERT INTO jobs (key, owner, id, kind, spec, summary, priority, state, created)"
                " VALUES (?,?,?,?,?,?,?,'queued',?)",
                *(key, owner, job_id, kind, spec, summary, priority, time.time()),
            )
            if model:
                self._db.run("INSERT INTO models VALUES (?,?)", key, model)
            job = self._get(key)
            self.ownership.use(job.key, digests)
            gone: list[str] = []
            if quota is not None:
                gone = self.ownership.make_room(owner, 0, quota, "$.spec")
            return *self._record(job, Queued(job=job.id, position=self.position(job))), gone

    def claim(
        self, *, beside: bool = False, choose: Choose = lambda jobs: jobs[0], look_ahead: int = 1
    ) -> tuple[Job, Started] | None:
        """Take that of the next jobs of the queue which is to `choose`, if there is one.

        `beside`: it shares its worker with another job, so none is taken while one comes first that was tried before.
        """
        with self._db.transaction():
            line = [self._get(row["key"]) for row in self._line()[:look_ahead]]
            if not line or (beside and line[0].attempts):
                return None
            chosen = choose([job for job in line if not (beside and job.attempts)])
            if chosen is None:
                return None
            sql = "UPDATE jobs SET state='running', attempts=attempts+1 WHERE key=?"
            self._db.run(sql, chosen.key)
            self._served[chosen.owner] = self._turn = self._turn + 1
            job = self._get(chosen.key)
            return self._record(job, Started(job=job.id, attempt=job.attempts))

    def reserve(self, key: int, seq: int) -> None:
        """Note that events up to a stride from `seq` on may have been sent for a job."""
        self._db.run("UPDATE jobs SET seq=max(seq, ?) WHERE key=?", seq, key)

    def finish(self, key: int, results: list[Result], each: float | None = None) -> list[Result]:
        """End a job with its results, whose pictures its owner holds from now on.

        `each` is how long one of them took, s, its model loaded.
        """
        with self._db.transaction():
            job = self._get(key)
            recorded: list[Result] = []
            for result in results:
                self.ownership.hold(job.owner, result.digest, result.size)
                self.ownership.use(key, [result.digest])
                result = msgspec.structs.replace(result, job=job.id)
                job, numbered = self._record(job, result)
                recorded.append(numbered)
            if each is not None and job.model:
                self.speeds.note(job.model, each)
            self._end(key, "done")
            return recorded

    def fail(self, key: int, problem: Problem) -> Failed:
        """End a job with an error."""
        with self._db.transaction():
            job = self._get(key)
            self._end(key, "failed")
            return self._record(job, Failed(job=job.id, error=problem))[1]

    def cancelled(self, key: int) -> Cancelled:
        """End a job that was cancelled."""
        with self._db.transaction():
            job = self._get(key)
            self._end(key, "cancelled")
            return self._record(job, Cancelled(job=job.id))[1]

    def cancel(self, owner: str, job_id: str) -> tuple[Job, Cancelled | None]:
        """Note that a job shall stop. One that waits ends at once, a running one by its worker."""
        with self._db.transaction():
            job = self.find(owner, job_id)
            if job.state == "queued":
                self._end(job.key, "cancelled")
                event = self._record(job, Cancelled(job=job.id))[1]
                return self._get(job.key), event
            if job.state == "running":
                self._db.run("UPDATE jobs SET cancelling=1 WHERE key=?", job.key)
            return self._get(job.key), None

    def put_back(self, key: int, *, crashed: str = "", polite: bool = False) -> AnyEvent:
        """Return a running job to the queue, unless it was cancelled or has failed too often.

        `crashed` says how its worker died; `polite` that the daemon ends as it should.
        """
        with self._db.transaction():
            job = self._get(key)
            crashes = job.crashes + bool(crashed)
            attempts = job.attempts - polite
            sql = "UPDATE jobs SET state='queued', crashes=?, attempts=? WHERE key=?"
            self._db.run(sql, crashes, attempts, key)
            event: AnyEvent
            if job.cancelling:
                self._end(key, "cancelled")
                event = Cancelled(job=job.id)
            elif crashes >= MAX_CRASHES or attempts >= MAX_ATTEMPTS:
                self._end(key, "failed")
                event = Failed(job=job.id, error=_fatal(crashes, attempts, crashed))
            else:
                event = Queued(job=job.id, position=self.position(job))
            return self._record(job, event)[1]

    def recover(self, *, polite: bool = False) -> list[AnyEvent]:
        """Put back all that is running: its daemon ended, or does so now (`polite`)."""
        rows = self._db.run("SELECT key FROM jobs WHERE state='running'")
        return [self.put_back(row["key"], polite=polite) for row in rows]

    def release(self, owner: str, job_id: str) -> list[str]:
        """Forget a finished job; return the pictures that no one holds any more.

        Raises `Conflict` for a job that is not finished.
        """
        with self._db.transaction():
            job = self._find(owner, job_id)
            if job is None:
                return []
            if not job.over:
                raise Conflict(
                    f"Job {job_id} is not finished.", path="$.job", fix="Cancel it first, or wait."
                )
            sql = "SELECT json_extract(CAST(body AS TEXT), '$.digest') FROM events WHERE job=?"
            results = [digest for [digest] in self._db.run(sql, job.key) if digest]
            self._db.run("DELETE FROM jobs WHERE key=?", job.key)
            return self.ownership.let_go(owner, results)

    def expire(self, now: float, seconds: float) -> list[tuple[str, str]]:
        """Release all jobs that have been finished for so long; return owners and pictures let go.

        A job's age counts from when it was first seen finished here: a clock that was wrong at its
        end, or is set back, takes no results away.
        """
        over = "SELECT key FROM jobs WHERE finished IS NOT NULL"
        with self._db.transaction():
            self._db.run("DELETE FROM seen WHERE at > ?", now)
            self._db.run(f"INSERT OR IGNORE INTO seen SELECT key, ? FROM ({over})", now)
            sql = "SELECT owner, id FROM jobs JOIN seen ON key=job WHERE at < ? AND finished < ?"
            rows = self._db.run(sql, now - seconds, now - seconds)
        return [(row["owner"], digest) for row in rows for digest in self.release(*row)]

    def shrink(self) -> None:
        """Give back the disk that released jobs took."""
        self._db.shrink(2**26)

    # -- what is known of jobs -------------------------------------------------------------------

    def find(self, owner: str, job_id: str) -> Job:
        """Return a job of `owner`. Raises `UnknownJob`."""
        job = self._find(owner, job_id)
        if job is None:
            raise UnknownJob(
                f"There is no job {job_id}.",
                path="$.job",
                fix="See the list of jobs; a released one is gone.",
            )
        return job

    def events(self, key: int, since: int = 0) -> list[AnyEvent]:
        """Return a job's next durable events after number `since`: as many as a page holds, at least one."""
        sql = "SELECT seq, length(body) AS size FROM events WHERE job=? AND seq>? ORDER BY seq"
        until, room = since, PAGE_BYTES
        for row in self._db.run(f"{sql} LIMIT ?", key, since, PAGE):
            room -= row["size"]
            if room < 0 and until > since:
                break
            until = row["seq"]
        sql = "SELECT body FROM events WHERE job=? AND seq>? AND seq<=? ORDER BY seq"
        rows = self._db.run(sql, key, since, until)
        return [msgspec.json.decode(row["body"], type=AnyEvent) for row in rows]

    def position(self, job: Job) -> int:
        """Return how many jobs come before this one, running ones among them."""
        running = self._db.number(
            "SELECT count(*) FROM jobs WHERE state='running' AND key<>?", job.key
        )
        keys = [row["key"] for row in self._line()]
        return running + (keys.index(job.key) if job.key in keys else 0)

    def waiting(self) -> list[tuple[int, str]]:
        """Return key and id of the jobs that wait, first come first."""
        return [(row["key"], row["id"]) for row in self._line()]

    def jobs(self, owner: str | None, after: int = 0, limit: int = PAGE) -> list[JobInfo]:
        """Return jobs of `owner`, or of all, oldest first, from the one after number `after` on."""
        sql = f"SELECT {_LISTED} FROM jobs WHERE owner=coalesce(?, owner) AND key>? ORDER BY key"
        rows = self._db.run(f"{sql} LIMIT ?", owner, after, limit)
        running = self._db.number("SELECT count(*) FROM jobs WHERE state='running'")
        places = {row["key"]: running + place for place, row in enumerate(self._line())}
        return [
            JobInfo(
                job=row["id"],
                number=row["key"],
                kind=row["kind"],
                state=row["state"],
                created=row["created"],
                finished=row["finished"],
                priority=row["priority"],
                position=places.get(row["key"]),
                attempts=row["attempts"],
                summary=row["summary"],
            )
            for row in rows
        ]

    def unfinished(self, owner: str) -> list[str]:
        """Return the ids of an owner's jobs that are not over."""
        sql = "SELECT id FROM jobs WHERE owner=? AND state IN ('queued','running')"
        return [row["id"] for row in self._db.run(sql, owner)]

    def owners(self) -> set[str]:
        """Return whose jobs are not over."""
        sql = "SELECT DISTINCT owner FROM jobs WHERE state IN ('queued','running')"
        return {row["owner"] for row in self._db.run(sql)}

    def owner_of(self, job_id: str) -> str | None:
        """Return whose job has this id, if anybody's has."""
        row = self._db.row("SELECT owner FROM jobs WHERE id=? ORDER BY key DESC", job_id)
        return row["owner"] if row else None

    def counts(self) -> tuple[int, int]:
        """Return how many jobs wait and how many run."""
        sql = "SELECT count(*) FROM jobs WHERE state=?"
        return self._db.number(sql, "queued"), self._db.number(sql, "running")

    # -- within a transaction --------------------------------------------------------------------

    def _record(self, job: Job, event: E) -> tuple[Job, E]:
        seq = (job.seq // STRIDE + 1) * STRIDE
        event = msgspec.structs.replace(event, seq=seq)
        self._db.run("UPDATE jobs SET seq=? WHERE key=?", seq, job.key)
        body = msgspec.json.encode(event)
        self._db.run("INSERT INTO events VALUES (?,?,?)", job.key, seq, body)
        return msgspec.structs.replace(job, seq=seq), event

    def _end(self, key: int, state: State) -> None:
        sql = "UPDATE jobs SET state=?, finished=? WHERE key=?"
        self._db.run(sql, state, time.time(), key)

    def _line(self) -> list[sqlite3.Row]:
        """Return the jobs that wait in their order: by priority, and owners take turns."""
        rows = self._db.run(
            "SELECT key, id, owner, priority, attempts FROM jobs WHERE state='queued' ORDER BY key"
        )
        nth: Counter[tuple[int, str]] = Counter()
        order: dict[int, tuple[int, int, int, int]] = {}
        for row in rows:
            mine = (row["priority"], row["owner"])
            served = self._served.get(row["owner"], 0)
            order[row["key"]] = (-row["priority"], nth[mine], served, row["key"])
            nth[mine] += 1
        return sorted(rows, key=lambda row: order[row["key"]])

    def _number(self) -> int:
        """Return a key that no job had before: one that comes late must not mean another job."""
        newest = "SELECT coalesce(max(key), 0) FROM jobs"
        sql = f"UPDATE numbers SET last=max(last, ({newest})) + 1 RETURNING last"
        return self._db.number(sql)

    def _find(self, owner: str, job_id: str) -> Job | None:
        row = self._db.row(f"{JOBS} WHERE owner=? AND id=?", owner, job_id)
        return Job(**dict(row)) if row is not None else None

    def _get(self, key: int) -> Job:
        return Job(**dict(self._db.run(f"{JOBS} WHERE key=?", key)[0]))


def _fatal(crashes: int, attempts: int, crashed: str) -> Problem:
    what = (
        f"The job ended its worker {crashes} times. The last time: {crashed}."
        if crashes >= MAX_CRASHES
        else f"The daemon was ended {attempts} times while it worked on this job."
    )
    return Problem(
        code="job-failed",
        message=what,
        fix="Use a smaller canvas or fewer subjects, or see the daemon's log.",
    )
