"""Services with Qt but without widgets of their own: daemon, documents, images, saving."""
