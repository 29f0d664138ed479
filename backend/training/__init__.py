"""Training of the bundled mini model: data, VAE, transformer with its text encoders, evaluation.

Run from `backend/`: `python -m training.train --help`. Nothing here is installed with the package.
"""
