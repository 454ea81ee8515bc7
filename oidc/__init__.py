"""The way to OpenID providers: what is asked of them, and what is believed of their answers."""
