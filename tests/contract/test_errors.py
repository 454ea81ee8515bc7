"""Every code that an error may have is listed with its cause and remedy, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from graphql import build_schema, is_interface_type

from rules import errors, failures

ROOT = Path(__file__).parents[2]
# A code as the transport gives it: in extensions, to a helper, or as half of what is returned.
IN_TRANSPORT = re.compile(r'(?:"code": |code[:=] ?|, |return )"([A-Z]+(?:_[A-Z]+)+)"')


def codes() -> set[str]:
    """The codes of all refusals, and those that the transport gives."""
    given = {
        code for file in (ROOT / "server/transport").glob("*.py") for code in IN_TRANSPORT.findall(file.read_text())
    }
    return given | {refusal.code for refusal in failures.Refusal.__subclasses__()}


def test_every_code_has_its_cause_and_remedy() -> None:
    assert codes() == set(errors.REMEDIES)


def test_every_failure_that_is_data_has_them_too() -> None:
    assert {outcome.__name__ for outcome in failures.Outcome.__subclasses__()} >= set(errors.AS_DATA)
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    error = schema.type_map["Error"]
    assert is_interface_type(error)
    assert {type_.name for type_ in schema.get_possible_types(error)} == set(errors.AS_DATA)


def test_the_page_is_the_list() -> None:
    kept = (ROOT / "docs" / "errors.md").read_text()
    assert kept == errors.page(), "Run: uv run python -c 'from rules import errors; print(errors.page(), end=\"\")'"
