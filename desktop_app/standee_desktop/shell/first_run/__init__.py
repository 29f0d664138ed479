"""First run: which models there are to have, and how they come onto this machine."""
