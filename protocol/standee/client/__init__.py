"""The blocking client, its sockets, and starting a daemon."""
