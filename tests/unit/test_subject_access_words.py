"""What a resource is told as in an answer to its person, what is proposed, and what taking words out leaves."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ingest_builders import condition

from carelink.cases.plain_words import in_full, readable
from carelink.cases.subject_access_package import Answer, Decided, Item, Package, Part, Proposal, from_json, to_json
from carelink.cases.subject_access_redaction import redacted, stands_in
from carelink.cases.subject_access_rules import RULES, Looked, Others, propose
from carelink.record.timeline_values import Names

NOBODY = Others()
FAMILY = Others(("Susan", "Susan Hart"), frozenset({"01632960111"}))


def told(body: dict[str, Any]) -> str:
    said = in_full(body, Names())
    return "\n".join((said.title, *said.lines))


def test_everything_that_is_for_people_is_told_and_nothing_for_machines() -> None:
    body = condition("c", note=[{"text": "Cried a lot"}], recordedDate="2020-03-04").body
    said = told(body)
    assert "Note: Cried a lot" in said or "Cried a lot" in said
    assert "Recorded date: 4 March 2020" in said
    for machine in ("http", "73211009", "Patient/p1"):
        assert machine not in said


def test_an_extension_is_called_by_the_end_of_its_address() -> None:
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
    ethnic = {"url": url, "valueCodeableConcept": {"coding": [{"display": "White British"}]}}
    cost = {"url": "https://carelink.example/StructureDefinition/unit-cost", "valueString": "12"}
    said = told({"resourceType": "Patient", "name": [{"family": "Hart"}], "extension": [ethnic, cost]})
    assert "Ethnic category: White British" in said
    assert "Unit cost: 12" in said


def test_an_attached_text_is_told_and_a_file_is_said_to_be_there() -> None:
    text = base64.b64encode(b"Dear Nora").decode()
    letter = {"attachment": {"contentType": "text/plain", "data": text}}
    scan = {"attachment": {"contentType": "application/pdf", "data": text}}
    said = told({"resourceType": "DocumentReference", "content": [letter, scan]})
    assert "Dear Nora" in said
    assert "a file (application/pdf)" in said


def looked(text: str = "", *flags: str, type_: str = "Condition", **more: Any) -> Looked:
    return Looked(type_, frozenset(flags), more.pop("bodies", ()), text, **more)


# what is looked at, who is known, the answer that is proposed, the words
PROPOSED = [
    (looked("Well today"), FAMILY, None, ()),
    (looked("", "LEGAL"), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", "SAFEGUARDING"), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", "SDV"), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", "NOPAT"), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", "THIRD-PARTY"), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", hidden=True), NOBODY, Answer.LEAVE_OUT, ()),
    (looked("", "MH", "ETH"), NOBODY, None, ()),
    (looked("susan came"), FAMILY, Answer.REDACT, ("Susan",)),
    (looked("Susannah came"), FAMILY, None, ()),
    (looked("Ring 01632 960 222"), FAMILY, Answer.REDACT, ("01632 960 222",)),
    (looked("Ring +44 1632 960222"), FAMILY, Answer.REDACT, ("+44 1632 960222",)),
    (looked("Ring 01632 960111 or +44 1632 960 111"), FAMILY, None, ()),
    (looked("NHS 9990000018, 12/05/2019"), FAMILY, None, ()),
    (looked("Write to s.hart@example.com"), FAMILY, Answer.REDACT, ("s.hart@example.com",)),
    (looked("Susan said", "SAFEGUARDING"), FAMILY, Answer.LEAVE_OUT, ("Susan",)),
    (looked("", type_="quarantine"), NOBODY, Answer.REDACT, ()),
    (looked("Susan", type_="Patient"), FAMILY, None, ()),
]  # fmt: skip


@pytest.mark.parametrize(("one", "others", "answer", "words"), PROPOSED)
def test_what_is_proposed(one: Looked, others: Others, answer: Answer | None, words: tuple[str, ...]) -> None:
    made = propose(one, others)
    assert (made.answer if made else None, made.words if made else ()) == (answer, words)


def test_how_to_reach_a_relative_is_proposed_to_be_taken_out_of_their_own_entry_but_not_what_is_shared() -> None:
    telecom = [{"value": "01632 960 222"}, {"value": "01632960111"}]
    body = {"telecom": telecom, "address": [{"line": ["9 Low Row"]}], "birthDate": "1970-01-02"}
    made = propose(looked(type_="RelatedPerson", bodies=(body,)), FAMILY)
    assert made is not None
    assert set(made.words) == {"01632 960 222", "9 Low Row", "1970-01-02"}


def test_a_file_that_nobody_read_is_proposed_to_be_left_out() -> None:
    body = {"content": [{"attachment": {"contentType": "application/pdf", "data": "AAAA"}}]}
    made = propose(looked(bodies=(body,)), NOBODY)
    assert made is not None
    assert (made.answer, made.rules) == (Answer.LEAVE_OUT, ("SA-file",))


def test_every_rule_says_the_law_behind_it() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all("DPA 2018" in rule.because or "consent.toml" in rule.because for rule in RULES)


TAKEN = [
    ("Susan", "Susan said", "[removed] said"),
    ("susan", "Susan said", "[removed] said"),
    ("Ann", "Annual review", "Annual review"),
    ("01632960222", "Ring 01632 960-222.", "Ring [removed]."),
    ("Susan Hart", "Susan  Hart rang", "[removed] rang"),
    ("(her)", "said (her) name", "said [removed] name"),
]


@pytest.mark.parametrize(("word", "text", "left"), TAKEN)
def test_a_word_is_taken_out_wherever_it_stands_as_a_word(word: str, text: str, left: str) -> None:
    assert redacted({"resourceType": "Basic", "note": text}, [word])["note"] == left
    assert stands_in(word, text) == (text != left)


def test_what_is_nothing_but_the_word_goes_and_so_do_files_and_the_narrative() -> None:
    body = {
        "resourceType": "RelatedPerson",
        "id": "a",
        "text": {"div": "<div>Susan</div>"},
        "telecom": [{"system": "phone", "value": "01632 960 222"}],
        "birthDate": "1970-01-02",
        "photo": [{"contentType": "image/png", "data": "AAAA"}],
        "patient": {"reference": "Patient/p1"},
    }
    left = redacted(body, ["01632 960222", "1970-01-02"])
    assert "text" not in left
    assert "birthDate" not in left
    assert left["telecom"] == [{"system": "phone"}]
    assert left["photo"] == [{"contentType": "image/png"}]
    assert left["patient"] == {"reference": "Patient/p1"}
    assert left["meta"]["security"][-1]["code"] == "REDACTED"


def test_words_stand_also_in_what_is_a_concept() -> None:
    body = {"resourceType": "Flag", "code": {"text": "Attorney: Susan"}, "status": "active"}
    assert list(readable(body)) == ["Attorney: Susan"]
    assert redacted(body, ["Susan"])["code"] == {"text": "Attorney: [removed]"}


ITEM = Item(
    "resource:1", "record:problems", "Asthma", ("mild",), proposal=Proposal(Answer.REDACT, ("SA-named",), ("Sue",))
)
DECIDED = Decided(Answer.REDACT, ("Sue",), "hers", "iris", "2026-11-24T12:00:00+00:00")


def test_a_package_comes_back_from_the_table_as_it_was() -> None:
    from dataclasses import replace

    made = Package(
        (Part("record:problems", "Problems"),), (ITEM, replace(ITEM, id="2", decided=DECIDED)), {"name": "N"}
    )
    assert from_json(to_json(made)) == made
    assert [one.id for one in made.open] == ["resource:1"]
    assert from_json(None) == Package()
