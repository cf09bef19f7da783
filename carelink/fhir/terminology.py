"""/fhir/R4/CodeSystem, ValueSet and ConceptMap: the small ones that come with CareLink and its place pack.

About nobody, so no lens decides what is told; a token is needed all the same, with a scope for the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, Flask, Response, current_app, request

from carelink.errors import Invalid, NotFound
from carelink.fhir import asking, bearer, bundle, operation_body
from carelink.fhir import terminology_bodies as bodies
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.place import Place
from carelink.record.terminology import CodeSystem, ConceptMap, NotCarried, Terminology, ValueSet, expanded
from carelink.record.terminology_shipped import shipped
from carelink.web.session import at
from fhir_adapters import exact_json

SYSTEM, SET, MAP = "CodeSystem", "ValueSet", "ConceptMap"
MOST = 1000  # codes of one answer
_CODING = ("Coding", "CodeableConcept")
_LOOKUP = ("code", "system", "coding", "version", "date", "displayLanguage", "property")
_EXPAND = (
    "url",
    "filter",
    "offset",
    "count",
    "valueSetVersion",
    "displayLanguage",
    "includeDesignations",
    "activeOnly",
)
_TRANSLATE = ("url", "code", "system", "coding", "codeableConcept", "source", "target", "targetsystem", "reverse")
_Json = Mapping[str, Any]

blueprint = Blueprint("fhir_terminology", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


def install(app: Flask, place: Place) -> None:
    """Read what the place has once."""
    app.extensions["carelink.terminology"] = shipped(place)


def here() -> Terminology:
    """What the application that answers this request has."""
    made: Terminology = current_app.extensions["carelink.terminology"]
    return made


def capabilities() -> bytes:
    """The body of `metadata?mode=terminology`."""
    told = bodies.capabilities(endpoint().base, version("carelink"), at().isoformat(), here())
    return exact_json.dumps(told)


@blueprint.get("/<any(CodeSystem, ValueSet, ConceptMap):type_>/<string:id_>")
def read(type_: str, id_: str) -> Response:
    """One of them by its id."""
    bearer.lens(type_)
    return _answer(_body(_named(type_, id_)))


@blueprint.get("/<any(CodeSystem, ValueSet, ConceptMap):type_>")
def find(type_: str) -> Response:
    """Those of that type, by `url` or `_id`."""
    bearer.lens(type_)
    return _found(type_, list(request.args.items(multi=True)))


@blueprint.post("/<any(CodeSystem, ValueSet, ConceptMap):type_>/_search")
def find_by_form(type_: str) -> Response:
    """The same, asked in the body."""
    bearer.lens(type_)
    return _found(type_, bearer.in_body())


@blueprint.route("/CodeSystem/$lookup", methods=["GET", "POST"])
def lookup() -> Response:
    """What a code means."""
    bearer.lens(SYSTEM)
    asked, coded = _asked(_LOOKUP)
    system, code = coded[0] if coded else (asked.get("system", ""), asked.get("code", ""))
    if not system or not code:
        raise Invalid("code", "say which: system and code, or a coding")
    return _answer(bodies.looked_up(*here().lookup(system, code)))


@blueprint.route("/ValueSet/$expand", methods=["GET", "POST"])
def expand() -> Response:
    """The codes of a value set."""
    bearer.lens(SET)
    asked, _ = _asked(_EXPAND)
    if not asked.get("url"):
        raise Invalid("url", "say which value set: its url")
    return _expanded(asked)


@blueprint.route("/ValueSet/<string:id_>/$expand", methods=["GET", "POST"])
def expand_one(id_: str) -> Response:
    """The codes of that value set."""
    bearer.lens(SET)
    asked, _ = _asked(_EXPAND)
    return _expanded({**asked, "url": _named(SET, id_).url})


@blueprint.route("/ConceptMap/$translate", methods=["GET", "POST"])
def translate() -> Response:
    """What a word of a source's table is in published codes, by any map or that of `url`."""
    bearer.lens(MAP)
    asked, coded = _asked(_TRANSLATE)
    return _translated(asked, coded)


@blueprint.route("/ConceptMap/<string:id_>/$translate", methods=["GET", "POST"])
def translate_by_one(id_: str) -> Response:
    """The same, by that map."""
    bearer.lens(MAP)
    asked, coded = _asked(_TRANSLATE)
    return _translated({**asked, "url": _named(MAP, id_).url}, coded)


_Of = CodeSystem | ValueSet | ConceptMap
_ALL: Mapping[str, Callable[[Terminology], Iterable[_Of]]] = {
    SYSTEM: lambda has: has.systems.values(),
    SET: lambda has: has.sets.values(),
    MAP: lambda has: has.maps.values(),
}


def _body(one: _Of) -> bodies.Json:
    if isinstance(one, CodeSystem):
        return bodies.code_system(one)
    return bodies.value_set(one) if isinstance(one, ValueSet) else bodies.concept_map(one)


def _named(type_: str, id_: str) -> _Of:
    found = next((one for one in _ALL[type_](here()) if one.id == id_), None)
    if found is None:
        raise NotFound("There is no such resource, or you may not see it")
    return found


def _found(type_: str, given: Given) -> Response:
    wanted = {name: set(value.split(",")) for name, value in given if name in ("url", "_id")}
    for name, _ in given:
        if name not in ("url", "_id", *asking.SHARED):
            raise Invalid(name[:100], f"not a search parameter of {type_} here; known are _id, url")
    named = [one for one in _ALL[type_](here()) if one.url in wanted.get("url", (one.url,))]
    found = [one for one in named if one.id in wanted.get("_id", (one.id,))]
    base = endpoint().base
    entries = [bundle.entry(base, type_, one.id, exact_json.dumps(_body(one)).decode()) for one in found]
    return bearer.answer(bundle.joined(entries, f"{base}/{type_}?{urlencode(list(given))}", "", len(found)))


def _asked(known: Sequence[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The parameters by their names, and the codings among them. Raises `Invalid` for one that is not known."""
    plain = dict(request.args.items())
    coded: list[tuple[str, str]] = []
    if request.method == "POST":
        sent = operation_body.in_body()
        coded = [one for each in sent if each.kind in _CODING for one in _codings(each)]
        plain |= dict(operation_body.as_given(tuple(one for one in sent if one.kind not in _CODING)))
    for name in plain:
        if name not in (*known, *asking.SHARED):
            raise Invalid(name[:100], f"is not a parameter of this operation here; known are {', '.join(known)}")
    return plain, coded


def _codings(sent: operation_body.Sent) -> list[tuple[str, str]]:
    value = sent.value if isinstance(sent.value, dict) else {}
    listed = value.get("coding") if sent.kind == "CodeableConcept" else [value]
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not found or not all(isinstance(one.get(part, ""), str) for one in found for part in ("system", "code")):
        raise Invalid(sent.place, "must name a system and a code")
    return [(one.get("system", ""), one.get("code", "")) for one in found]


def _expanded(asked: _Json) -> Response:
    offset, count = _number(asked, "offset", 0), min(_number(asked, "count", MOST), MOST)
    value_set = here().value_set(asked["url"])
    found = expanded(value_set, asked.get("filter", ""))
    return _answer(bodies.expansion(value_set, found, offset, count, at().isoformat(), str(uuid4())))


def _number(asked: _Json, name: str, usual: int) -> int:
    text = asked.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid(name, "must be a whole number from 0 to 999999")
    return int(text)


def _translated(asked: _Json, coded: Sequence[tuple[str, str]]) -> Response:
    maps: Iterable[ConceptMap] = [here().concept_map(asked["url"])] if asked.get("url") else here().maps.values()
    words = list(coded) or [(asked.get("system", ""), asked.get("code", ""))]
    if not all(code for _, code in words):
        raise Invalid("code", "say which: a code, a coding or a codeableConcept")
    reverse = asked.get("reverse", "false") == "true"
    found = [
        one
        for system, code in words
        for one in here().translated(maps, system, code, asked.get("targetsystem", ""), reverse=reverse)
    ]
    if not found and reverse:
        _check_carried(words)
    return _answer(bodies.translated(found, reverse=reverse))


def _check_carried(words: Sequence[tuple[str, str]]) -> None:
    """Of a code system that no map of ours speaks of, nothing can be said."""
    targets = {meant.system for one in here().maps.values() for meant in one.meant}
    for system, _ in words:
        if system and system not in targets:
            raise NotCarried(
                f"No map of this server speaks of that code system; they speak of {', '.join(sorted(targets))}"
            )


def _answer(body: bodies.Json) -> Response:
    return bearer.answer(exact_json.dumps(body))
