"""One LoRA file of a repository on a model hub: downloaded once, its digest written down and checked from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portraitist import weights
from portraitist.errors import WeightsError
from portraitist.hub import RemoteFile, Wanted, fetch_repository, missing_files, read_record
from portraitist.hub_clients import is_offline, open_hub
from portraitist.progress import Report, silent


@dataclass(frozen=True)
class HubLora:
    """Where a LoRA is. hub: `huggingface` or `modelscope`. revision: empty takes the newest at the first download."""

    hub: str
    repository: str
    file: str
    revision: str = ""

    @property
    def folder(self) -> Path:
        """Its own folder in the cache: several files of one repository do not meet."""
        named = hashlib.sha256("\n".join((self.hub, self.repository, self.file, self.revision)).encode())
        return weights.cache_dir() / "loras" / named.hexdigest()[:16]


def fetch_lora(lora: HubLora, report: Report = silent) -> Path:
    """Path of the file, downloaded first where it is missing.

    Raises WeightsError when offline, when it cannot be had, or when it is not what it was at the first download.
    """
    path, record = lora.folder / lora.file, read_record(lora.folder)
    if record is not None and not missing_files(lora.folder, record):
        return path
    if is_offline():
        raise WeightsError(
            f"LoRA {lora.repository}: expected {lora.file} in {lora.folder}, found nothing there, and the network is "
            "off (PORTRAITIST_OFFLINE or HF_HUB_OFFLINE); unset it once"
        )
    wanted = Wanted(
        label=f"LoRA {lora.repository}",
        repository=lora.repository,
        revision=lora.revision or None,
        folder=lora.folder,
        choose=lambda files: _chosen(files, lora),
        again="the same command",
    )
    fetch_repository(wanted, open_hub("modelscope" if lora.hub == "modelscope" else None), report)
    return path


def _chosen(files: Sequence[RemoteFile], lora: HubLora) -> list[RemoteFile]:
    """The file of that name; a name that leads out of the folder is not looked for."""
    inside = ".." not in Path(lora.file).parts and not Path(lora.file).is_absolute()
    chosen = [file for file in files if inside and file.path == lora.file]
    if not chosen:
        found = ", ".join(file.path for file in files if file.path.endswith(".safetensors")) or "no .safetensors file"
        raise WeightsError(f"LoRA {lora.repository}: expected {lora.file}, found {found}; correct the style's file")
    return chosen
