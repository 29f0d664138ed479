"""Jobs: the daemon's connection, submitting, ranges of frames, previews."""
