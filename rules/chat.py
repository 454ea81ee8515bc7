"""Messages to a channel of Slack or Teams, in the format that each one's incoming webhooks take.

What people chose stands only in plain texts, so that it is never a link, a mention or any other markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Format(StrEnum):
    """How an endpoint is told."""

    STANDARD = "STANDARD"
    SLACK = "SLACK"
    TEAMS = "TEAMS"


@dataclass(frozen=True)
class Message:
    """What happened, where and when it did, and where to look, with the words of that link."""

    told: str
    context: str
    url: str
    link: str


def written(format_: Format, message: Message) -> dict[str, Any]:
    """The message as a channel of this kind takes it."""
    return _slack(message) if format_ is Format.SLACK else _teams(message)


def _slack(message: Message) -> dict[str, Any]:
    return {
        # For notifications, and what shows no blocks.
        "text": _escaped(message.told),
        "blocks": [
            {"type": "section", "text": _plain(message.told)},
            {
                "type": "context",
                "elements": [
                    _plain(message.context),
                    {"type": "mrkdwn", "text": f"<{message.url}|{_escaped(message.link)}>"},
                ],
            },
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [_runs(message.told, weight="Bolder"), _runs(message.context, isSubtle=True)],
                    "actions": [{"type": "Action.OpenUrl", "title": message.link, "url": message.url}],
                },
            }
        ],
    }


def _runs(text: str, **style: object) -> dict[str, Any]:
    # A TextBlock would read Markdown.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
