"""WHAT HAPPENS: one async function per field: guard, one transaction, decide, write, record the event, return."""
