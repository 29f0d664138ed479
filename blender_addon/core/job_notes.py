"""What the daemon notes about a job's memory, in the interface's language; runs without Blender."""

import re
from collections.abc import Callable

FORMS = (
    "Memory: preset {preset}: {meaning}; about {need} of {room}.",
    "Too little memory with preset {failed}; going on with preset {preset}: {meaning}.",
    "weights in {size}, text encoder in {text}, {kept}",
    "weights in {size}, {kept}",
)
"""How the daemon puts it; what fills these in are numbers, names, and phrases of the dictionary."""


def told(note: str, translate: Callable[[str], str]) -> str:
    """Return a note, or a part of one, as `translate` puts its phrases; as it is where it has none of the forms."""
    for form in FORMS:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(form))
        if found := re.fullmatch(pattern, note):
            parts = {name: told(part, translate) for name, part in found.groupdict().items()}
            return translate(form).format(**parts)
    return translate(note)
