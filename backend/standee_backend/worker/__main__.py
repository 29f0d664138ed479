"""`python -m standee_backend.worker`."""

from .main import main

main()
