from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RANKS = """
import torch
from training.transformer import agree, average_gradients, join_others

rank, ranks = join_others()
one, other = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
one.grad = torch.full((2, 3), float(rank))
average_gradients([one, other])
print(rank, ranks, one.grad.unique().tolist(), other.grad.tolist(), agree(7.0 + rank), flush=True)
"""


def test_processes_average_their_gradients_and_go_by_one_clock(tmp_path: Path) -> None:
    script = tmp_path / "ranks.py"
    script.write_text(RANKS)
    training = Path(__file__).resolve().parents[3] / "backend"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(script)],
        env={"PYTHONPATH": str(training), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert sorted(done.stdout.splitlines()) == [
        "0 2 [0.5] [0.0, 0.0, 0.0, 0.0] 7.0",
        "1 2 [0.5] [0.0, 0.0, 0.0, 0.0] 7.0",
    ]
