"""File storage of the editor: paths, settings, images, subject library, recovery journal."""
