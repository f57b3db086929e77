"""When people are expected: calendar, shifts, patterns, assignments and rosters."""
