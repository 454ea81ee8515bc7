"""What is wrong with an input, said without the input: it may be a code, a password or a token."""

from __future__ import annotations

import re

TOO_MANY = "Too many errors processing variables"
_TYPE = r"'[\w\[\]!]+'"
_HARMLESS = re.compile(
    rf"Expected (?:a )?value of (?:non-null )?type {_TYPE} (?:to be an object|not to be None|to be provided"
    r"|to include required field '\w+'|not to include unknown field '\w+')"
    rf"|Expected variable '\$\w+' provided to [\w' -]*?type {_TYPE} (?:to provide a runtime value|not to be None)"
    rf"|Within OneOf Input Object type {_TYPE}, exactly one field must be specified"
)
_WANTED = (
    re.compile(r"(\w+) cannot represent"),
    re.compile(r"Expected value of type '([\w\[\]!]+)'"),
    re.compile(r"Enum '(\w+)' cannot represent"),
    re.compile(r"Value .* does not exist in '(\w+)' enum", re.DOTALL),
)
_PLACE = re.compile(
    r"(?P<what>(?:Variable|Argument) '\$?\w+') has invalid (?:default )?value(?: at (?P<where>[\w.\[\]]+))?: "
)
_TOKEN = re.compile(r"((?:String|BlockString|Int|Float)) ['\"].*", re.DOTALL)


def without_token(message: str) -> str:
    """Cut the value out of a syntax error."""
    return _TOKEN.sub(r"\1.", message)


def without_value(message: str) -> str:
    """Say only what was expected of a value."""
    if found := _HARMLESS.match(message):
        return f"{found[0]}."
    for pattern in _WANTED:
        if found := pattern.match(message):
            return f"Expected a value of type '{found[1]}'."
    return "Expected a value of another type."


def for_argument(message: str) -> str:
    """The same for a variable or an argument, whose name and place are kept."""
    if message.startswith(TOO_MANY):
        return message
    found = _PLACE.match(message)
    if found is None:
        return "A variable or an argument has an invalid value."
    place = f" at {found['where'].lstrip('.')}" if found["where"] else ""
    return f"{found['what']} has an invalid value{place}. {without_value(message[found.end() :])}"
