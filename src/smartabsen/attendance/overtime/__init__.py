"""Overtime: orders of the employer, consent of the worker, approval, and what they are worth."""
