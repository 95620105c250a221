"""The detector of marks, from photos to its ONNX file: python -m recipes.marks --help"""

from __future__ import annotations

import sys

from recipes.marks.command import main

if __name__ == "__main__":
    sys.exit(main())
