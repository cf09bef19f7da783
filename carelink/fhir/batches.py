"""POST /fhir/R4: a batch, each entry by itself, or a transaction, all of them or none (FHIR R4 3.1.0.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException

from carelink.audit.trail import append
from carelink.cases import pushing
from carelink.cases.pushing_references import named, put, within
from carelink.cases.pushing_terms import Act, Change, Names, Refused, told_at
from carelink.errors import CareLinkError, Forbidden, Invalid, NotFound
from carelink.fhir import bearer, inside, outcome, pens, sent, written
from carelink.fhir import bundle_requests as requests
from carelink.fhir.bundle_answers import Answered, of_response, of_told, of_written, response
from carelink.fhir.bundle_requests import BATCH, Entry
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.writes import TYPES, address, again, none_exist, seen
from carelink.identity.tokens import Granted
from carelink.web.failures import refusal
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters.source import Reason

ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")  # R4 3.1.0.11.2

blueprint = Blueprint("fhir_batches", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.post("", endpoint="take")
@blueprint.post("/", endpoint="take")
def take() -> Response:
    """The answers in the order of the entries: 200 for a batch, whatever became of each, and for a transaction that was done."""
    by = pens.granted()
    bundle = sent.resource("Bundle")
    kind, entries = requests.kind_of(bundle), requests.listed(bundle)
    answers = _batch if kind == BATCH else _transaction
    return again(lambda: bearer.answer(response(kind, answers(by, entries))))


# A batch --------------------------------------------------------------------------------------------


def _batch(by: Granted, entries: Sequence[object]) -> list[Answered]:
    return [_alone(number, said) for number, said in enumerate(entries)]


def _alone(number: int, said: object) -> Answered:
    """One entry, of which nothing stays where it fails."""
    conn = connection()
    savepoint = conn.begin_nested()
    try:
        one = requests.entry(number, said, endpoint().base)
        with inside.as_asked(one, one.resource):
            try:
                made = of_response(inside.answer(one, one.resource))
            except (CareLinkError, HTTPException) as error:
                kept = refusal(error) if isinstance(error, (Forbidden, NotFound)) else None
                savepoint.rollback()
                if kept is not None:
                    append(conn, kept, at())
                return of_told(outcome.of(error))
        savepoint.commit()
    except Invalid as error:
        savepoint.rollback()
        return of_told(outcome.of(error))
    return made


# A transaction --------------------------------------------------------------------------------------


def _transaction(by: Granted, entries: Sequence[object]) -> list[Answered]:
    asked = [requests.entry(number, said, endpoint().base) for number, said in enumerate(entries)]
    requests.named_once(asked)
    plain = [one for one in asked if _is_plain(one)]
    conn, answers = connection(), dict[int, Answered]()
    changes = [_change(by, one) for one in sorted(plain, key=_turn)]
    done, names = pushing.write(conn, pens.pen_of(conn, by), changes) if changes else ((), {})
    shown = written.bodies(conn, by, done) if written.wanted() is written.Return.REPRESENTATION else {}
    for one, what in zip(sorted(plain, key=_turn), done, strict=True):
        answers[one.number] = of_written(what, shown)
    for one in sorted((one for one in asked if one.number not in answers), key=_turn):
        answers[one.number], names = _asked(one, names)
    return [answers[one.number] for one in asked]


def _turn(one: Entry) -> int:
    return ORDER.index(one.method)


def _is_plain(one: Entry) -> bool:
    """Whether it writes what goes through ingest; all of those go together."""
    path = one.path.partition("?")[0].split("/")
    return one.method in ("POST", "PUT", "DELETE") and path[0] in TYPES and len(path) <= 2 and path[-1][:1] not in "_$"


def _change(by: Granted, one: Entry) -> Change:
    """What the entry writes. Raises where its token does not let its bearer, and for what is no such write."""
    path, _, criteria = one.path.partition("?")
    type_, _, id_ = path.partition("/")
    act, letter = _ACTS[one.method]
    at_ = f"{one.at}.resource" if act is not Act.DELETE else one.at
    with told_at(one.at):
        pens.must_write(by, type_, letter)
        _must_fit(one, act, type_, id_, criteria)
        if act is Act.CREATE:
            wanted = none_exist(type_, one.headers.get("If-None-Exist"))
            return Change(act, type_, at_, one.resource, criteria=wanted, name=one.name)
        key = address(type_, id_, act) if id_ else None
        version = seen(one.headers.get("If-Match", ""))
        return Change(act, type_, at_, one.resource, key, version, criteria if not id_ else None, one.name)


_ACTS: Mapping[str, tuple[Act, str]] = {
    "POST": (Act.CREATE, "c"),
    "PUT": (Act.UPDATE, "u"),
    "DELETE": (Act.DELETE, "d"),
}


def _must_fit(one: Entry, act: Act, type_: str, id_: str, criteria: str) -> None:
    if act is Act.CREATE and (id_ or criteria):
        raise Invalid(f"{one.at}.request.url", "must be the type alone, for something new")
    if act is not Act.CREATE and not id_ and not criteria:
        raise Invalid(f"{one.at}.request.url", "names neither an id nor a condition")
    if act is not Act.DELETE and (one.resource or {}).get("resourceType") != type_:
        raise Invalid(f"{one.at}.resource.resourceType", f"must be {type_}")


def _asked(one: Entry, names: Names) -> tuple[Answered, Names]:
    """What goes by rules of its own, or only looks: asked as it would be alone. A failure is that of the whole."""
    body = one.resource
    if body is not None:
        body = put(body, within(named(body), names, one.name, endpoint().base))
    try:
        with inside.as_asked(one, body):
            made = of_response(inside.answer(one, body))
    except CareLinkError as error:
        error.place = _inside(one, error.place)
        raise
    except HTTPException as error:
        raise Refused([Reason(f"{one.at}.request", error.description or error.name)]) from error
    if one.name and made.location and one.method in ("POST", "PUT"):
        names = {**names, one.name: made.location.partition("/_history/")[0]}
    return made, names


def _inside(one: Entry, place: str) -> str:
    type_ = one.path.partition("?")[0].partition("/")[0]
    if place.startswith("Bundle."):
        return place
    return one.at + ".resource" + place.removeprefix(type_) if place.startswith(type_) else one.at
