"""Owners keep webhooks: added with a secret shown once, listed, rotated, tested and removed; nobody else's."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from resolvers.webhooks import insert
from rules.events.catalogue import SHOWN, samples
from rules.events.json_schema import payload, schemas
from rules.events.samples import AT
from rules.events.stored import Stored
from rules.sealed import Sealed
from rules.sealing import KeyRing
from rules.webhooks import SECRET_PURPOSE, is_public
from tests.commands import Command, command
from tests.people import World
from tests.webhooks.operations import ADD, ENABLE, REMOVE, RESEND, ROTATE, TEST, WEBHOOK, WEBHOOKS

URL = "https://hooks.example.com/gatehouse?token=secret"


def given(world: World, **changes: Any) -> dict[str, Any]:
    """The input that adds a webhook to the agency."""
    return {"accountId": str(world.account_id), "url": URL, **changes}


async def test_an_owner_adds_one_and_sees_its_secret_once(world: World) -> None:
    olive = await world.sign_in("olive")
    added = await olive.do(ADD, input=given(world, eventTypes=["MFA_ENABLED"]))
    assert (added["webhook"]["url"], added["webhook"]["eventTypes"]) == (URL, ["MFA_ENABLED"])
    assert added["secret"].startswith("whsec_")
    sealed = await world.database.fetchval("SELECT secret_sealed FROM webhooks")
    assert added["secret"].encode() not in sealed
    (event,) = await world.events("WEBHOOK_ADDED")
    assert (event["account_id"], event["data"]["host"]) == (world.account_id, "hooks.example.com")
    account = await olive.ask(WEBHOOKS, account=str(world.account_id))
    assert account["account"]["webhooks"] == [{"id": added["webhook"]["id"], "url": URL}]


async def test_a_type_that_is_named_again_and_again_is_kept_once(world: World) -> None:
    olive = await world.sign_in("olive")
    added = await olive.do(ADD, input=given(world, eventTypes=["MFA_ENABLED", "MFA_RESET"] * 300))
    assert added["webhook"]["eventTypes"] == ["MFA_ENABLED", "MFA_RESET"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com",
        "https://",
        "https://user:password@hooks.example.com",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:0/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/" + "x" * 2000,
        "https://127.0.0.1/",
        "https://localhost/",
        "https://api.localhost./",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://169.254.169.254/latest/meta-data",
        "https://metadata.google.internal/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
    ],
)
async def test_what_may_not_be_called_is_refused_by_its_field(world: World, url: str) -> None:
    olive = await world.sign_in("olive")
    answer = await olive.do(ADD, input=given(world, url=url))
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", "url")
    assert await world.events("WEBHOOK_ADDED") == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_only_public_addresses_are_called(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_only_owners_change_webhooks_and_nobody_those_of_another_account(world: World) -> None:
    olive = await world.sign_in("olive")
    webhook_id = (await olive.do(ADD, input=given(world)))["webhook"]["id"]
    delivery_id = (await olive.do(TEST, id=webhook_id))["delivery"]["id"]
    before = await world.events()
    adam = await world.sign_in("adam")
    assert (await adam.do(ADD, input=given(world)))["__typename"] == "NotPermitted"
    changes = [(REMOVE, webhook_id), (ROTATE, webhook_id), (ENABLE, webhook_id), (TEST, webhook_id)]
    changes.append((RESEND, delivery_id))
    for operation, identifier in changes:
        assert (await adam.do(operation, id=identifier))["__typename"] == "NotPermitted"
        for name in ("mia", "petra", "sam"):
            assert await (await world.sign_in(name)).refusal(operation, id=identifier) == "NOT_FOUND"
        assert await world.client().refusal(operation, id=identifier) == "UNAUTHENTICATED"
    assert await (await world.sign_in("sam")).refusal(ADD, input=given(world)) == "NOT_FOUND"
    assert await (await world.sign_in("sam")).refusal(WEBHOOK, id=webhook_id) == "NOT_FOUND"
    after = await world.events()
    assert {e["type"] for e in after[len(before) :]} == {"SIGN_IN_SUCCEEDED"}


async def test_rotating_removing_and_ids_that_nothing_has(world: World) -> None:
    olive = await world.sign_in("olive")
    added = await olive.do(ADD, input=given(world))
    rotated = await olive.do(ROTATE, id=added["webhook"]["id"])
    assert rotated["secret"] != added["secret"]
    assert (await olive.do(REMOVE, id=added["webhook"]["id"]))["__typename"] == "WebhookRemoved"
    for operation in (REMOVE, ROTATE, ENABLE, TEST, RESEND, WEBHOOK):
        assert await olive.refusal(operation, id=added["webhook"]["id"]) == "NOT_FOUND"
    assert [e["type"] for e in await world.events("WEBHOOK_SECRET_ROTATED", "WEBHOOK_REMOVED")] == [
        "WEBHOOK_SECRET_ROTATED",
        "WEBHOOK_REMOVED",
    ]


async def test_an_account_has_a_bounded_number_of_them(world: World) -> None:
    olive = await world.sign_in("olive")
    kinds = [(await olive.do(ADD, input=given(world)))["__typename"] for _ in range(21)]
    assert kinds == ["WebhookAdded"] * 20 + ["InvalidInput"]


async def test_each_event_of_the_account_is_written_for_its_endpoints_alone(world: World) -> None:
    olive, sam = await world.sign_in("olive"), await world.sign_in("sam")
    await olive.do(ADD, input=given(world, eventTypes=["MFA_ENABLED"]))
    await sam.do(ADD, input=given(world, accountId=str(world.other_account_id), eventTypes=[]))
    await world.enroll(await world.sign_in("mia"))
    rows = await world.database.fetch(
        "SELECT webhooks.account_id, events.type FROM webhook_deliveries "
        "JOIN webhooks ON webhooks.id = webhook_id JOIN events ON events.id = event_id ORDER BY events.id"
    )
    assert [tuple(row) for row in rows] == [
        (world.other_account_id, "WEBHOOK_ADDED"),
        (world.account_id, "MFA_ENABLED"),
    ]


async def test_operators_tell_the_whole_platform_too(world: World, operate: Command, database_url: str) -> None:
    environment = {"database_url": database_url, "secret_keys": "test:" + "a" * 43 + "="}
    done = command("webhooks", "add", "--url", URL, "--type", "MFA_ENABLED", "--json", **environment)
    made = json.loads(done.stdout)
    assert made["secret"].startswith("whsec_"), done.stderr
    await world.enroll(await world.sign_in("sue"))
    assert await world.database.fetchval("SELECT count(*) FROM webhook_deliveries") == 1
    assert made["id"] in operate("webhooks", "list").stdout
    assert operate("webhooks", "remove", made["id"]).stdout == "The webhook to hooks.example.com is removed.\n"
    assert "There is no event type X" in command("webhooks", "add", "--url", URL, "--type", "X", **environment).stderr


async def test_one_that_is_off_is_sent_nothing_until_an_operator_switches_it_on(world: World, operate: Command) -> None:
    hook, _ = await insert(world.database, KeyRing({"test": bytes(32)}), None, URL, None)
    await world.database.execute("UPDATE webhooks SET disabled_at = now(), failing_since = now()")
    await failed(world, hook.id, 1)
    for refused in (operate("webhooks", "test", str(hook.id)), operate("webhooks", "resend", str(hook.id))):
        assert f"The webhook is switched off: `gatehouse webhooks enable {hook.id}` first." in refused.stderr
    assert await states(world) == ["failed"]
    for _ in range(2):
        assert operate("webhooks", "enable", str(hook.id)).stdout == "The webhook to hooks.example.com is on.\n"
    (event,) = await world.events("WEBHOOK_ENABLED")
    assert (event["account_id"], event["data"]["host"]) == (None, "hooks.example.com")
    # It is an event of the platform, which the endpoint is told of.
    assert await states(world) == ["failed", "pending"]
    assert operate("webhooks", "resend", str(hook.id)).stdout == "1 on their way again to hooks.example.com.\n"
    assert operate("webhooks", "test", str(hook.id)).stdout == "A test is on its way to hooks.example.com.\n"
    assert await states(world) == ["pending"] * 3
    nobodys = "00000000-0000-0000-0000-000000000000"
    for command_name in ("enable", "test", "resend", "remove"):
        assert "There is no webhook with the id" in operate("webhooks", command_name, nobodys).stderr


async def test_whatever_has_failed_is_sent_again_in_steps_but_for_tests(world: World, operate: Command) -> None:
    hook, _ = await insert(world.database, KeyRing({"test": bytes(32)}), None, URL, None)
    await failed(world, hook.id, 10_001)
    await world.database.execute("INSERT INTO webhook_deliveries (webhook_id, state) VALUES ($1, 'failed')", hook.id)
    resent = operate("webhooks", "resend", str(hook.id))
    assert resent.stdout == "10001 on their way again to hooks.example.com.\n"
    assert resent.stderr == "10000 so far.\n"
    assert await states(world) == ["pending"] * 10_001 + ["failed"]


async def failed(world: World, webhook_id: UUID, count: int) -> None:
    """So many events, of which the endpoint could not be told."""
    await world.database.execute(
        "WITH happened AS ("
        "INSERT INTO events (type) SELECT 'MFA_ENABLED' FROM generate_series(1, $2::int) RETURNING id) "
        "INSERT INTO webhook_deliveries (webhook_id, event_id, state) SELECT $1, id, 'failed' FROM happened",
        webhook_id,
        count,
    )


async def test_an_owner_is_told_that_one_that_is_off_sends_no_test(world: World) -> None:
    olive = await world.sign_in("olive")
    hook = (await olive.do(ADD, input=given(world)))["webhook"]["id"]
    delivery = (await olive.do(TEST, id=hook))["delivery"]["id"]
    await world.database.execute("UPDATE webhooks SET disabled_at = now()")
    await world.database.execute("UPDATE webhook_deliveries SET state = 'failed'")
    for operation, identifier in ((TEST, hook), (RESEND, delivery)):
        answer = await olive.do(operation, id=identifier)
        assert (answer["__typename"], answer["message"]) == (
            "NotPermitted",
            "This webhook is switched off. Switch it on first.",
        )
    assert await states(world) == ["failed", "failed"]
    await olive.do(ENABLE, id=hook)
    assert (await olive.do(RESEND, id=delivery))["__typename"] == "WebhookDeliveryQueued"


async def states(world: World) -> list[str]:
    return [row["state"] for row in await world.database.fetch("SELECT state FROM webhook_deliveries ORDER BY id")]


async def test_a_webhooks_secret_moves_under_the_newest_key(world: World, database_url: str) -> None:
    ring = KeyRing({"old": b"o" * 32})
    webhook, _ = await insert(world.database, ring, world.account_id, URL, None)
    keys = ",".join(f"{name}:{b64encode(name[:1].encode() * 32).decode()}" for name in ("new", "old"))
    done = command("keys", "status", database_url=database_url, secret_keys=keys)
    assert re.search("old.*must stay: run `gatehouse keys reseal`", done.stdout)
    assert command("keys", "reseal", database_url=database_url, secret_keys=keys).returncode == 0
    row = await world.database.fetchrow("SELECT secret_sealed, secret_key_id FROM webhooks")
    assert row is not None
    newer = KeyRing({"new": b"n" * 32})
    assert len(newer.open(Sealed(row["secret_sealed"], row["secret_key_id"]), SECRET_PURPOSE, webhook.id)) == 32
    done = command("keys", "status", database_url=database_url, secret_keys=keys)
    assert re.search("old.*may go", done.stdout)


@pytest.mark.parametrize("event", SHOWN, ids=lambda event: event.__name__)
def test_every_payload_fits_its_printed_schema_and_holds_no_secret(event: Any) -> None:
    import jsonschema  # here, since it takes a second, and each process lists all tests

    schema = schemas()[event.type()]
    jsonschema.Draft202012Validator.check_schema(schema)
    for sample in samples(event).values():
        stored = replace(Stored.of(sample), service_key="web")
        told = payload(7, AT, stored, "olive@example.com", "mia@example.com")
        jsonschema.validate(told, schema, format_checker=jsonschema.FormatChecker())
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**told, "type": "OTHER"}, schema)


def test_the_command_prints_the_schemas(operate: Command) -> None:
    assert json.loads(operate("webhooks", "schema").stdout) == schemas()
    assert json.loads(operate("webhooks", "schema", "MFA_ENABLED").stdout) == schemas()["MFA_ENABLED"]
