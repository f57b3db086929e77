"""Punches of other devices."""
