"""LATER: from event to email. The only code that knows the broker and SMTP."""
