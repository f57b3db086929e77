"""SQL tables and repositories, migrations, the CSV log and files written atomically."""
