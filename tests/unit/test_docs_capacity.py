"""docs/consent.md has every rule of who decides, with its answer and its law, and every code that is written."""

from __future__ import annotations

from docs_reading import page, part, tables

from carelink.cases.capacity_words import CAPACITY_PARTS, GILLICK_PARTS
from carelink.consent import capacity_codes as codes
from carelink.consent.capacity_rules import RULES


def test_every_rule_of_who_decides_is_told_with_its_answer_reason_and_law() -> None:
    told = tables(part(page("consent.md"), "## Who decides"))[0]
    assert [tuple(row) for row in told] == [
        (f"`{rule.id}`", "yes" if rule.allowed else "no", rule.because, rule.source) for rule in RULES
    ]


def test_every_code_of_what_is_recorded_is_told() -> None:
    said = part(page("consent.md"), "## Who decides")
    parts = {*CAPACITY_PARTS, *GILLICK_PARTS, "cause", "support", "consulted", "imca", "nobody-because", "wishes"}
    wanted = {*codes.RECORDS, *parts, codes.IN_FAVOUR, codes.AGAINST, *codes.FOUND, codes.RECORD, codes.SEEN}
    assert {code for code in wanted if f"`{code}`" not in said} == set()
