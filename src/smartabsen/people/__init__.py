"""Employees, consent, and lists of people."""
