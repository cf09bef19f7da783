"""A custodian corrects the label of one item: at once, at every later pull, with a reason, and undone as easily."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ingest_builders import body, item, key, person_of, take
from page_builders import ME, NORA, RECORD, lens, nora
from sqlalchemy import Connection, select

from carelink.cases import labelling, labelling_queue
from carelink.cases.labelling import Wanted
from carelink.consent.lens import Lens
from carelink.db.tables import audit_event, label_correction, label_hint, resource_version
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from carelink.record.relabelling import stored
from fhir_adapters.source import Item

TABLETS = {"medicationCodeableConcept": {"text": "Ramipril 5mg capsules"}, "dosage": [{"text": "One each day"}]}
MEDICINE = item("MedicationStatement", "ms", RECORD, status="active", dateAsserted="2026-02-01", **TABLETS, **ME)
HIV = Wanted("medicines", ("HIV",), "Part of an HIV regime")
TOM, SAM, PRIYA = "tom.ellis", "sam.okafor", "priya.nair"  # GP of Nora, social worker, care manager of the council


@pytest.fixture
def person(conn: Connection, place: Place, now: datetime) -> PersonKey:
    return nora(conn, place, now)


@pytest.fixture
def tom(conn: Connection, person: PersonKey, place: Place, now: datetime) -> Lens:
    return lens(conn, place, now, TOM)


def medicine(source: str = "gp") -> ResourceKey:
    return key(MEDICINE, source)


def medicines_of(conn: Connection, place: Place, now: datetime, user: str) -> list[str]:
    """What this user sees of medicines."""
    person = person_of(conn, item("Patient", "p1", RECORD, **NORA), "gp")
    rows = search.run(conn, lens(conn, place, now, user), Query(types=("MedicationStatement",), person=person)).rows
    return [body(row)["medicationCodeableConcept"]["text"] for row in rows]


def again(conn: Connection, place: Place, now: datetime, one: Item = MEDICINE) -> None:
    """The practice sends it another time."""
    take(conn, place, [item("Patient", "p1", RECORD, **NORA), one], now, "gp")


def label_of(conn: Connection, now: datetime) -> tuple[str, int]:
    [row] = stored(conn, Lens.system("test", now), [medicine()])
    return row.category, row.sensitivities


def test_a_correction_hides_the_item_at_once_and_the_corrector_still_sees_it(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    assert medicines_of(conn, place, now, SAM) == ["Ramipril 5mg capsules"]
    assert labelling.correct(conn, place, tom, medicine(), HIV)
    assert medicines_of(conn, place, now, SAM) == []
    assert medicines_of(conn, place, now, TOM) == ["Ramipril 5mg capsules"]
    assert label_of(conn, now) == ("medicines", 2)


def test_a_correction_holds_when_the_source_sends_the_item_again_and_again_otherwise(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    again(conn, place, now + timedelta(hours=1))
    assert label_of(conn, now) == ("medicines", 2)
    otherwise = replace(MEDICINE, body={**MEDICINE.body, "dosage": [{"text": "Two each day"}]})
    again(conn, place, now + timedelta(hours=2), otherwise)
    assert label_of(conn, now) == ("medicines", 2)
    assert medicines_of(conn, place, now, SAM) == []


def test_undoing_a_correction_labels_by_the_rules_again(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    labelling.undo(conn, place, tom, medicine())
    assert label_of(conn, now) == ("medicines", 0)
    assert medicines_of(conn, place, now, SAM) == ["Ramipril 5mg capsules"]
    again(conn, place, now + timedelta(hours=1))
    assert label_of(conn, now) == ("medicines", 0)
    with pytest.raises(NotFound):
        labelling.undo(conn, place, tom, medicine())


def test_a_label_of_the_rules_can_be_taken_off_and_a_category_changed(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    drinks = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "66590003"}]}, **ME}
    problem = item("Condition", "d", RECORD, **drinks)
    again(conn, place, now, problem)
    mine = key(problem, "gp")
    before = labelling.item(conn, place, tom, mine)
    assert (before.names, before.label.category) == (("ETH",), "problems")
    labelling.correct(conn, place, tom, mine, Wanted("encounters", (), "A relative's, entered in the wrong record"))
    after = labelling.item(conn, place, tom, mine)
    assert (after.names, after.label.category) == ((), "encounters")
    assert after.names_by_rules == ("ETH",)
    again(conn, place, now + timedelta(hours=1), problem)
    assert labelling.item(conn, place, tom, mine).label == after.label


def test_who_corrected_what_and_why_is_kept_in_a_row_in_the_record_and_in_the_audit(
    conn: Connection, tom: Lens, person: PersonKey, place: Place, now: datetime
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    [row] = conn.execute(select(label_correction)).all()
    assert (row.resource, row.added, row.removed, row.made_by, row.organisation) == (medicine(), 2, 0, TOM, "P81001")
    asked = Query(types=("Provenance",), person=person)
    told = [body(one) for one in search.run(conn, tom, asked).rows]
    [mine] = [one for one in told if one.get("reason")]
    assert mine["reason"] == [{"text": "Part of an HIV regime"}]
    assert mine["target"] == [{"reference": f"MedicationStatement/{medicine()}"}]
    assert mine["agent"][0]["who"]["identifier"]["value"] == TOM
    assert search.run(conn, lens(conn, place, now, SAM), asked).rows == (), "it is labelled as its target is"
    audited = conn.execute(select(audit_event).where(audit_event.c.action == "label", audit_event.c.user == TOM)).one()
    assert audited.person == person
    assert audited.query == "MedicationStatement"
    assert "HIV" not in repr(audited.detail)


def test_the_provenance_of_a_correction_ends_with_it(
    conn: Connection, tom: Lens, person: PersonKey, place: Place
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    labelling.undo(conn, place, tom, medicine())
    rows = search.run(conn, tom, Query(types=("Provenance",), person=person)).rows
    assert [one for one in rows if body(one).get("reason")] == []


def test_a_second_correction_replaces_the_first_which_stays_on_file(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    labelling.correct(conn, place, tom, medicine(), Wanted("medicines", ("HIV", "STD"), "And more"))
    assert label_of(conn, now) == ("medicines", 6)
    rows = conn.execute(select(label_correction).order_by(label_correction.c.id)).all()
    assert [(row.added, row.undone_by) for row in rows] == [(2, TOM), (6, None)]


def test_correcting_back_to_what_the_rules_say_undoes(conn: Connection, tom: Lens, place: Place, now: datetime) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    labelling.correct(conn, place, tom, medicine(), Wanted("medicines", (), "It was wrong"))
    assert label_of(conn, now) == ("medicines", 0)
    assert labelling.item(conn, place, tom, medicine()).correction is None


WRONG = [
    (Wanted("medicines", (), "why"), "sensitivities", "nothing changed"),
    (Wanted("medicines", ("HIV",), "  "), "why", "no reason"),
    (Wanted("medicines", ("HIV",), "x" * 1001), "why", "too long a reason"),
    (Wanted("gossip", ("HIV",), "why"), "category", "a category that nobody knows"),
    (Wanted("directory", ("HIV",), "why"), "category", "what everyone sees"),
    (Wanted("medicines", ("RUMOUR",), "why"), "sensitivities", "a sensitivity that nobody knows"),
]


@pytest.mark.parametrize(("wanted", "field", "what"), WRONG, ids=[what for *_, what in WRONG])
def test_a_wrong_form_changes_nothing_and_says_where(
    conn: Connection, tom: Lens, place: Place, wanted: Wanted, field: str, what: str
) -> None:
    with pytest.raises(Invalid) as refused:
        labelling.correct(conn, place, tom, medicine(), wanted)
    assert refused.value.place == field
    assert conn.execute(select(label_correction)).all() == []


def test_only_the_custodian_corrects_and_only_a_role_that_may(
    conn: Connection, person: PersonKey, place: Place, now: datetime
) -> None:
    """The care manager corrects labels, of the council's items; the social worker none, not even those."""
    flag = key(item("Flag", "f1"), "council-a")
    assert labelling.item(conn, place, lens(conn, place, now, PRIYA), flag).label.category == "alerts"
    with pytest.raises(Forbidden):
        labelling.correct(conn, place, lens(conn, place, now, PRIYA), medicine(), HIV)
    with pytest.raises(Forbidden):
        labelling.correct(conn, place, lens(conn, place, now, SAM), flag, HIV)
    assert conn.execute(select(label_correction)).all() == []


def test_of_somebody_with_whom_the_corrector_is_not_involved_there_is_no_item(
    conn: Connection, person: PersonKey, place: Place, now: datetime
) -> None:
    other = item("Patient", "p9", "P81002/9", name=[{"family": "Other"}])
    theirs = item("Condition", "c", "P81002/9", code={"text": "Gout"}, subject={"reference": "Patient/p9"})
    take(conn, place, [other, theirs], now, "gp")
    with pytest.raises(NotFound):
        labelling.item(conn, place, lens(conn, place, now, TOM), key(theirs, "gp"))


def test_what_the_law_restricts_may_be_put_on_by_whoever_corrects_and_taken_off_only_by_the_named_role(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    assert not labelling.correct(conn, place, tom, medicine(), Wanted("medicines", ("LEGAL",), "Gender recognition"))
    assert medicines_of(conn, place, now, TOM) == [], "not even who labelled it sees it"
    with pytest.raises(NotFound):
        labelling.undo(conn, place, tom, medicine())
    named = _with_right(place, "see-legally-restricted")
    labelling.undo(conn, named, lens(conn, named, now, TOM), medicine())
    assert medicines_of(conn, place, now, TOM) == ["Ramipril 5mg capsules"]


def test_a_role_that_lost_the_right_meanwhile_lifts_no_restriction(
    conn: Connection, tom: Lens, place: Place, now: datetime
) -> None:
    """Whatever it can still see: the check stands by itself."""
    labelling.correct(conn, place, tom, medicine(), Wanted("medicines", ("LEGAL",), "Gender recognition"))
    named = _with_right(place, "see-legally-restricted")
    sees = lens(conn, named, now, TOM)
    lost = replace(sees, may=sees.may - {"see-legally-restricted"})
    with pytest.raises(Forbidden):
        labelling.correct(conn, named, lost, medicine(), Wanted("medicines", (), "Shown again"))


def _with_right(place: Place, right: str) -> Place:
    gp = place.roles["gp"]
    return replace(place, roles={**place.roles, "gp": replace(gp, may=gp.may | {right})})


def test_the_version_before_a_correction_is_hidden_with_the_one_after(
    conn: Connection, tom: Lens, person: PersonKey, place: Place, now: datetime
) -> None:
    labelling.correct(conn, place, tom, medicine(), HIV)
    sam = lens(conn, place, now, SAM)
    t = resource_version
    seen = conn.execute(select(t.c.version).where(t.c.key == medicine(), sam.where(t))).scalars().all()
    assert seen == []


# Hints -----------------------------------------------------------------------------------------------


def spoken(id_: str, said: str, **more: Any) -> Item:
    return item("Condition", id_, RECORD, code={"text": said}, **ME, **more)


@pytest.fixture
def hinted(conn: Connection, tom: Lens, place: Place, now: datetime) -> Lens:
    """The practice has sent a note that speaks of gambling, and one that speaks of a court."""
    again(conn, place, now, spoken("g", "Gambling on line every night"))
    again(conn, place, now, spoken("m", "Discussed at MARAC"))
    return tom


def test_words_make_a_human_look_and_label_nothing(conn: Connection, hinted: Lens, place: Place) -> None:
    waiting = labelling_queue.queue(conn, place, hinted)
    assert [(one.entry.title, one.sensitivities, one.person_name) for one in waiting.hints] == [
        ("Gambling on line every night", ("Harmful gambling",), "Nora Hart"),
        ("Discussed at MARAC", ("Domestic abuse",), "Nora Hart"),
    ]
    assert labelling.item(conn, place, hinted, key(spoken("g", ""), "gp")).names == ()


def test_sending_it_again_asks_nobody_twice(conn: Connection, hinted: Lens, place: Place, now: datetime) -> None:
    again(conn, place, now, spoken("g", "Gambling on line every night and day"))
    assert len(labelling_queue.queue(conn, place, hinted).hints) == 2


def test_not_needed_closes_it_for_good(conn: Connection, hinted: Lens, place: Place, now: datetime) -> None:
    first = labelling_queue.queue(conn, place, hinted).hints[0]
    labelling_queue.not_needed(conn, hinted, first.id)
    again(conn, place, now, spoken("g", "Gambling on line every night, still"))
    assert [one.entry.title for one in labelling_queue.queue(conn, place, hinted).hints] == ["Discussed at MARAC"]
    with pytest.raises(NotFound):
        labelling_queue.not_needed(conn, hinted, first.id)


def test_labelling_the_item_answers_what_it_was_asked_for(conn: Connection, hinted: Lens, place: Place) -> None:
    mine = key(spoken("g", ""), "gp")
    labelling.correct(conn, place, hinted, mine, Wanted("problems", ("GAMBLING",), "Says so"))
    t = label_hint.c
    said = conn.execute(select(t.answer, t.answered_by).where(t.resource == mine)).one()
    assert tuple(said) == ("labelled", TOM)
    assert [one.entry.title for one in labelling_queue.queue(conn, place, hinted).hints] == ["Discussed at MARAC"]


def test_what_waits_about_others_is_counted_and_not_shown(
    conn: Connection, hinted: Lens, place: Place, now: datetime
) -> None:
    theirs = item("Patient", "p9", "P81001/9", name=[{"family": "Other"}])
    note = item("Condition", "c", "P81001/9", code={"text": "Gambling"}, subject={"reference": "Patient/p9"})
    take(conn, place, [theirs, replace(note, custodian="P81001")], now, "gp")
    waiting = labelling_queue.queue(conn, place, hinted)
    assert (len(waiting.hints), waiting.others) == (2, 1)
    hidden = conn.execute(select(label_hint.c.id).where(label_hint.c.resource == key(note, "gp"))).scalar_one()
    with pytest.raises(NotFound):
        labelling_queue.not_needed(conn, hinted, hidden)


def test_another_organisation_and_another_role_see_no_such_queue(
    conn: Connection, hinted: Lens, place: Place, now: datetime
) -> None:
    assert labelling_queue.queue(conn, place, lens(conn, place, now, PRIYA)).hints == ()
    with pytest.raises(Forbidden):
        labelling_queue.queue(conn, place, lens(conn, place, now, SAM))


def test_what_has_the_label_already_needs_no_hint(conn: Connection, tom: Lens, place: Place, now: datetime) -> None:
    known = {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SDV"}]}}
    again(conn, place, now, spoken("m", "Discussed at MARAC", **known))
    assert labelling_queue.queue(conn, place, tom).hints == ()
