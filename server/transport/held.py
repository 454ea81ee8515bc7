"""Something that is counted from when it is held until it is released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from rules.failures import RateLimited

TOO_MUCH = "Too much of yours is under way. Nothing was changed; try again in a moment."


class Held:
    """One more of each key, of which there may be so many; `otherwise` says what else it may count as, if anything."""

    def __init__(
        self,
        counter: Counter[str],
        most: dict[str, int],
        otherwise: Callable[[], dict[str, int] | None] = lambda: None,
    ) -> None:
        self.counter, self.most, self._otherwise = counter, most, otherwise

    def hold(self) -> Held:
        """Count one more of each. Raises RateLimited when that is too many of one."""
        if not self._has_room():
            most = self._otherwise()
            if most is None:
                raise RateLimited(TOO_MUCH)
            self.most = most
            if not self._has_room():
                raise RateLimited(TOO_MUCH)
        for key in self.most:
            self.counter[key] = self.counter.get(key, 0) + 1
        return self

    def _has_room(self) -> bool:
        # As a dict: whatever is a Counter's own way to do so takes ten times as long.
        count = self.counter.get
        for key, limit in self.most.items():  # noqa: SIM110 -- a generator takes longer than what it looks at
            if count(key, 0) >= limit:
                return False
        return True

    def __enter__(self) -> Held:
        return self.hold()

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Count it no more."""
        for key in self.most:
            if (left := self.counter[key] - 1) > 0:
                self.counter[key] = left
            else:
                self.counter.pop(key)
        self.most = {}

    def go_on_as(self, other: Held) -> None:
        """Hold what the other one holds, after a pause."""
        self.most, other.most = other.most, {}
