"""Fixtures every test may use: two public-domain people, a reader loaded once, a library in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portraitist.types import Image

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PORTRAITIST_SHARED_DATA", ROOT.parent / "shared" / "data"))
_ran_with_shared: set[str] = set()


@pytest.fixture
def shared_data(request: pytest.FixtureRequest) -> Path:
    """The development data beside the checkout; the test is skipped, by name, where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"{request.node.name}: needs the development data, which a fresh clone does not have")
    _ran_with_shared.add(request.node.nodeid)
    return SHARED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process of a run on several: what it counted, unless it died."""
    _ran_with_shared.update(getattr(node, "workeroutput", {}).get("with_shared", ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a whole run with the data beside it must have run at least the tests that tests/SHARED_TESTS promises."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["with_shared"] = sorted(_ran_with_shared)
        return
    promised = int((ROOT / "tests" / "SHARED_TESTS").read_text())
    whole = session.config.args in (["tests"], [str(ROOT / "tests")])
    if os.environ.get("CI") == "true" and SHARED.is_dir() and whole and len(_ran_with_shared) < promised:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.stash[_TOO_FEW] = f"{len(_ran_with_shared)} tests used the shared data, expected {promised}"


_TOO_FEW = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests used the shared data."""
    problem = terminalreporter.config.stash.get(_TOO_FEW, None)
    terminalreporter.write_line(problem or f"{len(_ran_with_shared)} tests used the shared data", red=bool(problem))


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """Eileen Collins, NASA, public domain: (512, 512, 3)."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def hopper_path() -> Path:
    """Grace Hopper, US Navy, public domain: the sample file that comes with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def hopper(hopper_path: Path) -> Image:
    """Pixels of `hopper_path`, (600, 512, 3)."""
    from PIL import Image as PillowImage

    return np.asarray(PillowImage.open(hopper_path).convert("RGB"))


@pytest.fixture(scope="session")
def astronaut_path(astronaut: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`astronaut` as a PNG file."""
    from PIL import Image as PillowImage

    path = tmp_path_factory.mktemp("people") / "astronaut.png"
    PillowImage.fromarray(astronaut).save(path)
    return path


@pytest.fixture(scope="session")
def reader() -> Any:
    """A `FaceReader`, loaded once for all tests."""
    from portraitist.faces.reader import FaceReader
    from portraitist.placement import Placement

    return FaceReader.load(Placement(threads=2))


@pytest.fixture
def library(tmp_path: Path) -> Any:
    """An empty library in a temporary folder."""
    from portraitist.library import Library

    return Library(tmp_path / "library")


@pytest.fixture(autouse=True)
def _own_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test can reach the library of the person who runs it."""
    monkeypatch.setenv("PORTRAITIST_LIBRARY", str(tmp_path / "library-of-the-environment"))
