"""The command line of Standee."""
