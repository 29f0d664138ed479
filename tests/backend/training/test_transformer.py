from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RANKS = """
import json
from pathlib import Path

import torch
from training.transformer import agree, average_gradients, join_others, leave_others

rank, ranks = join_others()
one, other = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
one.grad = torch.full((2, 3), float(rank))
average_gradients([one, other])
told = [ranks, one.grad.unique().tolist(), other.grad.tolist(), agree(7.0 + rank)]
Path(str(rank)).write_text(json.dumps(told))
leave_others()
"""


def test_processes_average_their_gradients_and_go_by_one_clock(tmp_path: Path) -> None:
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    training = Path(__file__).resolve().parents[3] / "backend"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run(
        [*command, str(script)],
        env={**os.environ, "PYTHONPATH": str(training), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    told = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    assert told == [[2, [0.5], [0.0, 0.0, 0.0, 0.0], 7.0]] * 2
