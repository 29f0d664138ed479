"""Storage of the daemon: jobs in SQLite, pictures in files."""
