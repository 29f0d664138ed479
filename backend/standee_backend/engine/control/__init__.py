"""Control pictures: laid on the canvas, and told to the model step by step."""
