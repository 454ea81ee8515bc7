"""What a thief gave or asked for in an admin's name ends as the admin, or somebody for them, shuts the thief out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from rules.links import Purpose
from rules.service_keys import Right
from tests.account.acts import ask_account, reset
from tests.account.approving import REASON, choose
from tests.account.operations import DISPUTE, SESSION_IDS, WAITING
from tests.alerts.operations import END_STAFF_SESSION, REJECT
from tests.client import Client
from tests.coming_in.links import link_to
from tests.coming_in.operations import CHANGE, END, INVITE, MEMBERS, SET
from tests.commands import Command
from tests.enrollment.passes import begun, issue, redeem
from tests.oidc.operations import REMOVE, REMOVE_OF_STAFF
from tests.operations import BEGIN_RECOVERY, COMPLETE, DISABLE, REPLACE, SIGN_IN, SIGN_OUT_OTHERS, VIEWER
from tests.people import PASSWORD, Factor, World, email
from tests.service.operations import SERVICE_SIGN_IN, backend

ISSUER = "https://provider.example"
NEW_PASSWORD = "another horse, another battery"


@dataclass
class Stolen:
    """Olive, Adam at his desk, and a thief signed in as him on another device, with the id of that session."""

    world: World
    operate: Command
    factor: Factor
    olive: Client
    adam: Client
    thief: Client
    session: str


@pytest_asyncio.fixture
async def stolen(world: World, operate: Command) -> Stolen:
    """A thief who has got at Adam's password and a code; Mia has MFA on."""
    olive, adam = await world.enrolled("olive"), await world.sign_in("adam")
    factor = await world.enroll(adam)
    await world.let_have_mfa("mia")
    thief = await signed_in(world, factor, "curl")
    sessions = (await thief.ask(SESSION_IDS))["viewer"]["sessions"]
    (session,) = [each["id"] for each in sessions if each["current"]]
    return Stolen(world, operate, factor, olive, adam, thief, session)


async def signed_in(world: World, factor: Factor, user_agent: str) -> Client:
    """Somebody signed in as Adam by a program not seen before."""
    await world.forget_spent_steps("adam")
    client = world.client(**{"user-agent": user_agent})
    challenge = (await client.do(SIGN_IN, email=email("adam"), password=PASSWORD))["challengeToken"]
    client.token = (await client.do(COMPLETE, token=challenge, code={"totp": await factor.code()}))["sessionToken"]
    return client


async def this_was_not_me(stolen: Stolen) -> None:
    world = stolen.world
    token = await link_to(world, email("adam"), Purpose.NOT_MY_SIGN_IN, about="NEW_DEVICE_SIGNED_IN")
    assert (await world.client().do(REJECT, token=token))["__typename"] == "SignInRejected"


async def this_reset_was_not_my_wish(stolen: Stolen) -> None:
    token = await link_to(stolen.world, email("adam"), Purpose.NOT_ME)
    assert (await stolen.world.client().do(DISPUTE, token=token))["__typename"] == "MfaResetDisputed"


async def a_new_password_by_a_link(stolen: Stolen) -> None:
    token = await link_to(stolen.world, email("adam"), Purpose.PASSWORD_RESET)
    assert (await stolen.world.client().do(SET, token=token, password=NEW_PASSWORD))["__typename"] == "PasswordSet"


async def a_changed_password(stolen: Stolen) -> None:
    assert (await stolen.adam.do(CHANGE, current=PASSWORD, new=NEW_PASSWORD))["__typename"] == "PasswordChanged"


async def signing_out_the_others(stolen: Stolen) -> None:
    assert await stolen.adam.do(SIGN_OUT_OTHERS) == {"count": 1}


async def ending_that_session(stolen: Stolen) -> None:
    assert await stolen.adam.do(END, id=stolen.session) == {"sessionId": stolen.session}


async def an_owner(stolen: Stolen) -> None:
    account, staff = str(stolen.world.account_id), str(await stolen.world.staff_id("adam"))
    given = {"account": account, "staff": staff, "session": stolen.session}
    assert (await stolen.olive.do(END_STAFF_SESSION, **given))["__typename"] == "StaffSessionEnded"


async def an_operator(stolen: Stolen) -> None:
    who = ("--account", str(stolen.world.account_id), "--email", email("adam"))
    assert stolen.operate("staff", "end-session", stolen.session, *who).returncode == 0


async def linked(stolen: Stolen) -> None:
    """Let the thief have come by a provider, too."""
    link = "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, 'thief', $2)"
    await stolen.world.database.execute(link, ISSUER, await stolen.world.user_id("adam"))


async def taking_the_identity_away(stolen: Stolen) -> None:
    await linked(stolen)
    assert (await stolen.adam.do(REMOVE, issuer=ISSUER))["__typename"] == "IdentityRemoved"


async def an_owner_taking_the_identity_away(stolen: Stolen) -> None:
    await linked(stolen)
    account, staff = str(stolen.world.account_id), str(await stolen.world.staff_id("adam"))
    answer = await stolen.olive.do(REMOVE_OF_STAFF, account=account, staff=staff, issuer=ISSUER)
    assert answer["__typename"] == "IdentityRemoved"


async def an_operator_taking_the_identity_away(stolen: Stolen) -> None:
    await linked(stolen)
    done = stolen.operate("identities", "remove", "--email", email("adam"), "--issuer", ISSUER)
    assert done.returncode == 0, done.stderr


async def revoking_the_key_that_let_the_thief_in(stolen: Stolen) -> None:
    key = await backend(stolen.world, Right.SIGN_IN)
    assert (await key.do(SERVICE_SIGN_IN, input={"email": email("adam")}))["__typename"] == "MfaChallenge"
    assert stolen.operate("service-keys", "revoke", "web").returncode == 0


async def a_reset_by_an_owner(stolen: Stolen) -> None:
    await choose(stolen.olive, stolen.world, "NOBODY")
    assert (await reset(stolen.olive, stolen.world, "adam"))["__typename"] == "StaffMfaReset"


async def a_reset_by_an_operator(stolen: Stolen) -> None:
    done = stolen.operate("mfa", "reset", "--email", email("adam"))
    assert done.returncode == 0, done.stderr


Way = Callable[[Stolen], Awaitable[None]]
WAYS: list[Way] = [
    this_was_not_me,
    this_reset_was_not_my_wish,
    a_new_password_by_a_link,
    a_changed_password,
    signing_out_the_others,
    ending_that_session,
    an_owner,
    an_operator,
    taking_the_identity_away,
    an_owner_taking_the_identity_away,
    an_operator_taking_the_identity_away,
    revoking_the_key_that_let_the_thief_in,
    a_reset_by_an_owner,
    a_reset_by_an_operator,
]
OF_OPERATORS = {
    an_operator,
    an_operator_taking_the_identity_away,
    revoking_the_key_that_let_the_thief_in,
    a_reset_by_an_operator,
}
OF_OWNERS = {an_owner, an_owner_taking_the_identity_away, a_reset_by_an_owner}
shut_out_by = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


async def invited(stolen: Stolen, who: Client, address: str) -> str:
    """Invite somebody as an admin; the token of the link."""
    given = {"account": str(stolen.world.account_id), "email": address, "role": "ADMIN"}
    assert (await who.do(INVITE, **given))["__typename"] == "StaffInvited"
    return await link_to(stolen.world, address, Purpose.INVITATION)


async def open_invitations(stolen: Stolen) -> list[str]:
    """Who is still invited."""
    given = {"account": str(stolen.world.account_id), "filter": {"state": "INVITED"}}
    shown = (await stolen.olive.ask(MEMBERS, **given))["account"]["staff"]["nodes"]
    return [each["email"] for each in shown]


@shut_out_by
async def test_no_recovery_pass_of_the_thief_is_good(stolen: Stolen, way: Way) -> None:
    recovery_pass = (await issue(stolen.thief, stolen.world))["recoveryPass"]
    await way(stolen)
    assert (await redeem(stolen.world, recovery_pass))[1]["__typename"] == "RecoveryPassExpired"
    assert await stolen.world.events("RECOVERY_PASS_USED") == []


@shut_out_by
async def test_no_session_that_a_pass_of_the_thief_has_begun_goes_on(stolen: Stolen, way: Way) -> None:
    mia, _ = await redeem(stolen.world, (await issue(stolen.thief, stolen.world))["recoveryPass"])
    new = await begun(mia)
    await way(stolen)
    assert await mia.refusal(REPLACE, code=await new.code()) == "UNAUTHENTICATED"
    assert await stolen.world.events("AUTHENTICATOR_REPLACED") == []


@shut_out_by
async def test_nor_does_one_in_which_another_app_was_put_in_place_by_then(stolen: Stolen, way: Way) -> None:
    mia, _ = await redeem(stolen.world, (await issue(stolen.thief, stolen.world))["recoveryPass"])
    answer = await mia.do(REPLACE, code=await (await begun(mia)).code())
    assert answer["__typename"] == "AuthenticatorReplaced"
    await way(stolen)
    assert await mia.ask(VIEWER) == {"viewer": None}


async def test_nor_one_that_begins_or_moves_on_in_the_same_moment(stolen: Stolen) -> None:
    world = stolen.world
    mia, _ = await redeem(world, (await issue(stolen.thief, world))["recoveryPass"])
    code = await (await begun(mia)).code()
    another = (await issue(stolen.thief, world))["recoveryPass"]
    (late, _), *_ = await asyncio.gather(
        redeem(world, another), mia.raw(REPLACE, code=code), a_new_password_by_a_link(stolen)
    )
    assert await mia.ask(VIEWER) == {"viewer": None}
    assert await late.refusal(BEGIN_RECOVERY) == "UNAUTHENTICATED"
    assert await world.database.fetchval("SELECT count(*) FROM sessions WHERE pass_issuer IS NOT NULL") == 0


@shut_out_by
async def test_no_reset_that_the_thief_asked_for_waits(stolen: Stolen, way: Way) -> None:
    world = stolen.world
    await choose(stolen.olive, world, "EVERYONE")
    assert (await reset(stolen.thief, world, "mia", REASON))["__typename"] == "MfaResetPending"
    await way(stolen)
    assert await ask_account(stolen.olive, world, WAITING) == []
    (event,) = await world.events("MFA_RESET_DECLINED")
    by = None if way in OF_OPERATORS else await world.user_id("olive" if way in OF_OWNERS else "adam")
    assert (event["actor_id"], event["subject_id"]) == (by, await world.user_id("mia"))
    assert event["data"]["requesterEmail"] == email("adam")


async def test_nobody_comes_by_an_invitation_of_the_thief_whose_sign_in_was_rejected(stolen: Stolen) -> None:
    token = await invited(stolen, stolen.thief, "thief@agency.example")
    await this_was_not_me(stolen)
    answer = await stolen.world.client().do(SET, token=token, password=NEW_PASSWORD)
    assert answer["__typename"] == "LinkExpired"
    assert await open_invitations(stolen) == []
    (event,) = await stolen.world.events("INVITATION_REVOKED")
    assert event["actor_id"] == await stolen.world.user_id("adam")


@pytest.mark.parametrize("way", [this_was_not_me, revoking_the_key_that_let_the_thief_in], ids=lambda way: way.__name__)
async def test_whoever_came_in_on_such_an_invitation_alone_is_signed_out(stolen: Stolen, way: Way) -> None:
    world = stolen.world
    await world.database.execute("DELETE FROM factors USING users WHERE id = user_id AND email = $1", email("mia"))
    await world.database.execute("DELETE FROM staff WHERE email = $1", email("mia"))
    await invited(stolen, stolen.thief, email("mia"))
    mia = await world.sign_in("mia")
    await way(stolen)
    assert await mia.ask(VIEWER) == {"viewer": None}
    assert await stolen.olive.ask(VIEWER) != {"viewer": None}


async def test_nobody_comes_by_an_invitation_of_a_thief_who_set_up_mfa_after_a_reset(stolen: Stolen) -> None:
    world = stolen.world
    await invited(stolen, stolen.adam, "by-adam@agency.example")
    assert (await reset(stolen.olive, world, "adam"))["__typename"] == "StaffMfaReset"
    await link_to(world, email("adam"), Purpose.NOT_ME, about="MFA_RESET")
    thief = await world.sign_in("adam")
    factor = await world.enroll(thief)
    token = await invited(stolen, thief, "thief@agency.example")
    assert (await thief.do(DISABLE, code=await factor.code(1)))["__typename"] == "MfaDisabled"
    await world.enroll(thief)
    # By whichever of the mails since the reset: MFA set up twice sends two more of them.
    latest = await link_to(world, email("adam"), Purpose.NOT_ME, about="MFA_ENABLED")
    assert (await world.client().do(DISPUTE, token=latest))["__typename"] == "MfaResetDisputed"
    answer = await world.client().do(SET, token=token, password=NEW_PASSWORD)
    assert answer["__typename"] == "LinkExpired"
    assert await open_invitations(stolen) == ["by-adam@agency.example"]
    (event,) = await world.events("INVITATION_REVOKED")
    assert event["actor_id"] == await world.user_id("adam")


async def test_what_was_given_before_that_sign_in_or_by_others_holds_on(stolen: Stolen) -> None:
    world = stolen.world
    await invited(stolen, stolen.adam, "by-adam@agency.example")
    recovery_pass = (await issue(stolen.adam, world))["recoveryPass"]
    await signed_in(world, stolen.factor, "wget")
    await invited(stolen, stolen.olive, "by-olive@agency.example")
    await this_was_not_me(stolen)
    assert await open_invitations(stolen) == ["by-adam@agency.example", "by-olive@agency.example"]
    assert (await redeem(world, recovery_pass))[1]["__typename"] == "RecoverySession"
    assert await world.events("INVITATION_REVOKED") == []


async def test_what_a_pass_of_before_that_sign_in_has_begun_goes_on(stolen: Stolen) -> None:
    world = stolen.world
    mia, _ = await redeem(world, (await issue(stolen.adam, world))["recoveryPass"])
    await signed_in(world, stolen.factor, "wget")
    await this_was_not_me(stolen)
    await begun(mia)


async def test_what_a_pass_of_another_admin_has_begun_goes_on(stolen: Stolen) -> None:
    mia, _ = await redeem(stolen.world, (await issue(stolen.olive, stolen.world))["recoveryPass"])
    await a_new_password_by_a_link(stolen)
    await begun(mia)
