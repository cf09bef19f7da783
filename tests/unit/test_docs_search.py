"""docs/fhir.md says by what each type is searched: the same as `metadata`, parameter by parameter."""

from __future__ import annotations

from conftest import ROOT

from carelink.fhir import searched

PAGE = (ROOT / "docs" / "fhir.md").read_text("utf-8")
OF_ALL = ("_id", "_lastUpdated", "_profile", "_security", "_source", "_tag")
TYPES = ("Patient", *searched.TYPES)


def line(type_: str) -> str:
    """The row of the table: whose it is first, then the rest by the alphabet."""
    names = [one.name for one in searched.parameters(type_) if one.name not in OF_ALL]
    whose = [name for name in names if name in searched.OF_A_PERSON]
    return f"| {type_} | {', '.join(f'`{name}`' for name in (*whose, *sorted(set(names) - set(whose))))} |"


def test_the_table_of_the_page_is_that_of_metadata() -> None:
    section = PAGE.partition("## What each type is searched by")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and not row.startswith(("| type", "| not"))]
    assert [row for row in rows if row.count("|") == 3] == [line(type_) for type_ in sorted(TYPES)]
    for name in OF_ALL:
        assert f"`{name}`" in section
        assert all(name in {one.name for one in searched.parameters(type_)} for type_ in TYPES)


def test_the_page_gives_each_reason_why_something_is_not_searched_by() -> None:
    for type_, reasons in searched.NOT_SUPPORTED.items():
        if type_ in ("", *TYPES):
            for name, why in reasons.items():
                assert f"`{name}`" in PAGE
                assert why in PAGE
