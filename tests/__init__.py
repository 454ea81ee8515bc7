"""Tests against real parts: PostgreSQL, the broker, an SMTP server and Celery workers."""
