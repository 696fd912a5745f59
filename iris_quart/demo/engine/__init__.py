"""One namespace on one SQLite file: run plans, write rows, change the catalogue."""
