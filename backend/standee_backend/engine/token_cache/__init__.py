"""Cache of reference tokens, in memory and on disk."""
