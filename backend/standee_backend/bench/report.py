"""The report of a run, one page of HTML: tables with 95 % intervals, and pictures."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import numpy as np

from standee.files import write_atomically

from .run import DELIVERED, EDITED, NOTHING, Run

MEASURES = {
    "CLIP-T": ("picture and words", 3),
    "CLIP-I": ("picture and subject", 3),
    "SegCLIP-I": ("the same, cut out", 3),
    "DINO": ("DINOv2", 3),
    "DreamSim": ("distance: lower is nearer", 3),
    "box IoU": ("found where it was put", 3),
    "order": ("front shown in front, z swapped too", 2),
    "identity": ("dB, without low-pass colour", 1),
    "ssim": ("to the subject as placed", 3),
    "defects": ("share of pictures", 2),
}
"""What is told, in this order, with its digits; what was not measured has no column."""

PUBLISHED: dict[str, dict[str, dict[str, float]]] = {
    "single": {
        "paper, no injection": {"CLIP-T": 0.317, "CLIP-I": 0.764, "DINO": 0.625, "DreamSim": 0.305},
        "paper, tau 0.9": {"CLIP-T": 0.306, "CLIP-I": 0.849, "DINO": 0.680, "DreamSim": 0.199},
        "paper, tau 0.8": {"CLIP-T": 0.302, "CLIP-I": 0.882, "DINO": 0.741, "DreamSim": 0.163},
        "paper, tau 0.7": {"CLIP-T": 0.282, "CLIP-I": 0.920, "DINO": 0.769, "DreamSim": 0.140},
        "paper, tau 0.8, perturbed": {
            "CLIP-T": 0.307, "CLIP-I": 0.876, "DINO": 0.683, "DreamSim": 0.179,
        },
    },
    "several": {"paper, FLUX": {"CLIP-T": 0.302, "CLIP-I": 0.843, "SegCLIP-I": 0.891}},
}  # fmt: skip
"""Tables 1 to 3 of arXiv 2503.12590, FLUX."""

TITLES = {
    "single": "One subject",
    "several": "Several subjects",
    "scene": "A subject in a scene",
    "overlap": "Two subjects that overlap",
}
SHOWN = (DELIVERED, "tau 0.8, perturbed", NOTHING, EDITED)
"""The rows whose pictures the page shows, and how many cases of each kind."""
CASES_SHOWN = 6

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}th,td{padding:.25em .8em;text-align:right;"
    "border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}th small{display:block;"
    "font-weight:normal;color:#777}tr.paper{color:#777}img{width:100%;display:block;border-radius:4px}"
    ".pictures{display:grid;grid-template-columns:repeat(4,1fr);gap:8px;margin:1em 0}"
    ".pictures p{margin:0;font-size:13px;color:#555}.case{grid-column:1/-1;margin-top:.6em}"
)


def write_report(run: Run, unmeasured: list[str]) -> tuple[Path, dict[str, object]]:
    """Write `report.html` and `report.json` into the run's folder; return the page and the figures.

    `unmeasured` says what was left out, and how it is had.
    """
    tables = {
        kind: {row: _summary(cases) for row, cases in rows.items()}
        for kind, rows in run.scores().items()
    }
    report: dict[str, object] = {
        "model": run.model,
        "size": run.size,
        "cases": len(run.cases),
        "tables": tables,
        "unmeasured": unmeasured,
    }
    write_atomically(run.folder / "report.json", (json.dumps(report, indent=2) + "\n").encode())
    page = run.folder / "report.html"
    write_atomically(page, _page(run, tables, unmeasured).encode())
    return page, report


Summary = dict[str, tuple[float, float, int]]
"""By measure: the mean, half the width of its 95 % interval, and of how many pictures."""


def _summary(cases: list[dict[str, float]]) -> Summary:
    found: Summary = {}
    for name in MEASURES:
        values = np.array([case[name] for case in cases if name in case])
        if len(values):
            half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            found[name] = (float(values.mean()), float(half), len(values))
    return found


def _page(run: Run, tables: dict[str, dict[str, Summary]], unmeasured: list[str]) -> str:
    said = f"Model {run.model}, {run.size} × {run.size} px, {len(run.cases)} cases. "
    said += "Means with half their 95 % intervals."
    parts = [f"<h1>Standee bench</h1><p>{escape(said)}</p>"]
    if unmeasured:
        items = "".join(f"<li>{escape(one)}</li>" for one in unmeasured)
        parts.append(f"<p>Not measured:</p><ul>{items}</ul>")
    for kind, rows in tables.items():
        parts.append(
            f"<h2>{TITLES[kind]}</h2>{_table(rows, PUBLISHED.get(kind, {}))}{_pictures(run, kind)}"
        )
    body = "\n".join(parts)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Standee bench</title>'
        f"<style>{STYLE}</style><body>{body}</body></html>\n"
    )


def _table(rows: dict[str, Summary], published: dict[str, dict[str, float]]) -> str:
    names = [name for name in MEASURES if any(name in row for row in rows.values())]
    heads = "".join(f"<th>{name}<small>{escape(MEASURES[name][0])}</small></th>" for name in names)
    lines = [f"<tr><th>row</th>{heads}</tr>"]
    for title, row in rows.items():
        lines.append(f"<tr><td>{title}</td>{''.join(_cell(row, name) for name in names)}</tr>")
    for title, figures in published.items():
        cells = [
            f"<td>{figures[name]:.3f}</td>" if name in figures else "<td></td>" for name in names
        ]
        if any(name in figures for name in names):
            lines.append(f'<tr class="paper"><td>{title}</td>{"".join(cells)}</tr>')
    return f"<table>{''.join(lines)}</table>"


def _cell(row: Summary, name: str) -> str:
    if name not in row:
        return "<td></td>"
    mean, half, count = row[name]
    digits = MEASURES[name][1]
    interval = f" ± {half:.{digits}f}" if count > 1 else ""
    return f"<td>{mean:.{digits}f}{interval}</td>"


def _pictures(run: Run, kind: str) -> str:
    shown = []
    for case in [one for one in run.cases if one.kind == kind][:CASES_SHOWN]:
        shown.append(f'<p class="case">“{escape(case.prompt)}”</p>')
        for row in SHOWN:
            path = run.file(case, row).relative_to(run.folder).as_posix()
            shown.append(f'<div><img src="{escape(path)}" alt=""><p>{row}</p></div>')
    return f'<div class="pictures">{"".join(shown)}</div>'
