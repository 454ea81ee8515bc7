"""What a process does once, before its first email: done before it is forked."""

from datetime import UTC, datetime

import languages

languages.written_date(datetime(2026, 12, 1, tzinfo=UTC))  # reads the locale
