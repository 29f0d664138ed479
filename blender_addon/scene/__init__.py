"""The scene: properties, bound objects, images, rendering, and the composition that they make."""
