"""Measures, cases and random models that benchmarks share."""
