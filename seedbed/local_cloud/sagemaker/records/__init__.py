"""The jobs' records: one SQLite file, and the one way in which a record changes."""
