"""The parts of ComfyUI that nodes call, as small as they can be."""
