"""Measurements: ratios within one run, never asserted with a clock in a test."""
