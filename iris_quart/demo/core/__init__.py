"""Types, values and errors that every other part uses."""
