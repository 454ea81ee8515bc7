"""The command line: one module, one group of commands."""
