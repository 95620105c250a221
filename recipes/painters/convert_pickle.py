"""From a StyleGAN2 pickle to safetensors: run by hand, away from portraitist.

    python convert_pickle.py network.pkl generator.safetensors

A pickle runs what is written in it when it is opened. Open only files of people you trust, in a machine or container
that may be lost, with NVIDIA's repository stylegan2-ada-pytorch on PYTHONPATH, as the pickle names its classes. Nothing
of portraitist imports this file. The weights keep their licence (NVIDIA's own are for research and evaluation, see
their repository): say it in `python -m recipes.painters import-generator --licence`.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from safetensors.torch import save_file


def main() -> int:
    """Write the averaged generator's tensors under the names they have in the pickle."""
    source, target = map(Path, sys.argv[1:3])
    with source.open("rb") as file:
        networks = pickle.load(file)
    generator = networks["G_ema"]
    tensors = {name: value.detach().cpu().float().contiguous() for name, value in generator.state_dict().items()}
    save_file(tensors, str(target))
    sys.stdout.write(f"{len(tensors)} tensors in {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
