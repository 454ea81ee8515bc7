"""What an operator sees of a running part: its metrics, its log, and whether it is well."""
