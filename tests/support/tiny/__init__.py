"""Tiny random checkpoints, a module for each family that is large enough for one."""
