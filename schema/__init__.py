"""WHAT CLIENTS SEE: the GraphQL types and roots. A field is one call; no logic, no SQL."""
