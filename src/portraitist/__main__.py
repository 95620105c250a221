"""`python -m portraitist`."""

import sys

from portraitist.cli.main import main

sys.exit(main())
