"""What the daemon keeps on disk: jobs in SQLite, pictures in files."""
