"""The rules of attendance, pure: which day, arrival or departure, on time or late, which status."""
