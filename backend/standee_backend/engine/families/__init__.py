"""Model families: what differs between Diffusion Transformers, behind one interface (`base.py`)."""
