"""Train faces/attributes.py: one class-balanced logistic regression an attribute, on the tune faces of omi256.

Each face is seen four times: 256 px and shrunk to 128 px, plain and mirrored. After the fit a second regression on one
number (Platt scaling on scores of faces left out of the fit) sets where 0.5 lies.

    python recipes/attributes/train.py SHARED_DATA weights/attributes/attributes.npz

Writes the file and prints its sha256 and size. `measure.py` beside this prints how good it is.

Source: Platt, "Probabilistic outputs for support vector machines", 1999.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from dataset import UNKNOWN, Dataset, load
from scipy.optimize import minimize

from portraitist.faces.attributes import PARTS
from portraitist.library import write_atomic

FOLDS = 5
PENALTY = {"glasses": 0.001, "beard": 0.001, "hat": 0.003, "long_hair": 0.001, "dark_hair": 0.0005}
"""Weight of the squared norm, in units where every feature has variance 1 / d. Chosen by cross-validation on tune."""


def fit(features: np.ndarray, labels: np.ndarray, penalty: float) -> np.ndarray:
    """(d + 1,) weights and bias minimising the class-balanced log loss + penalty / 2 |weights|^2."""
    mean, spread = features.mean(0), features.std(0) + 1e-3
    unit = spread * np.sqrt(features.shape[1])
    scaled = ((features - mean) / unit).astype(np.float32)
    balance = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    sign = 2.0 * labels - 1

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (scaled @ p[:-1].astype(np.float32) + p[-1])
        pull = (-sign * balance / (1 + np.exp(np.clip(margin, -50, 50))) / len(labels)).astype(np.float32)
        value = float((balance * np.logaddexp(0, -margin)).mean() + penalty / 2 * (p[:-1] ** 2).sum())
        return value, np.append(scaled.T @ pull + penalty * p[:-1], pull.sum())

    found = minimize(loss, np.zeros(scaled.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    weights = found[:-1] / unit
    return np.append(weights, found[-1] - weights @ mean)


def score(model: np.ndarray, features: np.ndarray) -> np.ndarray:
    """(n,) logits."""
    return features @ model[:-1] + model[-1]


def calibrated(model: np.ndarray, left_out: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The model, its logit turned into slope * logit + offset, fitted to logits of faces it was not trained on."""
    slope, offset = fit(left_out[:, None], labels, 0.0)
    return np.append(slope * model[:-1], slope * model[-1] + offset)


def train(data: Dataset, name: str, chosen: np.ndarray) -> np.ndarray:
    """(d + 1,) the model of one attribute from the faces with chosen (n,) True, calibrated inside them."""
    chosen = chosen & (data.labels[name] != UNKNOWN)
    fold = folds(len(chosen), seed=1)
    left_out, truth = [], []
    for k in range(FOLDS):
        part = _fit_views(data, name, chosen & (fold != k))
        held = chosen & (fold == k)
        left_out += [score(part, view[name][held]) for view in data.features.values()]
        truth += [data.labels[name][held]] * len(data.features)
    return calibrated(_fit_views(data, name, chosen), np.concatenate(left_out), np.concatenate(truth))


def _fit_views(data: Dataset, name: str, chosen: np.ndarray) -> np.ndarray:
    rows = np.concatenate([view[name][chosen] for view in data.features.values()])
    return fit(rows, np.tile(data.labels[name][chosen], len(data.features)), PENALTY[name])


def folds(count: int, seed: int) -> np.ndarray:
    """(count,) fold of each face, 0 to FOLDS - 1."""
    return np.random.default_rng(seed).permutation(count) % FOLDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    data = load(args.shared)
    models = {name: train(data, name, data.in_tune).astype(np.float32) for name in PARTS}
    buffer = io.BytesIO()
    np.savez(buffer, **models)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(args.out, buffer.getvalue())
    sys.stdout.write(f"{args.out}: sha256 {hashlib.sha256(buffer.getvalue()).hexdigest()}, {buffer.tell()} bytes\n")


if __name__ == "__main__":
    main()
