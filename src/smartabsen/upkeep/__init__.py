"""Backups, copies, models, certificates, doctor, and the demonstration."""
