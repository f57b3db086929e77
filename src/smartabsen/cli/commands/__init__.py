"""One module for each noun of the command line; each holds a Typer named ``app``, loaded when its command runs."""
