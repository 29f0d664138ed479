"""The `.standee` document: archive, pictures, receipts, and reading compositions from files."""
