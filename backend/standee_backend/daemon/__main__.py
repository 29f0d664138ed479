"""`python -m standee_backend.daemon`."""

import sys

from .main import main

sys.exit(main())
