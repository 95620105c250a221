"""portrait-mini, from pictures to the folder diffusers loads: python -m recipes.mini --help"""

from __future__ import annotations

import sys

from recipes.mini.command import main

if __name__ == "__main__":
    sys.exit(main())
