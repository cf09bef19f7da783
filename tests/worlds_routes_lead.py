"""How the pages of who leads on information governance are asked: the audit, reviews, requests, looking back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import person
from worlds_routes import WHOSE, Asks, Drawing, Route, either, get, post

from carelink.cases.planning_questions import BY_ID


def _number(table: str) -> Any:
    return lambda draw: draw.row(table)


def _request(endpoint: str, form: Any = None) -> Asks:
    """About one request."""
    if form is None:
        return get(endpoint, id_=_number("subject_request"))
    return post(endpoint, form, id_=_number("subject_request"))


def _named(draw: Drawing) -> str:
    """Somebody, by number or by key."""
    return str(draw.one(draw.nhs_number(), draw.person(), "12"))


def _look(draw: Drawing) -> dict[str, str]:
    return draw.one({}, {"since": "2026-11-10"}, {"user": "sam.okafor"}, {"organisation": "RDV"}, {"purpose": "TREAT"})


def _view(draw: Drawing) -> dict[str, Any]:
    worker = draw.one("sam.okafor", "nadia.rahman", "tom.ellis")
    as_who = draw.one({"whose": "worker", "worker": worker}, {"whose": "role", "role": "gp", "organisation": "P81001"})
    return {**as_who, "person": _named(draw), "involved": draw.one("", "yes")}


def _then(draw: Drawing) -> dict[str, str]:
    worker = draw.one("sam.okafor", "nadia.rahman", "gwen.price", "nobody")
    day = draw.one("2026-11-24", "2026-11-23", "2020-01-01")
    return {"worker": worker, "person": _named(draw), "day": day, "time": draw.one("11:30", "08:00")}


def _held(draw: Drawing) -> Ask:
    return Ask("subject_access.item", {"id_": draw.row("subject_request"), "number": draw.chance.randrange(3)})


def _decide(draw: Drawing) -> dict[str, str]:
    return {"item-0": "x", "answer-0": "include", "why-0": "It is theirs"}


def _open(draw: Drawing) -> dict[str, str]:
    return {"person": str(draw.person()), "requested_by": "Susan", "authority": draw.one("self", "attorney", ""), **draw.date("asked"), **draw.date("identity")}  # fmt: skip


def _why(draw: Drawing) -> dict[str, str]:
    return {
        "worker": draw.one("sam.okafor", "nadia.rahman"),
        "person": _named(draw),
        "item": draw.one("", str(draw.key())),
    }


def _question(draw: Drawing) -> str:
    return str(draw.one(*BY_ID, "nothing"))


LEAD: Mapping[str, Route] = {
    "dashboard.quarantine": Route(get("dashboard.quarantine"), whose="lead"),
    "dashboard.links": Route(get("dashboard.links"), whose="lead"),
    "dashboard.link": Route(get("dashboard.link", decision=_number("link_decision")), whose="lead"),
    "dashboard.decide_link": Route(post("dashboard.decide_link", lambda draw: {"answer": draw.one("same", "different", "")}, decision=_number("link_decision")), good=303, whose="lead"),
    "consents.unclear": Route(get("consents.unclear"), whose="lead"),
    "audit.start": Route(get("audit.start"), whose="lead"),
    "audit.find_person": Route(post("audit.find_person", lambda draw: {"nhs_number": draw.nhs_number()}), good=303, whose="lead"),
    "audit.of_person": Route(either(get("audit.of_person", person=WHOSE), post("audit.of_person", _look, person=WHOSE)), whose="lead"),
    "audit.find_worker": Route(post("audit.find_worker", lambda draw: {"worker": draw.one("sam", "na", "q")}), whose="lead"),
    "audit.of_worker": Route(post("audit.of_worker", lambda draw: _look(draw) | {"user": draw.one("sam.okafor", "tom.ellis", "nobody")}), whose="lead"),
    "signals.waiting": Route(get("signals.waiting"), whose="lead"),
    "signals.one": Route(get("signals.one", signal=_number("audit_signal")), whose="lead"),
    "signals.answer": Route(post("signals.answer", lambda draw: {"answer": draw.one("in-order", "breach", ""), "words": "It was their case"}, signal=_number("audit_signal")), good=303, whose="lead"),
    "breakglass_review.queue": Route(get("breakglass_review.queue"), whose="lead"),
    "breakglass_review.case": Route(get("breakglass_review.case", grant=_number("access_grant")), whose="lead"),
    "breakglass_review.answer": Route(post("breakglass_review.answer", lambda draw: {"finding": draw.one("justified", "unclear"), "words": draw.one("They were on duty then", "")}, grant=_number("access_grant")), good=303, whose="lead"),
    "breakglass_review.stop": Route(post("breakglass_review.stop", lambda draw: {}, grant=_number("access_grant")), good=303, whose="lead"),
    "looking_back.choose": Route(get("looking_back.choose"), whose="lead"),
    "looking_back.as_it_was": Route(either(get("looking_back.as_it_was"), *[post("looking_back.as_it_was", _then)] * 4), whose="lead"),
    "looking_back.rehearsals": Route(get("looking_back.rehearsals"), whose="lead"),
    "looking_back.rehearsed": Route(get("looking_back.rehearsed", number=_number("rehearsal")), whose="lead"),
    "view_as.choose": Route(get("view_as.choose"), whose="lead"),
    "view_as.begin": Route(post("view_as.begin", _view), good=303, whose="lead"),
    "view_as.person": Route(lambda draw: Ask("view_as.person", {"person": person(draw.number()), "category": draw.one("", "problems")}, headers=draw.one({}, {"HX-Request": "true"})), whose="viewing"),
    "view_as.end": Route(post("view_as.end", lambda draw: {}), good=303, whose="viewing"),
    "subject_access.queue": Route(get("subject_access.queue"), whose="lead"),
    "subject_access.new": Route(get("subject_access.new"), whose="lead"),
    "subject_access.whose_record": Route(post("subject_access.whose_record", lambda draw: {"nhs_number": draw.nhs_number()}), whose="lead"),
    "subject_access.open_": Route(post("subject_access.open_", _open), good=303, whose="lead"),
    "subject_access.one": Route(_request("subject_access.one"), whose="lead"),
    "subject_access.identity": Route(_request("subject_access.identity", lambda draw: draw.date("identity")), good=303, whose="lead"),
    "subject_access.extend": Route(_request("subject_access.extend", lambda draw: {"why": draw.one("It is much", "")}), good=303, whose="lead"),
    "subject_access.end": Route(_request("subject_access.end", lambda draw: {"how": draw.one("withdrawn", "refused"), "ended_why": "They said so"}), good=303, whose="lead"),
    "subject_access.gather": Route(_request("subject_access.gather", lambda draw: {}), good=303, whose="lead"),
    "subject_access.review": Route(_request("subject_access.review"), whose="lead"),
    "subject_access.decide": Route(_request("subject_access.decide", _decide), good=303, whose="lead"),
    "subject_access.held": Route(_request("subject_access.held"), whose="lead"),
    "subject_access.item": Route(_held, whose="lead"),
    "subject_access.decide_item": Route(post("subject_access.decide_item", _decide, id_=_number("subject_request"), number=lambda draw: 0), good=303, whose="lead"),
    "subject_access.finish": Route(_request("subject_access.finish", lambda draw: {}), good=303, whose="lead"),
    "subject_access.release": Route(_request("subject_access.release", lambda draw: {}), good=303, whose="lead"),
    "subject_access.file": Route(get("subject_access.file", id_=lambda draw: draw.row("subject_request", status="released"), which=lambda draw: draw.one("printed", "fhir")), whose="lead"),
    "why.explain": Route(either(get("why.explain"), post("why.explain", _why)), whose="lead"),
    "planning.questions": Route(get("planning.questions"), whose="counting"),
    "planning.answer": Route(get("planning.answer", question=_question), whose="counting"),
    "planning.download": Route(get("planning.download", question=_question), whose="counting"),
    "retention.overview": Route(get("retention.overview"), whose="lead"),
    "retention.due": Route(post("retention.due", lambda draw: {}), whose="lead"),
    "retention.hold": Route(post("retention.hold", lambda draw: {"nhs_number": draw.nhs_number(), "why": draw.one("An inquest", "")}), good=303, whose="lead"),
    "retention.end": Route(post("retention.end", lambda draw: {}, number=_number("legal_hold")), good=303, whose="lead"),
}  # fmt: skip
