"""The parts that `gatehouse up` brings when none is configured: PostgreSQL, Valkey and a mailbox."""
