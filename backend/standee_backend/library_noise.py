"""Noise of libraries: what they note about themselves, which nobody at a terminal could use.

Their progress bars, their advice to install more of them, and their notes to those who program with them. What is about
a person's machine or files comes through, or is said by Standee's own errors.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings

LEVELS = {
    "TRANSFORMERS_VERBOSITY": "error",  # else: there is no torchvision
    "DIFFUSERS_VERBOSITY": "critical",  # else: of autoencoders that are meant so, and each file it did not find
    "HF_HUB_VERBOSITY": "error",  # else: that one might log in
    "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",  # on Windows
}
"""What the libraries read from the environment. Whoever sets `TRANSFORMERS_VERBOSITY=info` hears it all the same."""

OURS = r"(diffusers|transformers|peft|accelerate|huggingface_hub|torch)\b"
NOTES: tuple[tuple[str, type[Warning], str], ...] = (
    ("", FutureWarning, OURS),
    ("", DeprecationWarning, OURS),
    (r"Already found a `peft_config`", UserWarning, r"peft\b"),  # a second LoRA is no mistake
)
"""Warnings to leave out: how the message begins, the kind, and the module that it comes from."""


def hush() -> None:
    """Silence what libraries say while they are imported and later; to be called before they are."""
    for name, value in LEVELS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # else a line per multiplication
    for message, category, module in NOTES:
        warnings.filterwarnings("ignore", message, category, module)


def be_quiet() -> None:
    """Silence diffusers and transformers, as far as they are imported: also where that was before `hush`."""
    for name in ("diffusers", "transformers"):
        if name in sys.modules:
            said = sys.modules[name].utils.logging
            said.disable_progress_bar()
            level = logging.getLevelName(os.environ[f"{name.upper()}_VERBOSITY"].upper())
            said.set_verbosity(level if isinstance(level, int) else logging.WARNING)
