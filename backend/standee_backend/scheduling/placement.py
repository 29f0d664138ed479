"""The choice of a job for a slot: by turn, and by who holds its model and its subjects' tokens.

To load a model takes longer than many a picture. So of two slots that are free, the one that holds more of a job gets
it; and a slot whose own model waits a little further down the line takes that job first, where another slot, still
busy, holds the model of the job whose turn it is. A job is overtaken so a few times at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from ..storage.job import Job

LOOK_AHEAD = 8
"""How many jobs of the line are looked at."""
OVERTAKEN = 4
"""How often a job may be overtaken."""
KEPT = 64
"""How many subjects a slot is thought to hold the tokens of."""


class _Layer(Struct):
    picture: str | None = None


class _Lora(Struct):
    path: str = ""
    weight: float = 0.0


class _Sampling(Struct):
    model: str = ""
    loras: list[_Lora] = msgspec.field(default_factory=list)


class _Spec(Struct):
    """What counts for the choice, of a composition or a cut-out."""

    layers: list[_Layer] = msgspec.field(default_factory=list)
    sampling: _Sampling = msgspec.field(default_factory=_Sampling)
    model: str | None = None


@dataclass(frozen=True)
class Needs:
    """What a job needs: its model with its LoRAs, and the pictures of its subjects."""

    model: str
    subjects: frozenset[str]

    @classmethod
    def of(cls, job: Job) -> Needs:
        """Return a job's needs; those of a specification that is not understood are its own."""
        try:
            spec = msgspec.json.decode(job.spec, type=_Spec)
        except msgspec.MsgspecError:
            return cls(job.id, frozenset())
        if job.kind == "compose":
            laid = [(lora.path, lora.weight) for lora in spec.sampling.loras]
            model = f"{spec.sampling.model} {laid or ''}"
        else:
            model = f"cut-out by {spec.model}"
        return cls(model, frozenset(layer.picture for layer in spec.layers if layer.picture))


@dataclass
class Held:
    """What a slot holds, as far as its jobs tell; and the jobs whose files its machine has not got."""

    model: str | None = None
    subjects: dict[str, None] = field(default_factory=dict)
    lacks: set[int] = field(default_factory=set)

    def take(self, needs: Needs) -> None:
        """A job with these needs comes."""
        if needs.model != self.model:
            self.model, self.subjects = needs.model, {}
        for subject in needs.subjects:
            self.subjects.pop(subject, None)
            self.subjects[subject] = None
        for oldest in list(self.subjects)[: max(0, len(self.subjects) - KEPT)]:
            del self.subjects[oldest]

    def clear(self) -> None:
        """Its process has ended."""
        self.model, self.subjects = None, {}

    def worth(self, needs: Needs) -> float:
        """Return how much of a job is here: 0 nothing, 1 the model, up to 2 with its subjects' tokens."""
        if needs.model != self.model:
            return 0.0
        here = len(needs.subjects & self.subjects.keys())
        return 1.0 + here / (len(needs.subjects) or 1)


class Placement:
    """Chooses jobs for slots. Used by one thread at a time."""

    def __init__(self) -> None:
        self._needs: dict[int, Needs] = {}
        self._overtaken: dict[int, int] = {}

    def needs(self, job: Job) -> Needs:
        """Return a job's needs, read once."""
        if job.key not in self._needs:
            self._needs[job.key] = Needs.of(job)
        return self._needs[job.key]

    def forget(self, key: int) -> None:
        """A job has ended."""
        self._needs.pop(key, None)
        self._overtaken.pop(key, None)

    def choose(
        self, line: Sequence[Job], mine: Held, free: Sequence[Held], busy: Sequence[Held]
    ) -> tuple[Job | None, bool]:
        """Return the job for the slot that holds `mine`, if any is, and whether one was left to a better free slot.

        `line` are the first jobs that wait, in their order; the other slots are `free` or `busy`.
        """
        left = False
        able = [job for job in line if job.key not in mine.lacks]
        for job in able:
            needs = self.needs(job)
            worth = mine.worth(needs)
            if any(other.worth(needs) > worth and job.key not in other.lacks for other in free):
                left = True
                continue
            if not worth and any(other.worth(needs) for other in busy):
                better = self._before(job, able, mine)
                if better is not None:
                    return better, left
            return job, left
        return None, left

    def _before(self, first: Job, line: Sequence[Job], mine: Held) -> Job | None:
        """Return a job further on whose model is here, if it may overtake the `first` one."""
        if self._overtaken.get(first.key, 0) >= OVERTAKEN or first.retried:
            return None
        after = line[line.index(first) + 1 :]
        for job in after:
            same = job.priority == first.priority and not job.attempts
            if same and mine.worth(self.needs(job)):
                self._overtaken[first.key] = self._overtaken.get(first.key, 0) + 1
                return job
        return None
