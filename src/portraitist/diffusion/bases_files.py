"""Where the files of a base lie on this machine, and how they come there: safetensors and text only, never a pickle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from portraitist import weights
from portraitist.diffusion.base_row import Base
from portraitist.errors import WeightsError
from portraitist.hub import Record, RemoteFile, Wanted, fetch_repository, is_intact, missing_files, read_record
from portraitist.hub_clients import ModelScopeHub, is_offline, open_hub
from portraitist.progress import Report, silent

MINI_WEIGHTS = "portrait-mini"
INDEX = "model_index.json"
_WEIGHTS = ".safetensors"
_TEXTS = (".json", ".txt", ".jinja")


def base_folder(base: Base) -> Path:
    """Where the base's repository is kept, whether it is there or not."""
    return weights.cache_dir() / "bases" / base.name


def local_folder(base: Base) -> Path | None:
    """The base's folder, or its single file, if it is here whole. Touches no network."""
    if base.path is not None:
        return base.path if base.path.exists() else None
    if base.repository is None:
        return weights.local_path(MINI_WEIGHTS) if MINI_WEIGHTS in weights.TABLE else None
    folder, record = base_folder(base), base_record(base)
    return folder if record and not missing_files(folder, record) else None


def base_record(base: Base) -> Record | None:
    """What the first download of the base was; None before it, and for a base that is not of a hub."""
    return read_record(base_folder(base)) if base.repository else None


def base_digest(base: Base) -> str:
    """sha256 of the base as it was first downloaded: of its list of digests. Empty where none is kept: a local path."""
    record = base_record(base)
    if record is not None:
        return record.digest
    return weights.TABLE[MINI_WEIGHTS].sha256 or "" if base.repository is None and base.path is None else ""


def verify_base(base: Base) -> bool:
    """True when every file has the digest of the first download. Raises WeightsError when the base is not here."""
    if local_folder(base) is None:
        raise WeightsError(f"base '{base.name}' is not on this machine; run '{_command(base)}'")
    if base.path is not None:
        return True
    record = base_record(base)
    return is_intact(base_folder(base), record) if record else weights.verify(MINI_WEIGHTS)


def fetch_base(base: Base, report: Report = silent, *, mirror: str | None = None) -> Path:
    """Path of the base, downloaded first where it is missing. mirror: see `hub_clients.open_hub`.

    Raises WeightsError when offline (PORTRAITIST_OFFLINE or HF_HUB_OFFLINE), when the download fails, or when a file is
    not what it was at the first download.
    """
    found = local_folder(base)
    if found is not None:
        return found
    if base.path is not None:
        raise WeightsError(f"base '{base.name}': expected {base.path}, found nothing there; put it back")
    if base.repository is None:
        return weights.fetch(MINI_WEIGHTS, report)
    folder = base_folder(base)
    _fetch(base, folder, report, mirror, texts_only=False)
    return folder


def fetch_texts(base: Base, report: Report = silent, *, mirror: str | None = None) -> Path:
    """A folder with the base's configurations and tokenizers: what a single checkpoint of its family lacks.

    The base itself where it is here, else a few MB of its repository. Raises as `fetch_base` does.
    """
    found = local_folder(base)
    if found is not None:
        return found
    folder = base_folder(base).with_name(f"{base.name}-texts")
    record = read_record(folder)
    if record is None or missing_files(folder, record):
        _fetch(base, folder, report, mirror, texts_only=True)
    return folder


def choose_files(files: Sequence[RemoteFile], base: Base, *, texts_only: bool = False) -> list[RemoteFile]:
    """Of a repository's files the index and, in the base's folders, texts and weights in one precision.

    Half precision where the base names a variant and a folder has it. Names are plain, so none leads out of the folder.
    """
    plain = re.compile(rf"(?:{'|'.join(map(re.escape, base.folders))})/[\w.-]+")
    inside = [file for file in files if plain.fullmatch(file.path)]
    chosen = [file for file in files if file.path == INDEX] + [f for f in inside if f.path.endswith(_TEXTS)]
    for folder in () if texts_only else base.folders:
        chosen += one_precision([f for f in inside if Path(f.path).parent.name == folder], base.variant)
    if not any(file.path == INDEX for file in chosen) or not (texts_only or _has_weights(chosen)):
        raise WeightsError(
            f"base '{base.name}': expected {INDEX} and safetensors in the repository, found {len(files)} other files; "
            "choose another mirror"
        )
    return chosen


def one_precision(files: Sequence[RemoteFile], variant: str | None) -> list[RemoteFile]:
    """The weights among the files of one folder: of the variant where it has them, else in full precision."""
    stem = {"diffusion_pytorch_model", "model"}
    full = [f for f in files if f.path.endswith(_WEIGHTS) and _stem(f) in stem]
    half = [f for f in files if variant and f.path.endswith(_WEIGHTS) and _stem(f) in {f"{s}.{variant}" for s in stem}]
    return half or full


def _stem(file: RemoteFile) -> str:
    """Name without ending and without `-00001-of-00002`."""
    return re.sub(r"-\d{5}-of-\d{5}$", "", Path(file.path).name.removesuffix(_WEIGHTS))


def _has_weights(files: Sequence[RemoteFile]) -> bool:
    return any(file.path.endswith(_WEIGHTS) for file in files)


def _fetch(base: Base, folder: Path, report: Report, mirror: str | None, *, texts_only: bool) -> None:
    if is_offline():
        raise WeightsError(_offline_message(base, folder))
    hub = open_hub(mirror)
    repository = base.modelscope if isinstance(hub, ModelScopeHub) else base.repository
    if repository is None:
        raise WeightsError(f"base '{base.name}' has no known place on {hub.address}; leave out --mirror")
    wanted = Wanted(
        label=f"base '{base.name}'",
        repository=repository,
        revision=base.revision,
        folder=folder,
        choose=lambda files: choose_files(files, base, texts_only=texts_only),
        again=_command(base),
    )
    fetch_repository(wanted, hub, report)


def _offline_message(base: Base, folder: Path) -> str:
    record = read_record(folder)
    lost = missing_files(folder, record) if record else []
    if lost:
        what = f"{', '.join(file.path for file in lost)} ({sum(file.size for file in lost) / 1e6:.1f} MB) of"
    else:
        what = f"{INDEX} and {', '.join(base.folders)} (size unknown until the hub is asked) of"
    return (
        f"base '{base.name}': expected {what} {base.repository} in {folder}, found nothing there, and the network is "
        f"off (PORTRAITIST_OFFLINE or HF_HUB_OFFLINE); unset it once and run '{_command(base)}'"
    )


def _command(base: Base) -> str:
    return f"portraitist bases fetch {base.name}"
