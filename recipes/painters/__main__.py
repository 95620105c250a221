"""Painters, from pictures to the files that ship: python -m recipes.painters --help"""

from __future__ import annotations

import sys

from recipes.painters.command import main

if __name__ == "__main__":
    sys.exit(main())
