"""Gateways under test."""
