"""Files of the editor: paths, settings, images, the library of subjects, the recovery journal."""
