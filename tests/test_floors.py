"""Imports go down only, and makers never import one another (ARCHITECTURE.md, Floors)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "portraitist"
FLOORS = (
    {"errors", "types", "geometry", "image", "placement", "progress", "options"},
    {
        "registry",
        "weights",
        "weight_folders",
        "downloads",
        "hub",
        "hub_clients",
        "licences",
        "networks",
        "onnx_file",
        "library",
        "provenance",
        "content_credentials",
    },
    {"faces", "retouch", "scenes", "styles", "diffusion", "training", "pages"},
    {"album", "compose", "generate", "identity", "marks", "stylize", "rig", "talk", "tryon"},
    {"tasks"},
    {"jobs"},
    {"cli", "studio", "api"},
)
MAKERS = FLOORS[3]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
# The entry module of `python -m portraitist` stands above every floor, the package's own file (a version) below.
OUTSIDE = {"__init__", "__main__"}


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(text: str) -> Iterator[str]:
    """Rooms of this package that the source imports, anywhere in it; blocks under TYPE_CHECKING count too."""
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            below = [f"portraitist.{alias.name}" for alias in node.names]
            names = below if node.module == "portraitist" else [node.module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "portraitist" and len(parts) > 1 and not parts[1].startswith("__"):
                yield parts[1]


def problems(path: Path, text: str) -> list[str]:
    """Imports that go up, or from one maker to another."""
    room, found = _room(path), []
    for other in imports(text):
        if FLOOR_OF.get(other, 99) > FLOOR_OF[room]:
            found.append(f"{room} imports {other}, which is on a higher floor ({path.name})")
        if room in MAKERS and other in MAKERS and other != room:
            found.append(f"maker {room} imports maker {other} ({path.name})")
    return found


def test_imports_go_down_only() -> None:
    files = [path for path in SOURCE.rglob("*.py") if _room(path) not in OUTSIDE]
    assert len(files) > 20
    assert [problem for path in files for problem in problems(path, path.read_text(encoding="utf-8"))] == []


def test_every_room_has_a_floor() -> None:
    rooms = {_room(path) for path in SOURCE.rglob("*.py")} - OUTSIDE
    assert rooms - set(FLOOR_OF) == set()


def test_the_walker_sees_what_is_forbidden() -> None:
    assert problems(SOURCE / "faces" / "x.py", "def f():\n    from portraitist.tasks.add import add\n")
    assert problems(SOURCE / "album" / "x.py", "import portraitist.compose.engine")
    assert problems(SOURCE / "types.py", "from portraitist import registry")
    assert not problems(SOURCE / "cli" / "x.py", "from portraitist import weights, __version__")


def test_only_doors_print() -> None:
    for path in SOURCE.rglob("*.py"):
        if _room(path) in FLOORS[-1] | OUTSIDE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (named and node.func.id in ("print", "exit")), f"{path}:{node.lineno} prints"  # type: ignore
            bare = isinstance(node, ast.ExceptHandler) and (
                node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            )
            assert not bare, f"{path}:{node.lineno} catches everything"  # type: ignore[attr-defined]


def test_configs_import_the_standard_library_only() -> None:
    for path in [*SOURCE.rglob("config.py"), SOURCE / "options.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {m.split(".")[0] for m in modules} & {"numpy", "cv2", "scipy", "torch", "PIL"}, path
