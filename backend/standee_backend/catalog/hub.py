"""Lookups at the Hugging Face hub: a repository's files, checksums and licence, or why not.

Names and addresses come from huggingface_hub, so its settings hold here too: `HF_ENDPOINT`,
`HF_HUB_OFFLINE`, `HF_TOKEN` and `hf auth login`. `download.py` brings the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from standee.errors import DownloadFailed, MissingDependency, StandeeError, UnknownModel

WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|model)(-\d{5}-of-\d{5})?\.safetensors|[\w-]+\.safetensors\.index\.json"
)
"""The weights that from_pretrained reads; half-precision variants and single-file copies lie beside them."""

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""Variables that send downloads another way."""

BESIDE = (".json", ".txt", ".model", ".jinja")
"""Configurations, vocabularies and templates."""


@dataclass(frozen=True)
class HubFile:
    """A file of a repository: its size in bytes, and its SHA-256, or else the git id of its content."""

    name: str
    size: int
    sha256: str
    git_id: str


@dataclass(frozen=True)
class HubSnapshot:
    """What there is to download: files at one commit, under a licence. `gated` ones ask for a login."""

    repository: str
    commit: str
    files: tuple[HubFile, ...]
    licence: str = ""
    licence_url: str = ""
    gated: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


Choose = Callable[[Sequence[str]], Sequence[str]]


def look_up(repository: str, field: str, choose: Choose | None = None) -> HubSnapshot:
    """Ask the hub what a repository offers; `choose` picks among its files, by default a model's.

    `field` is where the hub id stands in what the user wrote. Raises `UnknownModel`, which says why
    it cannot be had, `DownloadFailed` and `MissingDependency`.
    """
    require_online(repository, field)
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repository, files_metadata=True, timeout=30)
        known = {one.rfilename: one for one in info.siblings or ()}
        files = tuple(_file(known[name]) for name in (choose or of_model)(sorted(known)))
    except StandeeError:
        raise
    except Exception as error:
        raise refusal(repository, error, field) from error
    card: Any = info.card_data or {}
    licence = str(card.get("license_name") or card.get("license") or "")
    return HubSnapshot(
        repository,
        str(info.sha),
        files,
        licence,
        str(card.get("license_link") or f"{HfApi().endpoint}/{repository}"),
        bool(info.gated),
    )


def require_online(repository: str, field: str) -> None:
    """Raise `UnknownModel` where nothing is to be downloaded, and `MissingDependency`."""
    with_hub(field)
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UnknownModel(
            f"{repository} is not on this machine, and Standee works offline.",
            path=field,
            fix=f"Run `standee models download {repository}` while online, or start the daemon"
            " without --offline (HF_HUB_OFFLINE).",
        )


def of_model(names: Sequence[str]) -> list[str]:
    """Return the files of a model in diffusers' or transformers' layout, without its other copies."""
    depth = 1 if "model_index.json" in names else 0
    return [
        name
        for name in names
        if name == "model_index.json" or (name.count("/") == depth and _belongs(name))
    ]


def of_base(names: Sequence[str]) -> list[str]:
    """Return the files of a model whose transformer's weights are elsewhere: of its own only how it is built."""
    return [
        name
        for name in of_model(names)
        if not name.startswith("transformer/") or name == "transformer/config.json"
    ]


def refusal(repository: str, error: BaseException, field: str) -> StandeeError:
    """Return what a failure of the hub means for a person."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    causes = list(_causes(error))
    if any(isinstance(cause, GatedRepoError) for cause in causes):
        return UnknownModel(
            f"The licence of {repository} has to be accepted before it can be downloaded.",
            path=field,
            fix=f"Accept it on https://huggingface.co/{repository}, and log in with"
            " `hf auth login` or HF_TOKEN.",
        )
    if any(isinstance(cause, RepositoryNotFoundError) for cause in causes):
        return UnknownModel(
            f"The hub has no model {repository}, or not for you.",
            path=field,
            fix="Check the name; for a private model log in with `hf auth login` or HF_TOKEN.",
        )
    proxy = next((name for name in PROXIES if os.environ.get(name)), "")
    fix = "Connect to the network and try again, or bring its folder from where there is one."
    if proxy:
        fix = f"Check the proxy that {proxy} names, or unset it; or bring the model's folder."
    return DownloadFailed(
        f"{repository} is not on this machine and cannot be downloaded: {_line(error)}",
        path=field,
        fix=fix,
    )


def with_hub(field: str) -> None:
    """Raise `MissingDependency` unless huggingface_hub is installed."""
    try:
        import huggingface_hub  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "Models of the hub need the package huggingface_hub.",
            path=field,
            fix="Run `pip install 'standee[backend]'`.",
        ) from None


def _belongs(name: str) -> bool:
    last = name.rpartition("/")[2]
    if ".safetensors" in last:
        return WEIGHTS.fullmatch(last) is not None
    return last.endswith(BESIDE) and ".index." not in last


def _file(sibling: Any) -> HubFile:
    sha256 = str(sibling.lfs.sha256) if sibling.lfs else ""
    git_id = "" if sha256 else str(sibling.blob_id)
    if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", sha256 or git_id):  # it will name a file
        raise ValueError(f"the hub gives no checksum for {sibling.rfilename}")
    return HubFile(sibling.rfilename, int(sibling.size or 0), sha256, git_id)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    """Return the first line of what an error says, as a sentence."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said[:300].rstrip(". ") + "."
