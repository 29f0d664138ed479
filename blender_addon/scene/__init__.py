"""Scene data: properties, bound objects, images, rendering, and the composition they make."""
