"""How a part is: /livez and /readyz, on the API's own port too, and /metrics on a status port alone."""
