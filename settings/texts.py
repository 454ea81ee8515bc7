"""How the text of a variable is read. Each returns the value, or raises ValueError that tells what it must be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

YES, NO = {"1", "on", "t", "true", "y", "yes"}, {"0", "off", "f", "false", "n", "no"}


def text(*checks: Callable[[str], str]) -> Callable[[str], str]:
    """Text that each of these checks takes, and may put in its one form."""

    def read(value: str) -> str:
        for check in checks:
            value = check(value)
        return value

    return read


def flag(value: str) -> bool:
    if value.strip().lower() not in YES | NO:
        raise ValueError("must be true or false")
    return value.strip().lower() in YES


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number within these, both included."""

    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise ValueError(f"must be a whole number{_within(least, most)}")
        return number

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A number of seconds within these, both included."""

    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = least - 1
        if not least <= number <= most:  # nor is it within for what is no number
            raise ValueError(f"must be a number of seconds{_within(least, most)}")
        return number

    return read


def _within(least: float, most: float | None) -> str:
    return f" from {least:g} to {most:g}" if most is not None else f", {least:g} or more"


def one_of(*values: str) -> Callable[[str], str]:
    """One of these words."""

    def read(value: str) -> str:
        if value not in values:
            *others, last = (repr(each) for each in values)
            raise ValueError(f"input should be {', '.join(others)} or {last}")
        return value

    return read


def file(*suffixes: str) -> Callable[[str], Path | None]:
    """A file that is there, of one of these kinds; none where nothing stands, as in an empty line of .env."""

    def read(value: str) -> Path | None:
        if not value:
            return None
        path = Path(value)
        if not path.is_file():
            raise ValueError("path does not point to a file")
        if suffixes and path.suffix.lower() not in suffixes:
            raise ValueError(f"must be a file of the kind {', '.join(suffixes[:-1])} or {suffixes[-1]}")
        return path

    return read
