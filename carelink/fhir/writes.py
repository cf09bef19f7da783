"""/fhir/R4/[type]: create, update and delete by a system, of what its organisation answers for; also by a condition."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import psycopg
from flask import Blueprint, Response, request
from sqlalchemy.exc import DBAPIError

from carelink.cases import pushing
from carelink.cases.pushing_aims import NO_SUCH
from carelink.cases.pushing_source import NOT_PUSHED
from carelink.cases.pushing_terms import Act, Change, ChoosesNoId, Written
from carelink.errors import Invalid, NotFound
from carelink.fhir import bearer, pens, sent, written
from carelink.fhir.capability import RESOURCES
from carelink.fhir.endpoint import ROOT
from carelink.identity.tokens import Granted
from carelink.ids import ResourceKey
from carelink.web.parts import parts
from carelink.web.transaction import abandon, connection

TYPES = tuple(sorted(RESOURCES.keys() - NOT_PUSHED.keys()))
TRIES = 3  # of a transaction that another one made impossible
_TYPE = f"<any({', '.join(TYPES)}):type_>"
_VERSION = re.compile(r'(?:W/)?"(\d{1,8})"')
_AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation)

blueprint = Blueprint("fhir_writes", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.post(f"/{_TYPE}")
def create(type_: str) -> Response:
    """Something new: 201. With `If-None-Exist`, what meets that condition already: 200."""
    by = _may(type_, "c")
    body, criteria = sent.resource(type_), none_exist(type_, request.headers.get("If-None-Exist"))
    return _answered(by, Change(Act.CREATE, type_, type_, body, criteria=criteria))


@blueprint.put(f"/{_TYPE}/<id_>")
def update(type_: str, id_: str) -> Response:
    """A new version: 200; the same as before where nothing in it is new. 412 where `If-Match` names an older one."""
    by, body = _may(type_, "u"), sent.resource(type_)
    return _answered(by, Change(Act.UPDATE, type_, type_, body, address(type_, id_, Act.UPDATE), seen()))


@blueprint.put(f"/{_TYPE}")
def update_by_condition(type_: str) -> Response:
    """A new version of the one that meets the condition, or something new where none does."""
    by, body = _may(type_, "u"), sent.resource(type_)
    return _answered(by, Change(Act.UPDATE, type_, type_, body, seen=seen(), criteria=condition()))


@blueprint.delete(f"/{_TYPE}/<id_>")
def delete(type_: str, id_: str) -> Response:
    """A last version that says that it is no more: 204. Its history stays."""
    by = _may(type_, "d")
    return _answered(by, Change(Act.DELETE, type_, type_, None, address(type_, id_, Act.DELETE), seen()))


@blueprint.delete(f"/{_TYPE}")
def delete_by_condition(type_: str) -> Response:
    """The same of the one that meets the condition; 204 also where none does."""
    by = _may(type_, "d")
    return _answered(by, Change(Act.DELETE, type_, type_, seen=seen(), criteria=condition()))


def _may(type_: str, letter: str) -> Granted:
    by = pens.granted()
    pens.must_write(by, type_, letter)
    return by


def _answered(by: Granted, change: Change) -> Response:
    def act() -> Response:
        conn = connection()
        one: Written = pushing.one(conn, pens.pen_of(conn, by), change)
        return written.answer(conn, by, one)

    return again(act)


def again(act: Callable[[], Response]) -> Response:
    """What it gives; tried anew from the start where another transaction got in its way."""
    for left in reversed(range(TRIES)):
        try:
            return act()
        except (DBAPIError, psycopg.Error) as wrong:
            if not left or not isinstance(getattr(wrong, "orig", wrong), _AGAIN):
                raise
            abandon()
    raise AssertionError("the last try returns or raises")


def address(type_: str, id_: str, act: Act) -> ResourceKey:
    """The key of an address. Raises as what is not there is refused, for what is no id of ours."""
    try:
        return ResourceKey(UUID(id_ if len(id_) == 36 else ""))
    except ValueError:
        if act is Act.DELETE:
            raise NotFound(NO_SUCH) from None
        if parts().place.update_creates:
            raise Invalid(f"{type_}.id", "must be a UUID") from None
        raise ChoosesNoId("There is nothing at this id; something new is created by POST") from None


def seen(said: str | None = None) -> int | None:
    """The version that `If-Match` names; None where it names none. Raises `Invalid` for what is no version of ours."""
    text = (request.headers.get("If-Match", "") if said is None else said).strip()
    if not text:
        return None
    found = _VERSION.fullmatch(text)
    if found is None:
        raise Invalid("If-Match", 'must name the version that the client has seen, as W/"1"')
    return int(found[1])


def condition() -> str:
    """The criteria in the address. Raises `Invalid` without any: what it is about would be anything."""
    text = request.query_string.decode("utf-8", "replace")
    if not text:
        raise Invalid("address", "names neither an id nor a condition")
    return text


def none_exist(type_: str, said: str | None) -> str | None:
    """The criteria of `If-None-Exist`, also where they are written as a search; None where there are none."""
    if said is None:
        return None
    text = said.strip().removeprefix(type_).removeprefix("?")
    if not text:
        raise Invalid("If-None-Exist", "has no condition in it")
    return text
