"""The daemon: one process per user that keeps the queue and answers clients."""
