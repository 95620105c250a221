"""Make faces/mesh_template.npz: the mesh's triangles, mirror pairs and our own mean face in millimetres.

Triangles are read from the connection list in the MediaPipe wheel (Apache-2.0; its tesselation names each triangle as
three consecutive edges). The mean face is a generalised Procrustes mean of the meshes of frontal photos, made
symmetric, scaled to 63 mm between the pupils (the eyes' mid corners).

    python recipes/mesh/make_template.py --connections face_mesh_connections.py --photos DIR [DIR ...]
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from portraitist.faces.mesh import LEFT_EYE, RIGHT_EYE, MeshNetwork, roll_of
from portraitist.faces.search import FaceSearch
from portraitist.geometry import similarity

PUPIL_DISTANCE_MM = 63.0
MOUTH_CORNER_PAIRS = ((78, 308), (95, 324), (62, 292), (96, 325))


def read_triangles(source: Path) -> np.ndarray:
    """(n, 3) vertex indices from the ordered edge list."""
    for node in ast.parse(source.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FACEMESH_TESSELATION":
            edges = ast.literal_eval(node.value.args[0])
            groups = [edges[i : i + 3] for i in range(0, len(edges), 3)]
            triangles = [sorted({v for edge in group for v in edge}) for group in groups]
            assert all(len(t) == 3 for t in triangles)
            return np.unique(np.array(triangles), axis=0)
    raise SystemExit("no FACEMESH_TESSELATION in that file")


def measure(folders: list[Path]) -> np.ndarray:
    """(k, 468, 3) meshes of every photo with one face."""
    search, network, meshes = FaceSearch(), MeshNetwork(), []
    for path in sorted(p for folder in folders for p in folder.rglob("*.jpg")):
        image = np.asarray(Image.open(path).convert("RGB"))
        found = search.find(image)
        if not found:
            continue
        box, points = found[0].box_xyxy, found[0].points
        roll = float(np.degrees(np.arctan2(*(points[1] - points[0])[::-1])))
        mesh, presence = network.fit(image, (box[:2] + box[2:]) / 2, found[0].side, roll)
        if presence > 0.9 and abs(roll_of(mesh)) < 15:
            meshes.append(mesh)
    return np.stack(meshes).astype(np.float64)


def procrustes_mean(meshes: np.ndarray) -> np.ndarray:
    """(468, 3) mean after aligning each mesh to it, five rounds."""
    mean = meshes[0] - meshes[0].mean(0)
    for _ in range(5):
        aligned = []
        for mesh in meshes:
            scale, rotation, translation = similarity(mesh, mean)
            aligned.append(scale * mesh @ rotation.T + translation)
        mean = np.mean(aligned, axis=0)
    return mean


def upright(mean: np.ndarray) -> np.ndarray:
    """Turn the mean so that its mirror plane is x = 0 and the profile line forehead - chin is vertical."""
    x_axis = mean[263] - mean[33]
    x_axis /= np.linalg.norm(x_axis)
    down = mean[152] - mean[10]
    down -= down @ x_axis * x_axis
    down /= np.linalg.norm(down)
    turned = mean @ np.stack([x_axis, down, np.cross(x_axis, down)]).T
    middle = turned[[10, 152, 1, 168]].mean(0)
    return turned - [middle[0], turned[:, 1].mean(), turned[:, 2].mean()]


def mirror_pairs(mean: np.ndarray) -> np.ndarray:
    """(468,) index of each vertex's mirror image: the nearest one, but at the mouth corners, where two are as near."""
    flipped = mean * [-1, 1, 1]
    mirror = np.array([int(np.argmin(np.linalg.norm(mean - point, axis=1))) for point in flipped])
    for one, other in MOUTH_CORNER_PAIRS:
        mirror[[one, other]] = other, one
    return mirror


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=Path, required=True)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=Path("src/portraitist/faces/mesh_template.npz"))
    args = parser.parse_args()
    triangles = read_triangles(args.connections)
    meshes = measure(args.photos)
    mean = upright(procrustes_mean(meshes))
    mirror = mirror_pairs(mean)
    agreeing = (mirror[mirror] == np.arange(468)).sum()
    sys.stderr.write(f"{len(meshes)} meshes, {len(triangles)} triangles, {agreeing} pairs agree\n")
    mean = (mean + mean[mirror] * [-1, 1, 1]) / 2
    pupils = [mean[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE)]
    mean *= PUPIL_DISTANCE_MM / np.linalg.norm(pupils[1] - pupils[0])
    indices = {"triangles": triangles.astype(np.int16), "mirror": mirror.astype(np.int16)}
    np.savez_compressed(args.out, mean=mean.astype(np.float32), **indices)


if __name__ == "__main__":
    main()
