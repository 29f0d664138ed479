"""`python -m standee_backend.cluster`: the bridge."""

from .bridge import main

main()
