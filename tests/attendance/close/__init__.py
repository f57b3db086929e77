"""The month."""
