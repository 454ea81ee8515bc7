"""Tests against real parts: PostgreSQL, the broker, an SMTP server and Celery workers."""

import os
import sys

# Hundreds of processes of ours are started: each would compile all modules anew where the machine says so.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
