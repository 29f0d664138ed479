"""Standee's nodes for ComfyUI: subjects, a scene, and the picture that a daemon composes of them."""

from .nodes import StandeeCompose, StandeeScene, StandeeSubject

NODE_CLASS_MAPPINGS = {
    "StandeeSubject": StandeeSubject,
    "StandeeScene": StandeeScene,
    "StandeeCompose": StandeeCompose,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "StandeeSubject": "Standee Subject",
    "StandeeScene": "Standee Scene",
    "StandeeCompose": "Standee Compose",
}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
