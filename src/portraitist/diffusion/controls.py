"""ControlNets for the bases of a hub: which there are, where they come from, and their networks.

Names, licences and the presence of safetensors: the repositories' pages on the hub, read in November 2026. None was
downloaded here. No revision is written, the first download stores the one it got. For the colour grid only a pickle was
found, which is not loaded; a folder of one's own can be given for every kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portraitist import weights
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases_files import one_precision
from portraitist.errors import ConfigError, InputError, WeightsError
from portraitist.hub import RemoteFile, Wanted, fetch_repository, missing_files, read_record
from portraitist.hub_clients import ModelScopeHub, is_offline, open_hub
from portraitist.progress import Report, silent

KINDS = ("mesh", "canny", "colour", "pose", "tile")
"""What controls are told: mesh lines (portrait-mini only), edges, a grid of colours, body and face points, the picture
itself. `conditions` draws them."""


@dataclass(frozen=True)
class Control:
    """A ControlNet on the hub. family: of the bases it steers. folder: in its repository; empty where it is the whole.
    revision: a commit, None takes the newest at the first download and keeps to it."""

    kind: str
    family: str
    repository: str
    licence: str
    folder: str = ""
    revision: str | None = None


CONTROLS = (
    Control("canny", "sd15", "lllyasviel/control_v11p_sd15_canny", "openrail"),
    Control("pose", "sd15", "lllyasviel/control_v11p_sd15_openpose", "openrail"),
    # The repository of its makers has the tile control as a pickle only.
    Control("tile", "sd15", "takuma104/control_v11", "openrail", folder="control_v11f1e_sd15_tile"),
    Control("canny", "sdxl", "diffusers/controlnet-canny-sdxl-1.0", "openrail++"),
    Control("pose", "sdxl", "xinsir/controlnet-openpose-sdxl-1.0", "apache-2.0"),
    Control("tile", "sdxl", "xinsir/controlnet-tile-sdxl-1.0", "apache-2.0"),
)


def find_control(kind: str, family: str) -> Control | None:
    """The row for a kind on bases of a family, None where none is known."""
    return next((row for row in CONTROLS if (row.kind, row.family) == (kind, family)), None)


def parse_controls(entries: Sequence[str]) -> dict[str, Path | None]:
    """`("canny=FOLDER", "tile=none")` as kind -> folder, None for one that is left out. Raises ConfigError."""
    chosen: dict[str, Path | None] = {}
    for entry in entries:
        kind, _, place = entry.partition("=")
        if kind not in KINDS[1:] or not place or kind in chosen:
            raise ConfigError(
                f"controls: expected KIND=FOLDER or KIND=none once for each of {', '.join(KINDS[1:])}; found '{entry}'"
            )
        chosen[kind] = None if place == "none" else Path(place).expanduser()
    return chosen


def place_controls(
    base: Base, kinds: Sequence[str], own: Mapping[str, Path | None], report: Report = silent
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Folders of the ControlNets for those of `kinds` that can be had, downloaded where missing, and a sentence on each
    that is left out. own: see `parse_controls`. Raises WeightsError when a download fails."""
    places: dict[str, Path] = {}
    left_out = []
    for kind in kinds:
        row, folder = find_control(kind, base.family), own.get(kind)
        if folder is not None:
            places[kind] = folder
        elif kind in own:
            left_out.append(f"control {kind}: left out, as asked")
        elif row is None:
            left_out.append(f"control {kind}: none is known for {base.family}; give a folder with --controls {kind}=")
        else:
            places[kind] = fetch_control(row, report)
    return places, tuple(left_out)


def control_folder(control: Control) -> Path:
    """Where its repository is kept, whether it is there or not."""
    return weights.cache_dir() / "controls" / f"{control.family}-{control.kind}"


def control_digest(kind: str, family: str) -> str:
    """sha256 of a control as it was first downloaded. Empty where none was: portrait-mini's belong to its base."""
    row = find_control(kind, family)
    record = read_record(control_folder(row)) if row is not None else None
    return record.digest if record is not None else ""


def fetch_control(control: Control, report: Report = silent, *, mirror: str | None = None) -> Path:
    """The folder with its `config.json`, downloaded first where it is missing. Raises WeightsError."""
    folder = control_folder(control)
    record = read_record(folder)
    if record is None or missing_files(folder, record):
        again = f"the same command again, or give --controls {control.kind}=FOLDER"
        label = f"control {control.kind} for {control.family}"
        if is_offline():
            raise WeightsError(
                f"{label}: expected {control.repository} in {folder}, found nothing there, and the network is off "
                f"(PORTRAITIST_OFFLINE or HF_HUB_OFFLINE); unset it once and run {again}"
            )
        hub = open_hub(mirror)
        if isinstance(hub, ModelScopeHub):
            raise WeightsError(f"{label}: its place on {hub.address} is not known; use another mirror, or {again}")
        wanted = Wanted(label, control.repository, control.revision, folder, lambda f: _chosen(f, control), again)
        fetch_repository(wanted, hub, report)
    return folder / control.folder


def _chosen(files: Sequence[RemoteFile], control: Control) -> list[RemoteFile]:
    """The configuration, and the weights in half precision where they are there so."""
    inside = [file for file in files if str(Path(file.path).parent) == (control.folder or ".")]
    found = one_precision(inside, "fp16")
    configuration = [file for file in inside if Path(file.path).name == "config.json"]
    if not found or not configuration:
        raise WeightsError(
            f"{control.repository}: expected config.json and safetensors, found {len(inside)} other files; "
            f"give a folder with --controls {control.kind}=FOLDER"
        )
    return configuration + found


def read_control(folder: Path, dtype: Any) -> Any:
    """The network of a diffusers folder, of the kind its configuration names; safetensors only.

    Raises InputError when it cannot be read.
    """
    from diffusers import ControlNetModel

    is_half = not list(folder.glob("*model.safetensors")) and bool(list(folder.glob("*.fp16.safetensors")))
    options = {"dtype": dtype, "use_safetensors": True, "local_files_only": True}
    try:
        return ControlNetModel.from_pretrained(folder, variant="fp16" if is_half else None, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(
            f"{folder}: expected a ControlNet as diffusers saves it, could not be read ({error}); give another folder"
        ) from error
