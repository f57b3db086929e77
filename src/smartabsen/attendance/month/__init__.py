"""The month: what days add up to by person and department, the grid, who is late most, and who never came."""
