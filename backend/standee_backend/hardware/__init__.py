"""Hardware: options, memory estimates, presets of loading."""
