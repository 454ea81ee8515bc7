"""Strangers judge the messages to channels: Slack's own types of blocks, and Microsoft's reader of Adaptive Cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules.chat import Format, Message, written
from tests.transport.node import Node, installed_once, node_command, run

SCRIPTS = Path(__file__).parent / "formats"
URL = "https://gatehouse.example.com/settings/security"
MESSAGES = [
    Message("mia@agency.example turned off MFA.", "Agency · 24 November 2026, 14:03 UTC", URL, "Open agency security"),
    Message("<!channel> & **[here](https://evil.example)**" * 20, "“Agência” <b>", URL, "Abrir a segurança da agência"),
]
# As Slack's page on blocks has it: how long the text of a section, and each of a context's, may be.
LONGEST_TEXT = 3_000
TYPED = """
import type {{ ContextBlock, SectionBlock }} from "@slack/types";
export const blocks: (SectionBlock | ContextBlock)[] = {blocks};
"""


@pytest.fixture(scope="session")
async def judges(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Both, fetched through npm."""
    return await installed_once(tmp_path_factory, "formats", SCRIPTS)


async def test_slacks_own_types_take_the_blocks_and_nothing_else(judges: Node, tmp_path: Path) -> None:
    for message in MESSAGES:
        slack = written(Format.SLACK, message)
        assert await faults(judges, slack["blocks"]) == ""
        texts = [slack["blocks"][0]["text"], *slack["blocks"][1]["elements"]]
        assert all(1 <= len(text["text"]) <= LONGEST_TEXT for text in texts)
    section, context = written(Format.SLACK, MESSAGES[0])["blocks"]
    assert "sort" in await faults(judges, [section | {"sort": "of"}, context])
    assert "plain_txt" in await faults(judges, [section | {"text": section["text"] | {"type": "plain_txt"}}])


async def faults(judges: Node, blocks: list[dict[str, Any]]) -> str:
    """What TypeScript says of these blocks."""
    (judges.folder / "blocks.ts").write_text(TYPED.format(blocks=json.dumps(blocks)))
    node, environment = node_command()
    compiler = "node_modules/typescript/bin/tsc"
    options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "blocks.ts")
    try:
        await run(judges.folder, environment, node, "-e", RUN, compiler, *options)
    except AssertionError as error:
        return str(error)
    return ""


# tsc says on its output what is wrong, and a script's failure is told by its errors.
RUN = """
const { spawnSync } = require("node:child_process");
const { status, stdout } = spawnSync(process.execPath, process.argv.slice(1), { encoding: "utf8" });
if (status) { console.error(stdout); process.exit(1); }
"""


async def test_microsofts_reader_takes_the_card_whole(judges: Node, tmp_path: Path) -> None:
    payloads = [written(Format.TEAMS, message) for message in MESSAGES]
    assert {payload["type"] for payload in payloads} == {"message"}
    cards = [payload["attachments"][0]["content"] for payload in payloads]
    broken = cards[0] | {"body": [{"type": "Nonsense"}], "actions": [{"type": "Action.OpenUrl", "title": "Open"}]}
    (tmp_path / "cards.json").write_text(json.dumps([*cards, broken]))
    *verdicts, other = await judges.run("card.js", str(tmp_path / "cards.json"))
    for card, verdict in zip(cards, verdicts, strict=True):
        assert verdict == {"wrong": [], "kept": card}
    assert len(other["wrong"]) == 2
