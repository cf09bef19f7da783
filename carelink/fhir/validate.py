"""/fhir/R4/[type]/$validate: all that is right and wrong in a resource, by FHIRPath (FHIR R4 Resource-operation-validate).

Nothing is stored, and nothing is said of other data: of what is sent only itself is looked at, and what is stored is read
under the lens like any other read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.errors import Invalid, NotFound
from carelink.fhir import bearer, operation_body, outcome, searched, sent
from carelink.fhir.endpoint import ROOT
from carelink.ids import ResourceKey
from carelink.record import search, validating
from carelink.record.differences import not_in_r4
from carelink.record.validating import Issue
from carelink.record.validation_shapes import model_of
from carelink.web.transaction import connection
from fhir_adapters import exact_json

PARAMETERS = "Parameters"
MODES = ("create", "update", "delete", "profile")  # http://hl7.org/fhir/resource-validation-mode
_KNOWN: Mapping[str, str] = {"resource": "resource", "mode": "Code", "profile": "Uri"}
_SHAPING = frozenset({"_format", "_pretty"})
_STORED = f"<any({', '.join(('Patient', *searched.TYPES))}):type_>/<uuid:key>/$validate"

blueprint = Blueprint("fhir_validate", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@dataclass(frozen=True)
class _Asked:
    """What is to be looked at, and for what."""

    resource: Mapping[str, Any] | None
    mode: str = ""
    profile: str = ""


@blueprint.post("/<type_>/$validate")
def of_type(type_: str) -> Response:
    """What is wrong in the resource that was sent; it need not be fit to be stored."""
    if model_of(type_) is None or not_in_r4(type_):
        raise NotFound("There is nothing at this address; GET [base]/metadata says what there is")
    bearer.may_validate(type_)
    asked = _sent(type_)
    if asked.resource is None:
        raise Invalid(f"{PARAMETERS}.parameter", "must have the resource that is to be looked at, as `resource`")
    return _told(type_, asked, asked.resource)


@blueprint.post(f"/{_STORED}")
def of_one(type_: str, key: UUID) -> Response:
    """What would be wrong in the resource that was sent as the next version of this one; or, without one, in this one."""
    lens = bearer.lens(type_)
    row = search.get(connection(), lens, type_, ResourceKey(key))
    asked = _sent(type_)
    if asked.resource is None:
        return _told(type_, asked, exact_json.loads(row.body))
    if asked.resource.get("id") != str(key):
        return _answer((Issue("error", "invariant", f"{type_}.id", f"Give it the id in the address: {key}"),))
    return _told(type_, asked, asked.resource)


@blueprint.get(f"/{_STORED}")
def of_stored(type_: str, key: UUID) -> Response:
    """What is wrong in this one, as it may be seen."""
    lens = bearer.lens(type_)
    row = search.get(connection(), lens, type_, ResourceKey(key))
    return _told(type_, _given(_Asked(None)), exact_json.loads(row.body))


def _sent(type_: str) -> _Asked:
    """The resource by itself, or within Parameters; without a body there is none. Raises `Invalid`."""
    if not request.get_data():
        return _given(_Asked(None))
    body = sent.resource(type_, PARAMETERS)
    if body["resourceType"] != PARAMETERS or type_ == PARAMETERS:
        return _given(_Asked(body))
    parameters = tuple(_as_uri(one) for one in operation_body.parameters(body))
    given = operation_body.once(parameters, _KNOWN)
    said = {name: given[name].value for name in given}
    resource = said.get("resource")
    if resource is not None and (not isinstance(resource, Mapping) or resource.get("resourceType") != type_):
        raise Invalid(given["resource"].place, f"must be a resource of type {type_}")
    for name in ("mode", "profile"):
        if not isinstance(said.get(name, ""), str):
            raise Invalid(given[name].place, "must be a text")
    return _given(_Asked(resource, said.get("mode", ""), said.get("profile", "")))


def _as_uri(one: operation_body.Sent) -> operation_body.Sent:
    """R4 has the profile as a uri; later releases as a canonical, and clients send either."""
    return replace(one, kind="Uri") if one.name == "profile" and one.kind == "Canonical" else one


def _given(asked: _Asked) -> _Asked:
    """With what stands in the address. Raises `Invalid` for a parameter or a mode that is not known."""
    for name in request.args:
        if name not in _SHAPING | {"mode", "profile"}:
            raise Invalid(name[:100], "is not a parameter of this operation; known are resource, mode and profile")
    asked = replace(
        asked,
        mode=asked.mode or request.args.get("mode", ""),
        profile=asked.profile or request.args.get("profile", ""),
    )
    if asked.mode and asked.mode not in MODES:
        raise Invalid("mode", f"must be one of {', '.join(MODES)}")
    if asked.mode == "profile" and not asked.profile:
        raise Invalid("profile", "must be given with the mode `profile`")
    return asked


def _told(type_: str, asked: _Asked, resource: Mapping[str, Any]) -> Response:
    if asked.mode == "delete":
        words = "Nothing in a resource keeps it from being deleted; whether this client may is seen when it asks for it"
        return _answer((Issue("information", "informational", type_, words),))
    found = validating.issues(type_, resource, asked.profile)
    if asked.mode == "update" and "id" not in resource:
        found = (Issue("error", "required", f"{type_}.id", "Give the id of the resource that is updated"), *found)
    return _answer(found)


def _answer(found: tuple[Issue, ...]) -> Response:
    """200 whatever was found: that is the answer (R4: the operation succeeded)."""
    said = (outcome.issue(one.severity, one.code, one.words, one.place) for one in found)
    return bearer.answer(outcome.outcome(*said))
