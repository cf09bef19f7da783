"""Who decides: what a worker sees, records and corrects, and what follows from it; nobody who is not involved may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import item, patient, take
from page_builders import ALERT, ME, NORA, objection, page, signed_in
from sqlalchemy import Engine, select

from carelink.consent.capacity import Decision, Giver, Relation, may_consent
from carelink.consent.capacity_facts import mind_of, on_all_that_is_known
from carelink.db.tables import audit_event, resource
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.golden_store import recompose

TOKEN = "00000000-0000-4000-8000-00000000000b"
CHILD = {**NORA, "birthDate": "2014-05-06"}
UNABLE = {
    "decision": "sharing",
    "understand": "yes",
    "retain": "no",
    "weigh": "no",
    "communicate": "yes",
    "impaired": "yes",
    "cause": "Dementia",
    "support": "Pictures, in the morning",
    "reasons": "Asked three times; did not keep it in mind",
    "outcome": "lacks",
    "by": "Sam Okafor",
    "at-day": "24",
    "at-month": "11",
    "at-year": "2026",
}
ABLE = UNABLE | {"retain": "yes", "weigh": "yes", "impaired": "", "cause": "", "outcome": "has"}
TOGETHER = {
    "decision": "sharing",
    "in_favour": "yes",
    "consulted": "Her daughter Susan, her carer",
    "wishes": "Always wanted her doctor to know",
    "reasons": "Her care is safer for it",
    "by": "Sam Okafor",
    "at-day": "24",
    "at-month": "11",
    "at-year": "2026",
}
STAMPED = {
    "kind": "lpa-health-and-welfare",
    "name": "Susan Hart",
    "registered": "yes",
    "reference": "7000-1234-5678",
    "seen-day": "20",
    "seen-month": "11",
    "seen-year": "2026",
}


def path(person: PersonKey, *more: object) -> str:
    return "/".join(["", "people", str(person), "who-decides", *map(str, more)])


def send(browser: FlaskClient, where: str, form: Mapping[str, str], token: str = TOKEN) -> tuple[int, str]:
    shown = page(browser, where)
    csrf = str(shown.one("main").one("input", name="csrf_token").attributes["value"])
    child = [str(one.attributes["value"]) for one in shown.all("input", name="child")]
    hidden = {"csrf_token": csrf, "token": token, **({"child": child[0]} if child else {})}
    answer = browser.post(where, data={**hidden, **form})
    return answer.status_code, answer.get_data(as_text=True)


def text(browser: FlaskClient, where: str) -> str:
    return page(browser, where).one("main").text


def linked(browser: FlaskClient, person: PersonKey, words: str) -> str:
    """Where the link leads that begins so."""
    links = page(browser, path(person)).one("main").all("a")
    return next(str(one.attributes["href"]) for one in links if one.text.startswith(words))


def stored(engine: Engine, type_: str) -> list[tuple[str, str, str]]:
    """What was recorded here: custodian, category, version."""
    t = resource.c
    with engine.connect() as conn:
        asked = select(t.custodian, t.category, t.version).where(t.type == type_, t.source == "carelink")
        return [tuple(row) for row in conn.execute(asked.order_by(t.last_updated))]  # type: ignore[misc]


def rule(engine: Engine, person: PersonKey, giver: Giver, now: datetime) -> str:
    """By which rule this giver may, or may not, consent."""
    with engine.connect() as conn:
        mind = mind_of(conn, on_all_that_is_known(now), person)
        return may_consent(giver, mind, Decision.SHARING, now).rule


def test_an_adult_of_whom_nothing_is_recorded_decides(sam: FlaskClient, known: PersonKey) -> None:
    said = text(sam, path(known))
    assert "Nora Hart decides. An adult is taken to be able to decide" in said
    assert "next of kin" in said
    assert "No assessment or best-interests decision is recorded." in said
    assert "Lasting power of attorney: daughter, Susan" in said  # a council's alert, in words alone


def test_a_recorded_assessment_counts_at_once_and_is_the_councils_own(
    changed: Engine, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    assert send(sam, path(known, "assessment"), UNABLE)[0] == 303
    assert stored(changed, "Observation") == [("901", "legal", 1)]
    said = text(sam, path(known))
    assert "The assessment is recorded." in said
    assert "The person has been found unable to decide this. Mental Capacity Act 2005 s2(1), s3(1)" in said
    assert "Nobody may consent now." in said
    assert "Asked three times; did not keep it in mind" in said
    assert rule(changed, known, Giver(Relation.THE_PERSON), now) == "C-person-unable"


def test_a_form_that_is_sent_twice_is_stored_once_and_another_is_another(
    changed: Engine, sam: FlaskClient, known: PersonKey
) -> None:
    for _ in range(2):
        send(sam, path(known, "assessment"), UNABLE)
    assert stored(changed, "Observation") == [("901", "legal", 1)]
    send(sam, path(known, "assessment"), ABLE, token=TOKEN.replace("b", "c"))
    assert len(stored(changed, "Observation")) == 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"decision": ""}, "Choose what is to be decided"),
        ({"weigh": ""}, "Choose yes or no"),
        ({"retain": "yes", "weigh": "yes"}, "You answered yes to all of it: then they are able to decide"),
        ({"impaired": ""}, "Say whether it is because of an impairment"),
        ({"impaired": "no"}, "Without an impairment of mind or brain the Act takes them to be able to decide"),
        ({"cause": ""}, "Say what the impairment or disturbance is"),
        ({"outcome": "has"}, "You answered no to some of it, because of an impairment"),
        ({"outcome": ""}, "Choose what you found"),
        ({"reasons": " "}, "Say how you know"),
        ({"by": ""}, "Say who assessed"),
        ({"at-day": "25"}, "The day of the assessment must not be in the future"),
        ({"at-month": "13"}, "The day of the assessment must be a real date"),
        ({"at-day": "", "at-month": "", "at-year": ""}, "The day of the assessment must have a day"),
        ({"until-day": "1", "until-month": "1", "until-year": "2020"}, "The last day must not be before"),
        ({"reasons": "a" * 4001}, "Write no more than 4000 letters"),
    ],
)
def test_an_assessment_that_contradicts_the_act_is_not_recorded_and_what_was_typed_stays(
    sam: FlaskClient, known: PersonKey, wrong: dict[str, str], says: str
) -> None:
    status, html = send(sam, path(known, "assessment"), UNABLE | wrong)
    assert status == 200
    assert says in html
    assert "<title>Error: " in html
    assert "Pictures, in the morning" in html


def test_best_interests_need_an_assessment_first(changed: Engine, sam: FlaskClient, known: PersonKey) -> None:
    _, html = send(sam, path(known, "best-interests"), TOGETHER)
    assert "nobody has found that this person can" in html
    assert stored(changed, "Observation") == []


def test_best_interests_say_who_was_consulted(sam: FlaskClient, known: PersonKey) -> None:
    _, html = send(sam, path(known, "best-interests"), TOGETHER | {"consulted": ""})
    assert "Say who was consulted, or why nobody could be" in html


def test_after_an_assessment_those_who_care_decide_in_the_persons_best_interests(
    changed: Engine, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    assert send(sam, path(known, "best-interests"), TOGETHER)[0] == 303
    assert "Those who care for them, in their best interests may decide." in text(sam, path(known))
    giver = Giver(Relation.PROFESSIONAL_BEST_INTERESTS)
    assert rule(changed, known, giver, now) == "C-best-interests"


def test_a_registered_power_that_was_seen_counts_and_stands_before_best_interests(
    changed: Engine, sam: FlaskClient, known: PersonKey
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    assert send(sam, path(known, "authority"), STAMPED)[0] == 303
    assert stored(changed, "RelatedPerson") == [("901", "legal", 1)]
    said = text(sam, path(known))
    assert "Susan Hart may decide. The power is registered" in said
    assert "reference 7000-1234-5678" in said
    assert "Seen 20 November 2026 by Sam Okafor, Northdale Council" in said
    _, html = send(sam, path(known, "best-interests"), TOGETHER)
    assert "Somebody has authority to decide this." in html


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "deputy"}, "Choose what you saw"),
        ({"name": ""}, "Enter the name of who holds it"),
        ({"registered": ""}, "Say whether it is registered"),
        ({"reference": ""}, "Enter the reference number of the Office of the Public Guardian"),
        ({"kind": "deputy-welfare", "reference": ""}, "Enter the case number of the order"),
        ({"seen-year": "2027"}, "The day on which you saw it must not be in the future"),
        (
            {**dict(zip(("starts-day", "starts-month", "starts-year"), ("1", "5", "2026"), strict=True)),
             **dict(zip(("ends-day", "ends-month", "ends-year"), ("1", "4", "2026"), strict=True))},
            "The last day must not be before it begins",
        ),
    ],
)  # fmt: skip
def test_an_authority_is_recorded_whole_or_not_at_all(
    sam: FlaskClient, known: PersonKey, wrong: dict[str, str], says: str
) -> None:
    status, html = send(sam, path(known, "authority"), STAMPED | wrong)
    assert (status, says in html) == (200, True)


def councils(engine: Engine, place: Place, now: datetime, **more: object) -> UUID:
    """The council's own row about Susan: an attorney, as it says."""
    coding = {"system": "https://carelink.example/CodeSystem/legal-authority", "code": "lpa-health-and-welfare"}
    said = {"patient": ME["subject"], "name": [{"text": "Susan Hart"}], "relationship": [{"coding": [coding]}], **more}
    with engine.begin() as conn:
        take(conn, place, [item("RelatedPerson", "susan", **said)], now, "council-a")
        t = resource.c
        return conn.execute(select(t.key).where(t.type == "RelatedPerson", t.source == "council-a")).scalar_one()


def test_what_a_council_says_of_an_attorney_counts_once_somebody_has_seen_that_it_is_registered(
    changed: Engine, place: Place, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    key = councils(changed, place, now)
    send(sam, path(known, "assessment"), UNABLE)
    said = page(sam, path(known)).one("main")
    assert "nobody has seen that it is registered" in said.text
    link = f"{path(known, 'authority')}?confirms={key}"
    assert [one.text for one in said.all("a") if one.attributes.get("href") == link] == [
        "Record that you saw it : Susan Hart, Lasting power of attorney: health and welfare"
    ]
    form = page(sam, link).one("main")
    assert form.one("input", id="name").attributes["value"] == "Susan Hart"
    send(sam, path(known, "authority"), STAMPED | {"confirms": str(key)})
    said = page(sam, path(known)).one("main")
    assert "Susan Hart may decide." in said.text
    assert len(said.one("section", aria_labelledby="held").all("tr")) == 2  # the heading, and one row for both


def test_what_was_seen_ends_where_the_council_ends_what_it_told(
    changed: Engine, place: Place, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    key = councils(changed, place, now)
    send(sam, path(known, "assessment"), UNABLE)
    send(sam, path(known, "authority"), STAMPED | {"confirms": str(key)})
    councils(changed, place, now + timedelta(seconds=1), period={"end": "2026-11-01"})
    assert "Nobody may consent now." in text(sam, path(known))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"change": "ended", "at-day": "20", "at-month": "11", "at-year": "2026"}, "The recorded authority has ended."),
        ({"change": "suspended"}, "The authority is suspended."),
        ({"change": "mistake"}, "No attorney, deputy or other authority is recorded."),
    ],
)
def test_an_authority_that_ended_is_suspended_or_was_a_mistake_counts_no_longer(
    changed: Engine, sam: FlaskClient, known: PersonKey, change: dict[str, str], says: str
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    send(sam, path(known, "authority"), STAMPED)
    where = linked(sam, known, "It has ended")
    version = str(page(sam, where).one("main").one("input", name="version").attributes["value"])
    assert send(sam, where, change | {"version": version})[0] == 303
    assert says in text(sam, path(known))
    assert "Nobody may consent now." in text(sam, path(known))
    if "suspended" in change.values():
        assert send(sam, where, {"change": "resumed", "version": version})[0] == 409
        assert send(sam, where, {"change": "resumed", "version": "2"})[0] == 303
        assert "Susan Hart may decide." in text(sam, path(known))


def test_an_assessment_that_was_a_mistake_counts_no_longer(changed: Engine, sam: FlaskClient, known: PersonKey) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    where = linked(sam, known, "Recorded by mistake")
    assert "Say what was wrong" in send(sam, where, {"version": "1", "why": " "})[1]
    assert send(sam, where, {"version": "1", "why": "Wrong person"})[0] == 303
    assert "Nora Hart decides." in text(sam, path(known))


def test_a_nurse_sees_what_the_council_found_and_changes_none_of_it(
    changed: Engine, app: Flask, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    mine = linked(sam, known, "Recorded by mistake")
    nadia = signed_in(app, "nadia.rahman", now)
    said = page(nadia, path(known)).one("main")
    assert "found unable to decide" in said.text
    assert [one for one in said.all("a") if one.text.startswith("Recorded by mistake")] == []
    assert nadia.get(mine).status_code == 403


def test_whoever_may_not_see_an_authority_is_told_that_there_is_one_without_the_name(
    changed: Engine, app: Flask, place: Place, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    send(sam, path(known, "authority"), STAMPED)
    legal = {"class": [{"system": "https://carelink.example/category", "code": "legal"}]}
    with changed.begin() as conn:
        take(conn, place, [objection("no-legal", **legal)], now, "council-a")
    said = text(signed_in(app, "nadia.rahman", now), path(known))
    assert "Somebody whose record you can't see may decide." in said
    assert "Susan Hart may decide" not in said


def test_who_is_not_involved_or_records_nothing_gets_neither_page_nor_form(
    app: Flask, known: PersonKey, now: datetime
) -> None:
    gwen, iris = signed_in(app, "gwen.price", now), signed_in(app, "iris.lang", now)
    for where in (path(known), path(known, "assessment"), path(known, "best-interests"), path(known, "authority")):
        assert gwen.get(where).status_code == 404
        assert iris.get(where).status_code in (403, 404)


def test_the_person_themselves_records_no_assessment_of_their_own(app: Flask, known: PersonKey, now: datetime) -> None:
    nora = signed_in(app, "nora", now)
    assert nora.get(path(known, "assessment")).status_code == 403


def test_a_child_is_assessed_by_gillick_and_decides_once_found_competent(
    changed: Engine, place: Place, sam: FlaskClient, known: PersonKey, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [patient("p1", **CHILD)], now, "council-a")
        take(conn, place, [patient("p1", **CHILD)], now)
        take(conn, place, [item("Patient", "p1", "P81001/9990000018", **CHILD)], now, "gp")
        recompose(conn, place, [known], now)
    assert "Below 16 nobody is taken to be able" in text(sam, path(known))
    form = {name: UNABLE[name] for name in ("decision", "support", "reasons", "by", "at-day", "at-month", "at-year")}
    found = form | {"understand": "yes", "weigh": "yes", "own-choice": "yes", "outcome": "has"}
    assert "You answered no to some of it" in send(sam, path(known, "assessment"), found | {"own-choice": "no"})[1]
    assert send(sam, path(known, "assessment"), found)[0] == 303
    assert "Nora Hart decides. The child has been found to understand enough" in text(sam, path(known))
    assert rule(changed, known, Giver(Relation.THE_PERSON), now) == "C-child-decides"


def test_every_look_and_every_record_is_audited_without_what_was_written(
    changed: Engine, sam: FlaskClient, known: PersonKey
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    text(sam, path(known))
    a = audit_event.c
    with changed.connect() as conn:
        rows = conn.execute(select(a.action, a.user, a.query, a.reason, a.detail).where(a.person == known)).all()
    assert ("create", "sam.okafor", "Observation") in [(row.action, row.user, row.query) for row in rows]
    assert ("read", "sam.okafor", "who decides") in [(row.action, row.user, row.query) for row in rows]
    assert not [row for row in rows if "Dementia" in str(row) or "three times" in str(row)]


def test_what_is_changed_is_audited_with_its_key(changed: Engine, sam: FlaskClient, known: PersonKey) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    send(sam, path(known, "best-interests"), TOGETHER)
    send(sam, path(known, "authority"), STAMPED)
    paper, finding = linked(sam, known, "It has ended"), linked(sam, known, "Recorded by mistake")
    send(sam, paper, {"version": "1", "change": "suspended"})
    send(sam, finding, {"version": "1", "why": "Wrong person"})
    a = audit_event.c
    with changed.connect() as conn:
        asked = select(a.action, a.query, a.detail).where(a.action.in_(["create", "update"]), a.person == known)
        rows = [(row.action, row.query, row.detail["resource"]) for row in conn.execute(asked.order_by(a.id))]
    assert [(action, type_) for action, type_, _ in rows] == [
        ("create", "Observation"),
        ("create", "Observation"),
        ("create", "RelatedPerson"),
        ("update", "RelatedPerson"),
        ("update", "Observation"),
    ]
    assert [where.rpartition("/")[2] for where in (paper, finding)] == [key for *_, key in rows[3:]]


def test_what_sources_say_of_mistaken_lookalikes_is_no_finding(
    changed: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    flag = {"coding": [{"system": ALERT, "code": "legal"}], "text": "Lacks capacity"}
    with changed.begin() as conn:
        take(conn, place, [item("Flag", "f9", status="active", code=flag, **ME)], now, "council-a")
    assert rule(changed, known, Giver(Relation.THE_PERSON), now) == "C-person"


def test_the_top_of_the_persons_page_says_what_they_cannot_decide_and_leads_to_who_does(
    changed: Engine, sam: FlaskClient, known: PersonKey
) -> None:
    send(sam, path(known, "assessment"), UNABLE)
    top = page(sam, f"/people/{known}").one("div", class_="app-banner")
    assert "Found unable to decide about sharing their record" in top.text
    assert [one.attributes["href"] for one in top.all("a") if one.text == "Who decides"] == [path(known)]
