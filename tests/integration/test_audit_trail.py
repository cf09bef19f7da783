"""Every look leaves its row in the transaction that it looked in: who, for what, at whom, how much, by which rules.

A look that can't be kept is not had. Nothing in a row tells who somebody is, but for keys.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest
from conftest import NOW, ROOT
from consent_builders import HOSPITAL, NORTH, PLACE, SURGERY, facts, lens_of, related, staff, themselves
from consent_records import Person, Thing, key, nhs_number, person, places_of, store
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import ProgrammingError

import carelink.cases
import carelink.record
from carelink.audit.trail import Event, append, looked
from carelink.cases import (
    caseload,
    files,
    finding,
    identity,
    oversight,
    patient_summary,
    person_page,
    story,
)
from carelink.consent.explain import explain
from carelink.consent.facts import Labelled
from carelink.consent.lens import Lens
from carelink.db.tables import audit_event, link_decision, person_link, quarantine
from carelink.errors import Invalid, NotFound
from carelink.record import everything, links_open, search, timeline_names, versions
from carelink.record import quarantine as waiting
from carelink.record import store as storing
from carelink.record.query import Criterion, Query
from carelink.record.summary import summary
from carelink.record.timeline import timeline
from carelink.record.versions import Past

ANN, BOB = person(0), person(1)
SAM = replace(staff("sam"), request="req-1")
IRIS = replace(staff("iris"), request="req-2")
TYPES = ("Patient", "Condition", "Encounter", "Practitioner")


@pytest.fixture
def lens() -> Lens:
    return lens_of(SAM)


@pytest.fixture
def world(conn: Connection) -> None:
    """Ann and Bob on the caseload of a social worker; of Ann the council, her practice and the hospital know."""
    people = []
    for number, one in enumerate((ANN, BOB)):
        held = (NORTH, SURGERY, HOSPITAL) if number == 0 else (NORTH,)
        things = [
            Thing(number, type_, Labelled(one, custodian, "demographics" if type_ == "Patient" else "problems"))
            for type_ in TYPES[:3]
            for custodian in held
        ]
        people.append(Person(facts(related(user="sam")), tuple(things)))
    store(conn, people, [Thing(None, "Practitioner", Labelled(None, SURGERY, "directory"))])
    _question(conn)
    _refused(conn)


def _question(conn: Connection) -> None:
    patient = key(0, 0, "Patient")
    linked = {"method": "founder", "fields": {}, "made_by": "carelink", "made_at": NOW}
    conn.execute(person_link.insert().values(patient=patient, person=ANN, **linked))
    conn.execute(
        link_decision.insert().values(id=4711, patient=patient, candidate=BOB, weight=12.0, fields={}, raised_at=NOW)
    )


def _refused(conn: Connection) -> None:
    row = {
        "source": "gp",
        "type": "Condition",
        "source_id": "1",
        "raw": "{}",
        "reasons": [],
        "hash": b"",
        "seen_at": NOW,
    }
    conn.execute(quarantine.insert().values(id=4711, person=ANN, **row))


@dataclass(frozen=True)
class Look:
    """A reading function, asked; what its rows in the trail must say in common."""

    of: str
    ask: Callable[[Connection, Lens], Any]
    action: str
    query: str
    count: int | None
    about: tuple[str, ...] = ("ann",)
    rules: tuple[str, ...] = ("L8-agreement", "L8-own-organisation")
    who: Any = SAM


def named(family: str) -> Criterion:
    return Criterion("family", (family,))


BOTH = ("ann", "bob")
PATIENT = key(0, 0, "Patient")
CONDITION = key(0, 3, "Condition")
LOOKS = [
    Look("search.run of one person", lambda c, lens: search.run(c, lens, Query(("Condition",), person=ANN)), "search", "Condition?", 3),
    Look("search.run by what tells who", lambda c, lens: search.run(c, lens, Query(("Patient",), criteria=(named("Family0"), Criterion("birthdate", ("1950-02-03",))))), "search", "Patient?family&birthdate", 4),
    Look("search.run of all", lambda c, lens: search.run(c, lens, Query(("Patient",), criteria=(named("Family"),))), "search", "Patient?family", 6, BOTH),
    Look("search.run that finds nobody", lambda c, lens: search.run(c, lens, Query(("Patient",), criteria=(named("Smith"),))), "search", "Patient?family", 0, (), ()),
    Look("search.run of a directory", lambda c, lens: search.run(c, lens, Query(("Practitioner",))), "search", "Practitioner?", 1, (), ("L0-directory",)),
    Look("search.count", lambda c, lens: search.count(c, lens, Query(("Condition",), person=ANN)), "search", "Condition? (count)", 3, rules=()),
    Look("search.get", lambda c, lens: search.get(c, lens, "Condition", CONDITION), "read", "Condition", 1, rules=("L8-own-organisation",)),
    Look("search.get of what is not there", lambda c, lens: search.get(c, lens, "Flag", CONDITION), "read", "Flag", 0, (), ()),
    Look("search.get of what may not be seen", lambda c, lens: search.get(c, lens, "Condition", CONDITION), "read", "Condition", 0, (), (), staff("lena")),
    Look("search.by_keys", lambda c, lens: search.by_keys(c, lens, [PATIENT, key(1, 0, "Patient")]), "read", "by key", 2, BOTH, ("L8-own-organisation",)),
    Look("versions.past", lambda c, lens: versions.past(c, lens, Past("Condition", CONDITION)), "history", "Condition", 1, rules=("L8-own-organisation",)),
    Look("versions.past of a type", lambda c, lens: versions.past(c, lens, Past("Condition")), "history", "Condition/_history", 4, BOTH),
    Look("versions.past of what may not be seen", lambda c, lens: versions.past(c, lens, Past("Condition", CONDITION)), "history", "Condition", 0, (), (), staff("lena")),
    Look("versions.count", lambda c, lens: versions.count(c, lens, Past("Condition", CONDITION)), "history", "Condition (count)", 1, (), ()),
    Look("versions.current", lambda c, lens: versions.current(c, lens, "Condition", CONDITION), "read", "Condition", 1, rules=("L8-own-organisation",)),
    Look("versions.current of what may not be seen", lambda c, lens: versions.current(c, lens, "Condition", CONDITION), "read", "Condition", 0, (), (), staff("lena")),
    Look("versions.history", lambda c, lens: storing.history(c, lens, "Condition", CONDITION), "history", "Condition", 1, rules=("L8-own-organisation",)),
    Look("versions.history of what may not be seen", lambda c, lens: storing.history(c, lens, "Condition", CONDITION), "history", "Condition", 0, (), (), staff("lena")),
    Look("versions.vread", lambda c, lens: storing.vread(c, lens, "Condition", CONDITION, 1), "vread", "Condition", 1, rules=("L8-own-organisation",)),
    Look("store.everything", lambda c, lens: storing.everything(c, lens, ANN), "read", "$everything", 11, rules=("L0-directory", "L8-agreement", "L8-own-organisation")),
    Look("everything.narrowed", lambda c, lens: everything.narrowed(c, lens, ANN, everything.Narrowed(types=frozenset({"Condition"}))), "read", "$everything", 3),
    Look("patient_summary.patient_summary", lambda c, lens: patient_summary.patient_summary(c, PLACE, lens, ANN, "http://here"), "read", "$summary", 4),
    Look("files.file of what is not there", lambda c, lens: files.file(c, PLACE, lens, CONDITION), "read", "Binary", 0, (), ()),
    Look("store.delete", lambda c, lens: storing.delete(c, PLACE, lens, "Condition", CONDITION), "delete", "Condition", 1, rules=("L8-own-organisation",)),
    Look("timeline.timeline", lambda c, lens: timeline(c, lens, ANN), "search", "", 6),
    Look("summary.summary", lambda c, lens: summary(c, lens, ANN), "search", "", 6),
    Look("timeline_names.names_in", lambda c, lens: timeline_names.names_in(c, lens, search.run(c, lens, Query(person=ANN)).rows), "read", "by key", 1, (), ("L0-directory",)),
    Look("caseload.caseload", lambda c, lens: caseload.caseload(c, PLACE, lens), "search", "my caseload", 10, BOTH),
    Look("finding.find", lambda c, lens: finding.find(c, PLACE, lens, finding.Asked(nhs_number=nhs_number(0))), "search", "Patient?identifier", 4),
    Look("person_page.person_page", lambda c, lens: person_page.person_page(c, PLACE, lens, ANN, story.Wanted()), "search", "Patient?", 4),
    Look("story.story", lambda c, lens: story.story(c, lens, ANN, story.Wanted()), "search", "", 6),
    Look("story.story_alone", lambda c, lens: story.story_alone(c, lens, ANN, story.Wanted()), "search", "", 6),
    Look("a person's own record", lambda c, lens: search.run(c, lens, Query(("Condition",), person=ANN)), "search", "Condition?", 3, rules=("L2-own-record",), who=themselves(ANN)),
    Look("links_open.open_decisions", lambda c, lens: links_open.open_decisions(c, lens), "search", "open link decisions", 1, BOTH, ("L0-identity",), IRIS),
    Look("links_open.open_decision", lambda c, lens: links_open.open_decision(c, lens, 4711), "search", "an open link decision", 1, BOTH, ("L0-identity",), IRIS),
    Look("identity.questions", lambda c, lens: identity.questions(c, PLACE, lens), "search", "open link decisions", 1, BOTH, ("L0-identity",), IRIS),
    Look("identity.question", lambda c, lens: identity.question(c, PLACE, lens, 4711), "search", "an open link decision", 1, BOTH, ("L0-identity",), IRIS),
    Look("identity.answer", lambda c, lens: identity.answer(c, PLACE, lens, 4711, "different"), "search", "an open link decision", 1, BOTH, ("L0-identity",), IRIS),
    Look("quarantine.listed", lambda c, lens: waiting.listed(c, lens), "search", "quarantine", 1, (), (), IRIS),
    Look("quarantine.resolve", lambda c, lens: waiting.resolve(c, PLACE, lens, 4711, "sent again"), "resolve", "quarantine", None, rules=(), who=IRIS),
    Look("oversight.quarantined", lambda c, lens: oversight.quarantined(c, PLACE, lens), "search", "quarantine", 1, (), (), IRIS),
]  # fmt: skip
every_look = pytest.mark.parametrize("look", LOOKS, ids=[look.of for look in LOOKS])

# Public functions that take a lens and read nothing themselves.
READS_NOTHING = {
    "audit_people.named": "beside the reading of the audit, which is audited",
    "audit_people.workers": "the staff of the place, about nobody's record",
    "audit_people.worker": "the staff of the place, about nobody's record",
    "capacity.may_record": "what the role may",
    "capacity.must_may": "what the role may, and whether they are involved",
    "capacity.unable": "beside the look at the whole page, which is audited",
    "capacity_acts.recorder": "who asks",
    "capacity_shown.held": "rows that were looked up and audited before",
    "capacity_shown.shown": "rows that were looked up and audited before",
    "made_here.may_change": "a row that was looked up and audited before",
    "banner_of.whom": "the banner of a page whose look is audited",
    "kept.run": "the statement of a search, which audits it",
    "search.keep": "it keeps the look",
    "links_open.open_count": "how many questions are open, about nobody",
    "breakglass.offered": "what the role may",
    "breakglass.must_be_offered": "what the role may",
    "breakglass.promise": "what the place says of break-glass",
    "breakglass_finding.found_lately": "whether they found the person themselves: of the audit",
    "breakglass_opening.opened": "what the requester has open themselves",
    "breakglass_opening.helps": "whether there is more to open, for a page that is audited",
    "breakglass_review.must_review": "what the role may",
    "breakglass_review.overdue": "how many reviews are late, about nobody",
    "breakglass_review.case": "who opened what, without the person; evidence and answer audit it",
    "breakglass_review.is_theirs": "who opened it",
}


# Parts of a reading function that keeps one look of them all, and that function.
PARTS = {
    "search.unkept": "store.everything",
    "search.unkept_by_keys": "store.everything",
    "search.unkept_whole": "store.everything",
    "search.referring": "includes.included",
    "includes.included": "searching.found",
    "pushing_references.there": "the writing, which is audited",
}
# Module that asks so -> what keeps the one look of it all.
KEEPERS = {
    "everything": "narrowed",
    "includes": "searching.found, together with what the search found",
    "patient_match": "match",
    "patient_summary": "patient_summary",
    "patient_view": "its one reading function",
    "pushing_references": "the writing, which is audited",
    "searching": "search.keep",
    "store": "everything",
    "subscription_events": "the delivery, which is audited",
    "written": "the writing, which is audited",
}

# Those that a place with break-glass is needed for, and the test that reads what they keep.
ELSEWHERE = {
    "audit_pages.of_myself": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_pages.of_person": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_pages.of_worker": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_signals.waiting": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_signals.one": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_signals.answer": "test_audit_reading.py: test_every_reading_of_the_audit_is_kept",
    "audit_people.person_of": "test_audit_reading.py: test_a_search_for_the_person_of_a_number_is_kept_with_who_asked",
    "capacity.who_decides": "test_capacity_pages.py: test_every_look_and_every_record_is_audited_without_what_was_written",
    "capacity.all_known": "test_capacity_pages.py: test_every_look_and_every_record_is_audited_without_what_was_written",
    "capacity.one_of": "test_capacity_pages.py: test_what_is_changed_is_audited_with_its_key",
    "capacity_acts.record_assessment": "test_capacity_pages.py: test_every_look_and_every_record_is_audited_without_what_was_written",
    "capacity_acts.record_interests": "test_capacity_pages.py: test_what_is_changed_is_audited_with_its_key",
    "capacity_acts.record_paper": "test_capacity_pages.py: test_what_is_changed_is_audited_with_its_key",
    "capacity_acts.change_paper": "test_capacity_pages.py: test_what_is_changed_is_audited_with_its_key",
    "capacity_acts.mistaken": "test_capacity_pages.py: test_what_is_changed_is_audited_with_its_key",
    "made_here.create": "test_record_made_here.py: test_what_a_worker_records_belongs_to_their_organisation_and_is_announced_and_audited",
    "made_here.update": "test_record_made_here.py: test_a_new_version_is_audited_and_the_one_before_can_still_be_read",
    "breakglass_finding.find": "test_breakglass_find.py: test_every_try_is_kept_without_what_was_typed",
    "breakglass_finding.who": "test_breakglass_find.py: test_who_it_is_is_told_once_and_that_is_kept",
    "breakglass_opening.asking": "test_breakglass_find.py: test_who_it_is_is_told_once_and_that_is_kept",
    "breakglass_opening.break_glass": "test_breakglass_open.py: test_the_record_opens_with_a_grant_an_event_of_high_severity_and_word_to_the_lead",
    "breakglass_opening.end": "test_breakglass_open.py: test_who_is_done_closes_it",
    "breakglass_review.queue": "test_breakglass_review.py: test_the_list_names_no_person",
    "breakglass_review.answer": "test_breakglass_review.py: test_an_answer_closes_it_is_kept_and_told",
    "breakglass_review.stop": "test_breakglass_review.py: test_what_is_still_open_can_be_closed_by_the_reviewer_and_only_then_answered",
    "breakglass_evidence.evidence": "test_breakglass_review.py: test_a_case_says_who_why_what_was_looked_at_and_the_ties_then_and_now",
    "patient_match.match": "test_fhir_match.py: test_it_is_audited_as_a_search_of_whom_it_showed_and_with_no_value",
    "breakglass_telling.notices": "test_breakglass_review.py: test_the_person_reads_on_their_own_page_that_it_happened_and_not_why",
}


# Modules of one page or job, and the test of what it keeps, or that it gives nothing away.
WHOLE = {
    "consent_dialogue": "test_consents_pages.py: test_a_consent_by_one_who_may_not_is_refused_with_the_reason_and_kept_in_the_audit",
    "consent_effect": "test_consents_pages.py: test_before_it_is_saved_its_effect_is_told_and_nothing_is_stored",
    "consent_list": "test_consents_pages.py: test_it_is_printed_in_the_persons_words_with_lines_to_sign_and_that_is_kept",
    "consent_preview": "test_consents_pages.py: test_before_it_is_saved_its_effect_is_told_and_nothing_is_stored",
    "consent_unclear": "test_consents_unclear.py: test_the_lead_sees_reasons_and_sources_and_not_the_record",
    "consents": "test_consents_pages.py: test_what_is_stored_says_who_decided_how_and_who_took_it_down",
    "consents_received": "test_fhir_consents.py: test_what_is_created_is_audited_with_the_person",
    "explaining": "test_why_pages.py: test_it_is_audited_with_the_rule_and_the_item",
    "exporting": "test_fhir_export.py: test_the_audit_says_who_took_what_and_whom_it_was_about",
    "exporting_run": "test_fhir_export.py: test_the_audit_says_who_took_what_and_whom_it_was_about",
    "labelling": "test_label_corrections.py: test_who_corrected_what_and_why_is_kept_in_a_row_in_the_record_and_in_the_audit",
    "labelling_queue": "test_labels_page.py: test_a_correction_is_kept_told_and_taken_back",
    "legal_hold": "test_retention.py: test_only_a_role_that_handles_requests_holds_or_sees_what_is_due_and_no_role_erases",
    "looking_back": "test_looking_back.py: test_who_asked_is_in_the_audit_with_the_time_that_was_asked_about",
    "made_here": "test_record_made_here.py: test_a_new_version_is_audited_and_the_one_before_can_still_be_read",
    "naming": "test_view_as.py: test_the_look_is_the_leads_and_says_whose_view_it_was",
    "opt_outs": "test_opt_outs.py: test_it_is_audited_without_a_number_in_it",
    "planning": "test_planning.py: test_an_answer_is_audited_with_its_question_and_nobody_in_it",
    "recording": "test_only_looks.py: test_who_only_looks_records_nothing",
    "rehearsal": "test_looking_back.py: test_trying_is_audited_and_changes_nothing_of_the_record",
    "rehearsing": "test_looking_back.py: test_trying_is_audited_and_changes_nothing_of_the_record",
    "reindexing": "test_index_changed.py: test_that_it_was_read_and_why_is_in_the_audit",
    "relabelling": "test_label_corrections.py: test_who_corrected_what_and_why_is_kept_in_a_row_in_the_record_and_in_the_audit",
    "retention": "test_retention.py: test_that_it_was_there_and_who_erased_it_stays_and_so_does_the_audit",
    "retention_known": "test_retention.py: test_that_it_was_there_and_who_erased_it_stays_and_so_does_the_audit",
    "standing": "test_holders_hidden.py: test_whose_items_they_are_is_not_found_out_by_asking_for_one_source_after_the_other",
    "subject_access": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "subject_access_bodies": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "subject_access_gather": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "subject_access_records": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "subject_access_release": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "subject_access_review": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "patient_view": "test_cds_hooks.py: test_a_call_is_a_look_of_that_system_at_that_person",
    "subscription_sending": "test_subscriptions_lens.py: test_each_notification_is_a_look_of_that_client_at_those_people",
    "viewing": "test_view_as.py: test_the_look_is_the_leads_and_says_whose_view_it_was",
    "whose": "test_subject_access.py: test_each_time_it_is_given_out_the_audit_says_so",
    "why": "test_why_pages.py: test_it_is_audited_with_the_rule_and_the_item",
}


def trail(conn: Connection) -> list[Any]:
    return list(conn.execute(select(audit_event).order_by(audit_event.c.id)))


def asked(conn: Connection, look: Look) -> list[Any]:
    """The rows that this look added, whatever it answered."""
    before = len(trail(conn))
    try:
        look.ask(conn, lens_of(look.who))
    except NotFound:
        assert look.count == 0
    return trail(conn)[before:]


@every_look
@pytest.mark.usefixtures("world")
def test_a_look_says_who_looked_at_whom_for_what_and_by_which_rules(conn: Connection, look: Look) -> None:
    rows = asked(conn, look)
    assert rows, "nothing was kept"
    for row in rows:
        assert (row.at, row.outcome) == (NOW, "success")
        if row.action != "decide-link":  # by the operator's name: links have their own trail
            assert (row.user, row.request) == (look.who.user, look.who.request or None)
            assert (row.organisation, row.role, row.purpose) == (look.who.organisation, look.who.role, look.who.purpose)
    told = [row for row in rows if row.action == look.action and (row.query or "").startswith(look.query)]
    assert told, [(row.action, row.query) for row in rows]
    row = told[-1]
    assert row.count == look.count
    assert set(row.rules) == set(look.rules)
    about = {str(row.person)} if row.person else set()
    assert about | set((row.detail or {}).get("persons", ())) == {
        str({"ann": ANN, "bob": BOB}[one]) for one in look.about
    }


@every_look
@pytest.mark.usefixtures("world")
def test_no_row_tells_who_somebody_is_but_by_a_key(conn: Connection, look: Look) -> None:
    for row in asked(conn, look):
        said = " ".join(str(value) for value in (row.query, row.reason, row.detail, row.outcome, row.rules))
        for number in (0, 1):
            values = (f"Family{number}", f"family{number}", f"195{number}", nhs_number(number), *places_of(number))
            assert [value for value in values if value in said] == []


@pytest.mark.parametrize("parameter", ["_id", "patient", "subject", "_lastUpdated", "family", "identifier"])
def test_a_modifier_is_one_that_we_know_and_so_none_can_carry_a_name_into_the_trail(
    conn: Connection, lens: Lens, parameter: str
) -> None:
    before = len(trail(conn))
    with pytest.raises(Invalid):
        search.run(conn, lens, Query(("Patient",), criteria=(Criterion(parameter, (str(ANN),), "Nora Hart"),)))
    assert len(trail(conn)) == before


@every_look
@pytest.mark.usefixtures("world")
def test_a_look_that_can_not_be_kept_is_not_had(conn: Connection, look: Look) -> None:
    conn.execute(text("alter table audit_event rename to audit_event_gone"))
    with pytest.raises(ProgrammingError, match="audit_event"):
        look.ask(conn, lens_of(look.who))


def test_every_reading_function_is_among_these_looks() -> None:
    """A new function that takes a lens must be added here, and so be audited, or be said to read nothing."""
    found = {
        f"{module.name}.{name}"
        for package in (carelink.record, carelink.cases)
        for module in pkgutil.iter_modules(package.__path__)
        for name, function in vars(import_module(f"{package.__name__}.{module.name}")).items()
        if inspect.isfunction(function)
        and function.__module__ == f"{package.__name__}.{module.name}"
        and not name.startswith("_")
        and "Lens" in function.__annotations__.values()
    }
    told = {look.of.partition(" ")[0] for look in LOOKS} | set(READS_NOTHING) | set(ELSEWHERE) | set(PARTS)
    assert sorted(name for name in found - told if name.partition(".")[0] not in WHOLE) == []


def test_what_keeps_no_look_is_asked_only_by_what_keeps_it_and_by_its_own_module() -> None:
    users = {
        file.stem for file in (ROOT / "carelink").rglob("*.py") if re.search(r"\bunkept\w*\(", file.read_text("utf-8"))
    }
    assert users == {"search", *KEEPERS}


@pytest.mark.parametrize("said", sorted({*ELSEWHERE.values(), *WHOLE.values()}))
def test_the_tests_that_read_what_others_keep_are_there(said: str) -> None:
    file, _, name = said.partition(": ")
    assert f"def {name}(" in (ROOT / "tests" / "integration" / file).read_text()


def test_the_row_is_in_the_transaction_that_looked(shared_engine: Engine) -> None:
    """It comes with what the look led to, or with nothing: nobody can look and undo that they did."""
    lens = lens_of(replace(SAM, request="one transaction"))
    mine = select(audit_event.c.id).where(audit_event.c.request == "one transaction")
    with shared_engine.connect() as conn, conn.begin() as transaction:
        search.run(conn, lens, Query(("Condition",), person=ANN))
        assert len(conn.execute(mine).all()) == 1
        with shared_engine.connect() as another:
            assert another.execute(mine).all() == [], "not before it is committed"
        transaction.rollback()
    with shared_engine.connect() as conn:
        assert conn.execute(mine).all() == []


@pytest.mark.usefixtures("world")
def test_everybody_whom_a_search_showed_is_found_by_who_looked_at_them(conn: Connection, lens: Lens) -> None:
    search.run(conn, lens, Query(("Patient",), criteria=(named("Family"),)))
    caseload.caseload(conn, PLACE, lens)
    t = audit_event.c
    for one in (ANN, BOB):
        looks = select(t.query).where((t.person == one) | t.detail["persons"].contains([str(one)]), t.user == "sam")
        assert {"Patient?family", "my caseload"} <= set(conn.execute(looks).scalars())


@pytest.mark.usefixtures("world")
def test_a_job_is_kept_with_its_reason_and_on_whose_behalf(conn: Connection) -> None:
    search.run(conn, Lens.system("whom to ask the sources about", NOW, "operator:ada"), Query(("Patient",)))
    row = trail(conn)[-1]
    assert (row.user, row.reason, row.rules) == ("operator:ada", "whom to ask the sources about", ["L0-system"])
    assert (row.organisation, row.role, row.purpose, row.person, row.detail) == (None,) * 5


@pytest.mark.usefixtures("world")
def test_a_search_of_one_person_that_shows_another_by_a_link_keeps_both(conn: Connection, lens: Lens) -> None:
    """The question names one person; whoever else is in the answer is kept as well."""
    rows = search.run(conn, lens, Query(("Patient",))).rows
    looked(conn, lens, "read", "x", rows, ANN)
    row = trail(conn)[-1]
    assert (row.person, row.detail) == (ANN, {"persons": [str(BOB)], "relationships": ["caseload"]})


def test_what_an_event_says_is_what_the_row_says(conn: Connection) -> None:
    event = Event(
        "refusal",
        SAM,
        ANN,
        query="/people/<uuid:person>",
        rules=("L9-no-relationship",),
        outcome="refused",
        reason="not involved",
        detail={"n": 1},
    )
    append(conn, event, NOW)
    row = trail(conn)[-1]
    assert (row.action, row.outcome, row.user, row.person) == ("refusal", "refused", "sam", ANN)
    assert (row.query, row.reason, row.rules) == ("/people/<uuid:person>", "not involved", ["L9-no-relationship"])
    assert (row.count, row.detail, row.request, row.at) == (None, {"n": 1}, "req-1", NOW)


def test_an_event_without_a_requester_says_who_as_far_as_it_is_known(conn: Connection) -> None:
    append(conn, Event("sign-in", outcome="refused", user="somebody", request="req-3"), NOW)
    row = trail(conn)[-1]
    assert (row.user, row.organisation, row.role, row.request) == ("somebody", None, None, "req-3")


def test_an_explanation_is_kept_as_a_look_by_who_asked_for_it(conn: Connection, world: None, lens: Lens) -> None:
    explain(conn, lens, ANN, "operator:ada")
    row = trail(conn)[-1]
    assert (row.action, row.user, row.person, row.organisation) == ("explain", "operator:ada", ANN, None)
    assert row.detail == {"view_of": "sam", "organisation": NORTH, "role": "social-worker", "purpose": "CAREMGT"}
    assert set(row.rules) == {"L8-own-organisation", "L8-agreement"}
