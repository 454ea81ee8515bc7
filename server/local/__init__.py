"""What `gatehouse up` brings: PostgreSQL, Valkey, a mailbox, the supervisor of the parts, and the demo account."""
