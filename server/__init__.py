"""WHAT RUNS: the ASGI app, the command line, and `up` with its embedded parts."""
