"""Translations of the add-on's interface."""
