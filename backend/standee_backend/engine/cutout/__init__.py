"""Cut-outs: masks of subjects from a box, points or words."""
