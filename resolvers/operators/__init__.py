"""What operators change, by noun: each use case one transaction, with its event."""
