"""The rules of working time. Pure: no clock, no file, no database."""
