"""`standee schema`: what a composition may hold, for programs."""

from __future__ import annotations

import json

import click

from standee.composition import json_schema

from ..console import Console, answers, common


@click.command()
@common
@answers
def schema(console: Console) -> None:
    """Print the JSON Schema of a composition.

    It is what docs/composition.schema.json holds. Pictures are named there by the SHA-256 of their
    bytes, as the daemon wants them; `standee compose` takes the name of a file too.

    \b
    Examples:
      standee schema > composition.schema.json
    """
    found = json_schema()
    console.answer(found, [json.dumps(found, indent=2)])
