"""What `gatehouse up` brings: PostgreSQL, Valkey, a mailbox, and the supervisor of the parts."""
