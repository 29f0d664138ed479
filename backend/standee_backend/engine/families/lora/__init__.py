"""LoRAs: read from files of any program, and laid over a loaded model."""
