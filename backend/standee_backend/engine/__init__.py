"""The engine: pictures and a composition in, one coherent picture out.

Start reading at `compose.py`; it is the method ("Personalize Anything", arXiv 2503.12590) from top to bottom.
"""
