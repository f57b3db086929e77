"""detect -> align -> embed -> match -> decide. Arrays in, frozen data out; no files but models, no database."""
