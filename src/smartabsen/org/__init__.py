"""Who works with the installation: users, sessions, limits, the security log."""
