"""Filters: `eq` on userName, externalId, active, id and emails, joined by `and`.

They come to values that statements compare with; nothing of a filter's text becomes part of one.
"""

from __future__ import annotations

from dataclasses import dataclass

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

import resolvers.access
import rules.addresses
import rules.typed
from db.directory import Entry, Wanted
from scim.user import User

LONGEST = 1000
ATTRIBUTES = {
    "username": "userName",
    "externalid": "externalId",
    "active": "active",
    "id": "id",
    "emails": "emails",
    "emails.value": "emails",
}
SUPPORTED = "A filter may compare userName, externalId, active, id and emails.value by eq, and join that by and."


@dataclass(frozen=True)
class Conditions:
    """What must hold: each attribute, and a value of it."""

    terms: tuple[tuple[str, str | bool], ...] = ()

    @property
    def active(self) -> bool | None:
        """Whether those are asked for who are active; None for both, or when other conditions find whom first."""
        found = [value for name, value in self.terms if name == "active"]
        return bool(found[0]) if found else None

    @property
    def wanted(self) -> Wanted | None:
        """By what those may be found that are to be looked at; None when everybody is."""
        named = {name: str(value) for name, value in reversed(self.terms) if name != "active"}
        if not named:
            return None
        return Wanted(
            user_id=resolvers.access.parse_id(named["id"]) if "id" in named else None,
            user_name=rules.addresses.normalized(named["userName"]) if "userName" in named else None,
            email=rules.addresses.normalized(named["emails"]) if "emails" in named else None,
            external_id=named.get("externalId"),
        )

    @property
    def contradict(self) -> bool:
        """Whether one of them excludes another where only `active` is asked for."""
        return len({value for name, value in self.terms if name == "active"}) > 1

    def hold(self, entry: Entry) -> bool:
        """Whether all hold for the person."""
        return all(_holds(entry, name, value) for name, value in self.terms)


def read(text: str | None) -> Conditions:
    """The conditions of a filter. Raises InvalidFilterException."""
    if not text:
        return Conditions()
    if len(text) > LONGEST or "\0" in text:
        raise InvalidFilterException(detail=f"A filter has at most {LONGEST} characters.")
    try:
        tree = ScimFilter[User](text).ast
    except RecursionError:
        raise InvalidFilterException(detail=SUPPORTED) from None
    return Conditions(tuple(_term(node) for node in _terms(tree)))


def _terms(tree: FilterNode) -> list[FilterNode]:
    if isinstance(tree, LogicalExpr) and tree.op is LogicalOperator.and_:
        return [each for term in tree.terms for each in _terms(term)]
    return [tree]


def _term(node: FilterNode) -> tuple[str, str | bool]:
    if not isinstance(node, Comparison) or node.op is not CompareOperator.eq:
        raise InvalidFilterException(detail=SUPPORTED)
    path = node.attr_path
    is_ours = path.uri is None or path.uri.lower() == str(User.__schema__).lower()
    written = path.attr if path.sub_attr is None else f"{path.attr}.{path.sub_attr}"
    name = ATTRIBUTES.get(written.lower()) if is_ours else None
    value: object = node.value
    if name == "active" and str(value).lower() in {"true", "false"}:
        return name, str(value).lower() == "true"
    if name in {None, "active"} or not isinstance(value, str):
        raise InvalidFilterException(detail=SUPPORTED)
    assert name is not None
    # The filter was sound as it was written; what its escapes stand for may not be.
    if not rules.typed.is_storable(value):
        raise InvalidFilterException(detail="No attribute holds the NUL character or half of a surrogate pair.")
    return name, value


def _holds(entry: Entry, name: str, value: str | bool) -> bool:
    if isinstance(value, bool):
        return entry.is_active is value
    found = {
        "userName": rules.addresses.normalized(value) == entry.user_name,
        "emails": rules.addresses.normalized(value) == entry.email,
        "externalId": value == entry.external_id,
        "id": value.lower() == str(entry.user_id),
    }
    return found[name]
