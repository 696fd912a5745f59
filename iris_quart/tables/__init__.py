"""What the SQL and the client give together: catalogue, rows, counts, values and edits."""
