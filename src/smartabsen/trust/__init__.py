"""The audit trail, signatures, seals and keys."""
