"""Sites: where people work, in which zone, and which kiosks stand there."""
