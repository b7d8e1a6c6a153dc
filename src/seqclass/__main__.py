"""`python -m seqclass` is the command `seqclass`."""

import sys

from seqclass.cli import main

sys.exit(main())
