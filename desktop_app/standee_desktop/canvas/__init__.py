"""Canvas: the widget that shows the layers, its overlays, and the mouse tools."""
