"""The tuning endpoint's search measured on recorded tables, against other libraries."""
