"""What stands around the canvas: the list of layers and the settings of the selected ones."""
