"""SQL for IRIS as pure functions: names, values, filters, pages and edits become text and parameters."""
