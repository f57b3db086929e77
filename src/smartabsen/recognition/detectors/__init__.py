"""The detectors and their registry."""
