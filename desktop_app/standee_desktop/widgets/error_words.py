"""Error messages in the interface's language, by the error's code.

Where the interface speaks another language, the kind of error is said in it, and the daemon's own
words, which name the field and the way out, stand below.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication

NUMBERED = re.compile(r"\[(?:Errno|WinError) -?\d+\]:? ?")
"""How Python marks an error of the system; it tells a person nothing."""


def describe_error(code: str, message: str, fix: str) -> tuple[str, str]:
    """Return a headline and what stands below it, for an error of a kind."""
    message, fix = (NUMBERED.sub("", text) for text in (message, fix))
    source, words = _kinds().get(code, ("", ""))
    if words == source:  # no translation, or none is needed
        return message, fix
    return words, f"{message} {fix}".strip()


def _kinds() -> dict[str, tuple[str, str]]:
    """Return for each code the English words and those of the interface."""
    translate = QCoreApplication.translate
    return {
        "invalid-field": (
            "Something in the composition is not valid.",
            translate("Errors", "Something in the composition is not valid."),
        ),
        "too-large": ("It is too large.", translate("Errors", "It is too large.")),
        "bad-picture": (
            "A picture cannot be used.",
            translate("Errors", "A picture cannot be used."),
        ),
        "bad-document": (
            "The document cannot be opened.",
            translate("Errors", "The document cannot be opened."),
        ),
        "missing-blob": ("A picture is missing.", translate("Errors", "A picture is missing.")),
        "unknown-model": (
            "The model cannot be used.",
            translate("Errors", "The model cannot be used."),
        ),
        "download-needed": (
            "It is not on this machine, and would have to be downloaded.",
            translate("Errors", "It is not on this machine, and would have to be downloaded."),
        ),
        "download-failed": (
            "The download did not succeed.",
            translate("Errors", "The download did not succeed."),
        ),
        "quota-exceeded": (
            "The daemon has too much to do for you already.",
            translate("Errors", "The daemon has too much to do for you already."),
        ),
        "out-of-memory": (
            "The memory does not suffice.",
            translate("Errors", "The memory does not suffice."),
        ),
        "job-failed": ("The job failed.", translate("Errors", "The job failed.")),
        "not-connected": (
            "The daemon cannot be reached.",
            translate("Errors", "The daemon cannot be reached."),
        ),
        "unauthorised": (
            "The daemon does not know this editor's key.",
            translate("Errors", "The daemon does not know this editor's key."),
        ),
        "incompatible-version": (
            "Editor and daemon are of different versions.",
            translate("Errors", "Editor and daemon are of different versions."),
        ),
        "missing-dependency": (
            "Something that is needed is not installed.",
            translate("Errors", "Something that is needed is not installed."),
        ),
        "storage-full": ("It was not saved.", translate("Errors", "It was not saved.")),
    }
