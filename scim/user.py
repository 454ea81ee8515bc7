"""A person as a directory sees them: the attributes that are kept, and how they and our own tables go together.

A directory gets back what it wrote, as it wrote it, wherever that still holds; where our tables have it otherwise, they
are right.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    InvalidValueException,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)

import rules.addresses
from db.directory import Entry
from resolvers.directory import Given
from rules.people import Role as AccountRole

# What directories send beside the standard's letter, and attributes that are not kept here.
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
MOST_VALUES = 10
KEPT = {"userName", "name", "displayName", "active", "emails", "roles"}

Text = Annotated[str | None, Field(max_length=255)]


class Name(ComplexAttribute):
    """The person's name in its parts."""

    formatted: Text = None
    family_name: Text = None
    given_name: Text = None


class Email(ComplexAttribute):
    """An address; the primary one, or the first for work, or the first, is what the person signs in with."""

    value: Annotated[str | None, Field(max_length=255), Required.true] = None
    type: Annotated[str | None, Field(max_length=255, examples=["work", "home", "other"])] = None
    primary: bool | None = None


class Role(ComplexAttribute):
    """The person's role in the account: one."""

    value: Annotated[str | None, Field(max_length=1000, examples=[role.value for role in AccountRole])] = None
    display: Text = None
    type: Text = None
    primary: bool | None = None


class User(Resource[Any]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    external_id: Annotated[str | None, Field(max_length=255), CaseExact.true] = None
    user_name: Annotated[str | None, Field(max_length=255), Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: Text = None
    active: bool | None = None
    emails: Annotated[list[Email] | None, Field(max_length=MOST_VALUES)] = None
    roles: Annotated[list[Role] | None, Field(max_length=MOST_VALUES)] = None


def shown(entry: Entry, base_url: str) -> User:
    """The person as the directory sees them, with their version."""
    said = dict(entry.said or {})
    if rules.addresses.normalized(said.get("userName", "")) != entry.user_name:
        said["userName"] = entry.user_name
    if not said.get("emails") or rules.addresses.normalized(_chosen(said["emails"])) != entry.email:
        said["emails"] = [{"value": entry.email, "type": "work", "primary": True}]
    if _role_said(said) is not entry.role or entry.said is None:
        said["roles"] = [{"value": entry.role.value, "primary": True}]
    if "active" in said or entry.said is None:
        said["active"] = entry.is_active
    facts = {"id": str(entry.user_id), "externalId": entry.external_id, **said}
    meta = {
        "resourceType": "User",
        "created": entry.created_at.isoformat(),
        "lastModified": entry.updated_at.isoformat(),
        "location": f"{base_url}/Users/{entry.user_id}",
    }
    digest = hashlib.sha256(json.dumps([facts, meta], sort_keys=True).encode()).hexdigest()
    meta["version"] = f'W/"{digest[:32]}"'
    return User.model_validate({**facts, "meta": meta})


def created(user: User) -> Given:
    """Whom a new resource describes. Raises InvalidValueException."""
    user.active = True if user.active is None else user.active
    user.roles = user.roles or [Role(value=AccountRole.MEMBER.value, primary=True)]
    return _given(user, _address(user) or user.user_name or "", True, None)


def replaced(user: User, before: Entry) -> Given:
    """Whom a resource in a known one's place describes: what it leaves out of role and standing stays."""
    was = shown(before, "")
    user.active = was.active if user.active is None else user.active
    user.roles = user.roles or was.roles
    names_address = _address(user) is not None
    user.emails = user.emails or (was.emails if before.email != before.user_name else None)
    return _given(user, _address_after(user, before, names_address), before.is_active, None)


def changed(user: User, before: Entry, names_address: bool) -> Given:
    """Whom a known resource describes after operations on it, some on its addresses or none.

    Raises InvalidValueException.
    """
    names_address = names_address or bool((before.said or {}).get("emails"))
    email = _address_after(user, before, names_address)
    if not names_address:
        user.emails = None  # shown, and never said: the name goes on saying it
    return _given(user, email, before.is_active, before.role)


def _address_after(user: User, before: Entry, names_address: bool) -> str:
    name = rules.addresses.normalized(user.user_name or "")
    if not names_address and before.email == before.user_name != name and "@" in name:
        return name  # it is by the name that they sign in, and that was changed
    return _address(user) or before.email


def _given(user: User, address: str, was_active: bool, before: AccountRole | None) -> Given:
    # What says nothing of the standing, or takes away what was said of it, lets nobody in.
    is_active = was_active if user.active is None else user.active
    try:
        email = rules.addresses.checked(address)
    except rules.addresses.NotAnAddressError as error:
        raise InvalidValueException(detail=f"emails, or userName, must hold an email address. {error}") from None
    role, user.roles = _role(user.roles or [], before)
    user_name = rules.addresses.normalized(user.user_name or "")
    if not user_name or len(user_name) > 255:
        raise InvalidValueException(detail="userName must have 1 to 255 characters.")
    if user.external_id == "":
        raise InvalidValueException(detail="externalId must have 1 to 255 characters.")
    said = {name: value for name, value in user.model_dump().items() if name in KEPT}
    return Given(user_name, email, user.external_id, role, is_active, said)


def _address(user: User) -> str | None:
    return _chosen([email.model_dump() for email in user.emails or []]) or None


def _chosen(emails: list[dict[str, Any]]) -> str:
    """The one of these addresses that the person signs in with."""
    given = [email for email in emails if email.get("value")]
    ranked = sorted(given, key=lambda email: (not email.get("primary"), email.get("type") != "work"))
    return str(ranked[0]["value"]) if ranked else ""


def _role_said(said: dict[str, Any]) -> AccountRole:
    (first, *_) = said.get("roles") or [{}]
    return _read_role(first.get("value") or AccountRole.MEMBER.value) or AccountRole.MEMBER


def _role(roles: list[Role], before: AccountRole | None) -> tuple[AccountRole, list[Role] | None]:
    """The role that is meant, and what says so: the one beside that before, or else the primary one."""
    read = [(_known_role(role.value), role) for role in roles if role.value]
    meant = {role for role, _ in read}
    if len(meant) > 1:
        meant -= {before}
    if len(meant) > 1:
        meant = {role for role, given in read if given.primary} or meant
    if len(meant) > 1:
        raise InvalidValueException(detail="A person has one role: OWNER, ADMIN or MEMBER. Mark one as primary.")
    if not meant:
        return AccountRole.MEMBER, None
    (role,) = meant
    return role, [given for each, given in read if each is role][-1:]


def _known_role(value: str) -> AccountRole:
    role = _read_role(value)
    if role is None:
        raise InvalidValueException(detail="A role is OWNER, ADMIN or MEMBER.")
    return role


def _read_role(value: str) -> AccountRole | None:
    """The account role; an app role's assignment may come as JSON within the text."""
    if value.startswith("{"):
        try:
            assigned = json.loads(value)
        except (ValueError, RecursionError):
            return None
        value = str(assigned.get("value") or assigned.get("displayName") or "")
    return AccountRole.__members__.get(value.strip().upper())
