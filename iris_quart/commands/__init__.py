"""The commands, one noun a module: payloads, handlers and events together."""
