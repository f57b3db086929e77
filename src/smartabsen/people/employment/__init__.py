"""Employment: who works where, in which week, on which terms, from when on; and for which wage."""
