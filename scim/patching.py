"""PATCH as directories send it: what some of them write otherwise than the standard, in the standard's words.

Upper-case op names, "True" and "False", conditions that compare a boolean with text, entries that a condition describes
and that are not there, and unknown attributes are understood by the library already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scim2_models import Context, InvalidValueException, PatchOp, TooManyException

import rules.typed
from scim.user import TOLERANT, User

MOST_OPERATIONS = 100
# Sent along in values without a path, and not for a directory to change.
READ_ONLY = {"id", "meta", "schemas", "groups"}
SINGLE = {"active", "displayname", "externalid", "username", "name.givenname", "name.familyname", "name.formatted"}


def touches(body: dict[str, Any], attribute: str) -> bool:
    """Whether any of the operations is about the attribute, or a part of it."""
    operations = body.get(_name_of_operations(body))
    given = [each for each in operations if isinstance(each, dict)] if isinstance(operations, list) else []
    for operation in ({key.lower(): value for key, value in each.items()} for each in given):
        path, value = operation.get("path"), operation.get("value")
        names = [path] if path else list(value) if isinstance(value, dict) else []
        if any(_plain(name).startswith(attribute) for name in names if isinstance(name, str)):
            return True
    return False


def patched(user: User, body: dict[str, Any]) -> User:
    """The person after all operations, or none. Raises SCIMException, ValidationError."""
    name = _name_of_operations(body)
    operations = body.get(name)
    if isinstance(operations, list):
        if len(operations) > MOST_OPERATIONS:
            raise TooManyException(detail=f"Send at most {MOST_OPERATIONS} operations at once.")
        body = {**body, name: [each for operation in operations for each in _in_order(operation)]}
    with TOLERANT:
        patch = PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
        patch.patch(user)
    # A condition of a path may bring it in: there it was written by escapes.
    if not all(map(rules.typed.is_storable, _texts(user.model_dump()))):
        raise InvalidValueException(detail="Text must hold neither the NUL character nor half of a surrogate pair.")
    return user


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _in_order(operation: Any) -> list[Any]:
    """The operation, as several where a value without a path names conditions."""
    if not isinstance(operation, dict):
        return [operation]
    given = {key.lower(): value for key, value in operation.items()}
    op, path, value = given.get("op"), given.get("path"), given.get("value")
    if path or not isinstance(value, dict):
        return [
            operation
            if not path
            else {**operation, "value": _unwrapped(path, value)}
            if "value" in given
            else operation
        ]
    written = {key: _unwrapped(key, each) for key, each in value.items() if key.lower() not in READ_ONLY}
    plain = {key: each for key, each in written.items() if "[" not in key}
    conditional = [{"op": op, "path": key, "value": each} for key, each in written.items() if "[" in key]
    return [{"op": op, "value": plain}, *conditional] if plain or not conditional else conditional


def _unwrapped(path: Any, value: Any) -> Any:
    """A single value that comes as a list of one entry."""
    is_single = isinstance(path, str) and _plain(path) in SINGLE
    if is_single and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return value[0].get("value")
    return value


def _name_of_operations(body: dict[str, Any]) -> str:
    return next((key for key in body if key.lower() == "operations"), "Operations")


def _plain(path: str) -> str:
    return path.strip().lower().removeprefix(f"{User.__schema__}:".lower())
