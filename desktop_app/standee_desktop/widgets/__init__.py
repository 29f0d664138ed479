"""Small widgets, icons and colours that panels share."""
