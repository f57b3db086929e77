"""The session at the door, its queue and its camera's troubles."""
