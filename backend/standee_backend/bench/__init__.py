"""The benchmark `standee bench`: the paper's tables, and occlusion order, on a person's own weights."""
