"""Module entry point: `python -m standee_desktop [FILE]`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
