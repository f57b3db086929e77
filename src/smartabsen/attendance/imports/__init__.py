"""The past: punches of other devices, from their files."""
