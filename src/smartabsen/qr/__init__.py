"""QR pictures."""
