"""A worker program without an engine: speaks the real worker protocol and does what the prompt says.

`slow` takes 0.05 s a step, `die` ends the process, `die twice` does so in the first two attempts,
`fail` raises, `refuse` raises a `StandeeError`, `chatty` reports 2,000 steps at once, `deaf` ignores
cancellations. Each picture's bytes are `picture of <prompt> <seed>`.
"""

import os
import signal
import sys
import time
from pathlib import Path

from msgspec import Struct

from standee.errors import BadPicture, JobCancelled
from standee_backend.worker import main


class Progress(Struct):
    stage: str
    step: int
    of: int
    eta: float | None = None


class Preview(Struct):
    step: int
    data: bytes


class Output(Struct):
    data: bytes
    width: int
    height: int
    seed: int
    receipt: dict


class Tasks:
    def __init__(self, options):
        self.deaths = Path(sys.argv[1])

    def run(self, kind, spec, read, report, cancelled):
        if kind == "cutout":
            return [Output(b"mask of " + read(spec.picture), 8, 8, 0, {})]
        prompt, of = spec.prompt, spec.sampling.steps or 4
        for digest in spec.digests():
            read(digest)
        if "chatty" in prompt:
            of = 2000
        for step in range(1, of + 1):
            if cancelled() and "deaf" not in prompt:
                raise JobCancelled("cancelled")
            time.sleep(0.05 if "slow" in prompt else 0)
            report(Progress("denoising", step, of, (of - step) * 0.05))
            report(Preview(step, b"preview %d" % step))
        if "die" in prompt and not ("twice" in prompt and self._died() >= 2):
            with self.deaths.open("a") as file:
                file.write("+")
            os.kill(os.getpid(), signal.SIGKILL)
        if "fail" in prompt:
            raise ValueError("the toy was told to fail")
        if "refuse" in prompt:
            raise BadPicture("The toy dislikes the picture.", path="$.layers[0].picture")
        seed, count = spec.sampling.seed, spec.sampling.count
        return [
            Output(f"picture of {prompt} {s}".encode(), 256, 256, s, {"prompt": prompt})
            for s in range(seed, seed + count)
        ]

    def _died(self):
        return len(self.deaths.read_text()) if self.deaths.exists() else 0


if __name__ == "__main__":
    main(Tasks)
