"""The catalogue of a namespace: tables, their definitions, and INFORMATION_SCHEMA."""
