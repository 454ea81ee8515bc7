"""A file of staff that is broken somewhere: the row is named by the line where it began, and no other is left out."""

from __future__ import annotations

from io import BytesIO

import pytest

import rules.staff_file
from rules.csv_records import MOST_LINES, UNCLOSED
from rules.staff_file import NotAStaffFileError, Problem


def read(content: str | bytes) -> tuple[list[str], list[tuple[int, int, str]]]:
    """The emails of a file's rows, and its problems: from which line to which, and what."""
    found = list(rules.staff_file.read(BytesIO(content if isinstance(content, bytes) else content.encode())))
    emails = [each.says.email for each in found if not isinstance(each.says, Problem)]
    problems = [(each.first, each.last, each.says.words) for each in found if isinstance(each.says, Problem)]
    return emails, problems


def rows(first: int, last: int) -> str:
    """Good lines from this one to that one, each with its number in the address."""
    return "".join(f"s{number}@agency.example,member\n" for number in range(first, last + 1))


def test_a_stray_quote_costs_its_own_line_alone() -> None:
    emails, problems = read('email,role\n"O"Neil" <b@x.example>,member\n' + rows(3, 4))
    assert emails == ["s3@agency.example", "s4@agency.example"]
    assert [(first, last) for first, last, _ in problems] == [(2, 2)]
    assert problems[0][2].startswith("not readable as CSV (',' expected")


def test_each_of_several_stray_quotes_is_named() -> None:
    bad = '"a"b,member\n'
    emails, problems = read("email,role\n" + bad + rows(3, 3) + bad + bad + rows(6, 6))
    assert emails == ["s3@agency.example", "s6@agency.example"]
    assert [(first, last) for first, last, _ in problems] == [(2, 2), (4, 4), (5, 5)]


def test_a_quote_that_nothing_closes_is_named_where_it_is_opened_and_costs_no_more_than_a_row_may_have() -> None:
    emails, problems = read("email,role\n" + rows(2, 6) + '"open@agency.example,member\n' + rows(8, 20_000))
    last = 7 + MOST_LINES - 1
    assert problems == [(7, last, UNCLOSED)]
    assert emails == [f"s{number}@agency.example" for number in (*range(2, 7), *range(last + 1, 20_001))]


def test_a_quote_that_a_later_one_closes_by_chance_is_named_where_it_is_opened() -> None:
    emails, problems = read(
        'email,role\n"open@agency.example,member\n' + rows(3, 4) + '"x@y.example",member\n' + rows(6, 6)
    )
    assert (emails, problems) == (["s6@agency.example"], [(2, 5, UNCLOSED)])


def test_a_quote_that_is_open_at_the_end_is_named_where_it_is_opened() -> None:
    emails, problems = read("email,role\n" + rows(2, 2) + '"open@agency.example,member\n' + rows(4, 5))
    assert (emails, problems) == (["s2@agency.example"], [(3, 5, UNCLOSED)])
    assert read('email,role\n"open@agency.example,member') == ([], [(2, 2, UNCLOSED)])


def test_a_row_over_several_lines_is_named_by_its_first() -> None:
    emails, problems = read('email,role,note\n\na@agency.example,boss,"one\ntwo"\nb@agency.example,member,"one\ntwo"\n')
    assert emails == ["b@agency.example"]
    assert problems == [(3, 4, "the role must be owner, admin or member, not 'boss'")]


def test_a_cell_over_several_lines_is_never_read_as_rows() -> None:
    emails, problems = read('email,role,note\na@agency.example,boss,"\nevil@x.example,owner,\n"\n')
    assert emails == []
    assert [(first, last) for first, last, _ in problems] == [(2, 4)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("email,role\na@agency.example,member\n".encode("utf-16"), "The file is in UTF-16: save it as CSV in UTF-8."),
        ("email\trole\n".encode("utf-16-le"), "The file is in UTF-16: save it as CSV in UTF-8."),
        (
            "sep=,\nemail,role\n",
            "The file's first line is sep=…, which only some programs read: take that line away.",
        ),
        (
            '\ufeff"sep=;"\nemail;role\n',
            "The file's first line is sep=…, which only some programs read: take that line away.",
        ),
        (
            '"E-Mail";email;role\na;a@agency.example;member\n',
            "The file has semicolons between its cells: save it with commas.",
        ),
        ("email\trole\na@agency.example\tmember\n", "The file has tabs between its cells: save it with commas."),
        (
            '"email","role\na@agency.example,member\n',
            "The file's first line is not readable as CSV: a quote is opened in it and not closed.",
        ),
        ("email,role\ra@agency.example,member\r", "The file ends its lines by CR alone: save it with LF or CRLF."),
        ("", "The file's first line must name the columns email and role; email is missing."),
        ("who;what\n", "The file's first line must name the columns email and role; email is missing."),
    ],
)
def test_a_file_that_is_none_of_staff_is_told_why(content: str | bytes, says: str) -> None:
    with pytest.raises(NotAStaffFileError) as raised:
        read(content)
    assert str(raised.value) == says
