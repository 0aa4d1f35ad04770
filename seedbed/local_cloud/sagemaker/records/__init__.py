"""The jobs' records: one SQLite file, and the only way to change a record."""
