"""Progress of a job for programs."""

import json

import pytest

from standee.wire.events import Preview, Progress
from standee_cli.progress import ProgressDisplay


def test_each_event_is_a_line_of_json_and_a_preview_leaves_out_its_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressDisplay("json") as watching:
        watching(Progress(job="j", seq=1, stage="denoising", step=3, of=9, eta=1.5))
        watching(Preview(job="j", seq=2, step=3, data=b"a picture"))
    told = capsys.readouterr()
    assert told.out == ""
    steps, preview = map(json.loads, told.err.splitlines())
    wanted = {"type": "progress", "job": "j", "seq": 1, "stage": "denoising", "step": 3, "of": 9}
    assert wanted.items() <= steps.items()
    assert preview == {"type": "preview", "job": "j", "seq": 2, "step": 3}
