"""What the machine can run: options, memory estimates, presets of loading."""
