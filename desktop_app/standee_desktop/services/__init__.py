"""Services with Qt but without widgets of their own: the daemon, documents, images, saving."""
