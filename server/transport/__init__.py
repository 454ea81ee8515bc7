"""GraphQL over HTTP, WebSocket and event streams, for whatever schema and context are handed in."""
