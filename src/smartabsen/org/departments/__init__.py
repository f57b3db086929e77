"""Departments, each with a head."""
