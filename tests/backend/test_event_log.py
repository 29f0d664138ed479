"""The log never stands in the way of what it tells of."""

from __future__ import annotations

import subprocess
import sys

MUCH = """
import logging, sys
from standee_backend import event_log
event_log.set_up("text")
log = logging.getLogger("standee.test")
for number in range(5000):
    event_log.event(log, "happened" * 20, number=number)
print("went on", flush=True)
"""


def test_a_log_that_nobody_reads_holds_nothing_up() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", MUCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "went on\n"
        assert process.wait(30) == 0, "nor does its end wait for a reader"
    finally:
        process.kill()
        process.communicate()


def test_what_was_logged_last_is_there_when_the_process_has_ended() -> None:
    few = MUCH.replace("5000", "3")
    done = subprocess.run([sys.executable, "-c", few], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in done.stderr.splitlines()] == [
        "number=0",
        "number=1",
        "number=2",
    ]
