"""The command line: parse, call the core once, show. ``app`` is the program, ``commands`` its nouns."""
