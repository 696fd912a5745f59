"""The Atelier REST API: requests, sessions, encodings and injected faults."""
