"""The order of jobs, and the worker processes that run them."""
