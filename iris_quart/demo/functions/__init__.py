"""The functions, aggregates and casts of IRIS SQL, as Python functions that SQLite calls."""
