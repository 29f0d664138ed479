"""Reference pages made from the code: `python docs/make_reference.py`.

A page says what it takes from the code between two comments; what stands between them is replaced:

    <!-- made by docs/make_reference.py: errors -->
    <!-- end -->

Errors and their ways out come from the docstrings of `standee.errors`, commands from their own
help, fields and messages from the types that the daemon checks them against.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from standee import errors
from standee.composition import Composition
from standee.wire.events import AnyEvent, Event
from standee.wire.messages import Answer, AnyAnswer, AnyRequest, Cutout, Request
from standee.wire.notes import FORMS
from standee_cli.console import EXITS, ExitCode, UsageError
from standee_cli.main import cli

DOCS = Path(__file__).resolve().parent
MADE = re.compile(
    r"(?P<begin><!-- made by docs/make_reference\.py: (?P<what>[a-z]+) -->\n).*?(?=<!-- end -->)",
    re.DOTALL,
)
COMMON = ("--connection", "--json", "--debug", "--help")
"""Options that all commands have: the page says them once."""
NEVER_SENT = {"### `result`": ("data",)}
"""Fields that the client fills in itself."""


def main() -> None:
    """Make all pages anew and name those that changed."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = made_anew(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(DOCS.parent))


def pages() -> list[Path]:
    """The pages that hold something made from the code."""
    return [page for page in sorted(DOCS.rglob("*.md")) if MADE.search(page.read_text("utf-8"))]


def made_anew(page: str) -> str:
    """Return the text of a page with all that is made from the code as the code is now."""
    return MADE.sub(lambda found: found["begin"] + "\n" + PARTS[found["what"]]() + "\n", page)


# -- errors and notes ------------------------------------------------------------------------------


def error_types() -> list[type[errors.StandeeError]]:
    """All types of errors that have a code of their own."""
    return errors.StandeeError.__subclasses__()


def error_list() -> str:
    """Each code with what happened, the way out, and what a command returns."""
    parts = []
    for kind in error_types():
        what, way = paragraphs_of(kind)
        leaves = EXITS.get(kind.code, ExitCode.FAILED)
        if kind is UsageError:
            leaves = ExitCode.INVALID
        later = " The same may succeed later." if kind.retryable else ""
        parts.append(
            f"### {kind.code}\n\n{what}{later}\n\n**Way out.** {way}\n\n"
            f"Exit code {leaves:d}; in Python `{kind.__module__}.{kind.__name__}`.\n"
        )
    return "\n".join(parts)


def paragraphs_of(kind: type) -> tuple[str, str]:
    """What an error's docstring says of what happened, and the way out that it gives."""
    what, _, way = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    return flowing(what), flowing(way)


def note_list() -> str:
    """Each code of a note with the words that it is put in."""
    rows = ((f"`{code}`", form) for code, form in FORMS.items())
    return table(("code", "words"), rows)


# -- commands --------------------------------------------------------------------------------------


def command_list() -> str:
    """Each command with its help and its options."""
    return "\n".join(command_page(*each) for each in commands(cli, "standee"))


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group, and those below them, with their whole names."""
    for word, command in group.commands.items():
        yield f"{name} {word}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")


def command_page(name: str, command: click.Command) -> str:
    """One command: how it is written, what it does, examples, options."""
    with click.Context(command, info_name=name, help_option_names=["--help"]) as context:
        pieces = command.collect_usage_pieces(context)
        options = []
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record and record[1] and not set(parameter.opts) & set(COMMON):
                explained = re.sub(r"\[(.*?)\]", r"(\1)", flowing(record[1]))  # brackets are links
                options.append((f"`{record[0].replace('|', ' or ')}`", explained))
    text = "\n\n".join(map(help_paragraph, inspect.cleandoc(command.help or "").split("\n\n")))
    listed = f"\n{table(('option', 'what it does'), options)}" if options else ""
    return f"## {name}\n\n```text\n{' '.join([name, *pieces])}\n```\n\n{text}\n{listed}"


def help_paragraph(text: str) -> str:
    """A paragraph of a command's help as Markdown: what click leaves in its lines is a listing."""
    first, *lines = text.splitlines()
    if first != "\b":
        return flowing(text)
    title, *examples = lines
    return f"{title}\n\n```text\n" + inspect.cleandoc("\n".join(["", *examples])) + "\n```"


# -- fields and messages ---------------------------------------------------------------------------


def composition_fields() -> str:
    """The types of a composition, the whole first."""
    _, schemas = msgspec.json.schema_components((Composition,), ref_template="{name}")
    ordered = {"Composition": schemas.pop("Composition")} | schemas
    return "\n".join(type_section(f"## {name}", schema) for name, schema in ordered.items())


def message_fields() -> str:
    """All requests, answers and events, then what they hold."""
    unions = {
        "Requests": (Request, AnyRequest),
        "Answers": (Answer, AnyAnswer),
        "Events": (Event, AnyEvent),
    }
    listed = tuple(kind for _, union in unions.values() for kind in typing.get_args(union))
    _, schemas = msgspec.json.schema_components((*listed, Cutout), ref_template="{name}")
    parts = []
    for title, (base, union) in unions.items():
        parts.append(f"## {title}\n")
        for kind in typing.get_args(union):
            heading = f"### `{kind.__struct_config__.tag}`"
            schema = schemas.pop(kind.__name__)
            parts.append(type_section(heading, schema, without=base.__struct_fields__))
    parts.append("## Parts\n")
    _, elsewhere = msgspec.json.schema_components((Composition,), ref_template="{name}")
    for name, schema in schemas.items():
        if name not in elsewhere:
            parts.append(type_section(f"### {name}", schema))
    text = "\n".join(parts)
    for name in map(str.lower, elsewhere):
        text = text.replace(f"(#{name})", f"(composition.md#{name})")
    return text


def type_section(heading: str, schema: dict[str, Any], without: Iterable[str] = ()) -> str:
    """A type with its docstring and a row for each field that is its own."""
    needed = schema.get("required", ())
    rows = [
        (f"`{field}`", described(of), "needed" if field in needed else default_of(of))
        for field, of in schema["properties"].items()
        if field not in ("type", *without, *NEVER_SENT.get(heading, ()))
    ]
    text = inspect.cleandoc(schema.get("description", ""))
    fields = f"\n{table(('field', 'values', 'default'), rows)}" if rows else ""
    return f"{heading}\n\n{text}\n{fields}"


def described(schema: dict[str, Any]) -> str:
    """What a field takes, in words: its type, its limits, its choices."""
    if "$ref" in schema:
        name = schema["$ref"]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(described(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        if "prefixItems" in schema:
            return "a list of " + ", ".join(described(one) for one in schema["prefixItems"])
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list of {described(schema.get('items', {}))}{most}"
    if schema.get("contentEncoding") == "base64":
        return "bytes, as the second frame"
    if schema.get("pattern") == "^[0-9a-f]{64}$":
        return "a digest (SHA-256, hexadecimal)"
    words = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "a map",
        "null": "null",
    }
    return words.get(kind, "anything") + limits(schema)


def limits(schema: dict[str, Any]) -> str:
    """The bounds of a number or a text, as words to follow its type."""
    if "pattern" in schema:
        return f" like `{schema['pattern']}`"
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']:,} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        above = f" above {grouped(schema['exclusiveMinimum'])}"
        return above + (f", at most {grouped(high)}" if high else "")
    if low is None and high is None:
        return ""
    if high is None or high >= 2**53:
        return f" from {grouped(low)}"
    return f" from {grouped(low)} to {grouped(high)}"


def grouped(number: float) -> str:
    """A number whose thousands are set apart, all of its digits kept."""
    return f"{int(number):,}" if number == int(number) else f"{number:,}"


def default_of(schema: dict[str, Any]) -> str:
    """The default of a field; nothing where it is made anew each time, or is a whole type's own."""
    default = schema.get("default")
    if "default" not in schema or isinstance(default, dict | list):
        return ""
    return f"`{msgspec.json.encode(default).decode()}`"


# -- Markdown --------------------------------------------------------------------------------------


def flowing(text: str) -> str:
    """The words of a paragraph on one line."""
    return " ".join(text.split())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    cells = [list(head), *map(list, rows)]
    cells.insert(1, ["---"] * len(cells[0]))
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in cells)
    return "".join(f"| {line} |\n" for line in lines)


PARTS: dict[str, Callable[[], str]] = {
    "errors": error_list,
    "notes": note_list,
    "commands": command_list,
    "composition": composition_fields,
    "messages": message_fields,
}


if __name__ == "__main__":
    main()
