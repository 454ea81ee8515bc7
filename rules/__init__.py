"""WHY: pure decisions. Values in, a value or a failure out; no I/O, no clock, no randomness of its own."""
