"""The log: one JSON object a line, or lines for people on a terminal; with the request's id wherever there is one."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

from telemetry import life, requests

JSON, CONSOLE = "json", "console"

_part = logging.getLogger("gatehouse.part")


def configure(level: str, style: str | None = None) -> None:
    """Log to standard error at that level, as JSON or CONSOLE; without a style as fits what it is."""
    style = style or (CONSOLE if sys.stderr.isatty() else JSON)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(style))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # What whoever started us waits for is told at any level.
    _part.setLevel(logging.INFO)
    # While the database is away the pool would write a traceback each second, and its caller says so in a line.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
    # A sweep every five seconds is no news; what fails in a task is.
    if level != "DEBUG":
        for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)


def formatter(style: str) -> logging.Formatter:
    """Makes a line of a record, as JSON or CONSOLE."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_request,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(style)],
    )


def announce(word: str) -> None:
    """Tell whoever started this part that it is ready, whatever the level."""
    life.turn()  # whoever hears of it may ask at once how this process is
    _part.info(word)


def _renderers(style: str) -> list[structlog.typing.Processor]:
    if style == CONSOLE:
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _add_request(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn says the same twice
    request = requests.current()
    if request is not None:
        event.setdefault("request_id", request.request_id)
    return event
