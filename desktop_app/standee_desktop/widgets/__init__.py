"""Small widgets, icons and colours that every panel uses."""
