"""The engine: pictures and a composition in, one coherent picture out.

Start reading at `compose.py`; it is the method ("Personalize Anything", arXiv 2503.12590) from top to bottom.
"""

import logging
import os

# What libraries note about themselves when they are imported (no torchvision, no kernels of some hub) is nothing that
# a person at a terminal could use. Their errors stay.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
