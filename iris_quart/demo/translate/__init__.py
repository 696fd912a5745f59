"""Syntax trees to plans that SQLite runs."""
