"""Erase, purge, export, and what an audit compares."""
