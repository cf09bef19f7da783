"""Requests of the FHIR API as no client should send them, drawn from its own routes and from what it says of itself.

A request is a value that can be printed. Where it names something that is stored, or was made by an earlier request, it
says which by a number, which is looked up when it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fuzz_bodies import bodies
from fuzz_parameters import IDS, TYPES, parameters
from hypothesis import strategies as st
from werkzeug.routing import AnyConverter, IntegerConverter, Map, Rule

from carelink.fhir.capability import RESOURCES

PREFIXES = ("/fhir/", "/oauth2/", "/cds-services", "/.well-known/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY")


@dataclass(frozen=True)
class Draft:
    """A request, but for what its numbers mean. `{n}` in the path or a value is the n-th id that is known."""

    method: str
    path: str
    endpoint: str
    query: tuple[tuple[str, str], ...] = ()
    raw_query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    who: str = "all"


class Known:
    """The ids of what is stored, by type; those that requests make are added."""

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = {}

    def add(self, type_: str, id_: str) -> None:
        self._ids.setdefault(type_, []).append(id_)

    def id(self, type_: str, number: int) -> str:
        """One of that type; of people where no type is said, or none of it is known."""
        here = self._ids.get(type_) or self._ids["Patient"]
        return here[number % len(here)]


# Headers --------------------------------------------------------------------------------------------

MEDIA = ("application/fhir+json", "application/json", "application/fhir+xml", "application/xml", "application/json-patch+json", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "text/html", "*/*", "", "x", "application/fhir+json; charset=utf-16", "application/fhir+json; fhirVersion=4.0", ";;;", "application/fhir+ndjson", "a/b;q=1e400")  # fmt: skip
_HEADERS: Mapping[str, Sequence[str]] = {
    "Accept": MEDIA,
    "Prefer": ("respond-async", "respond-async, handling=lenient", "handling=strict", "handling=lenient", "return=minimal", "return=representation", "return=OperationOutcome", "return=", "=", ";;", "x" * 5000),
    "If-Match": ('W/"1"', '"1"', "*", "1", 'W/"99999999999999999999999"', 'W/""', "x", 'W/"1", W/"2"'),
    "If-None-Match": ('W/"1"', "*", '"', 'W/"x"'),
    "If-Modified-Since": ("Tue, 24 Nov 2026 11:20:00 GMT", "yesterday", "0", "Tue, 24 Nov 99999 11:20:00 GMT"),
    "If-None-Exist": ("identifier=x|y", "", "?", "_id={0}", "nonsense=1", "identifier=" + "a" * 3000, "%ff", "a&b&c"),
    "Accept-Encoding": ("gzip", "gzip;q=0", "x;q=y", ""),
    "Content-Encoding": ("gzip", "br", "x"),
    "Range": ("bytes=0-1", "bytes=5-", "x"),
    "X-Forwarded-Host": ("evil.example",),
    "Content-Length": ("0",),
    "Cookie": ("session=x", "session=" + "a" * 3000),
    "X-HTTP-Method-Override": ("DELETE",),
    "Origin": ("https://evil.example", "null"),
}  # fmt: skip
_headers = st.lists(
    st.sampled_from(tuple(_HEADERS)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(tuple(_HEADERS[name])))
    ),
    max_size=3,
)
WHO = (*["all"] * 12, "lead", "lead", "some", "none", "stranger")
BROKEN = (
    "Bearer",
    "Bearer x",
    "Bearer a.b.c",
    "Basic",
    "Basic !!!",
    "Basic /w==",
    "Bearer \xff",
    "x",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Basic Og==",
)


# What some routes need to do anything at all.
GOOD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "fhir_terminology.lookup": (("system", "https://carelink.example/CodeSystem/alert"), ("code", "legal")),
    "fhir_terminology.expand": (("url", "https://carelink.example/ValueSet/hiv"), ("count", "3")),
    "fhir_terminology.translate": (("code", "sg"),),
    "fhir_terminology.translate_by_one": (("code", "sg"),),
    "fhir_search.find": (("patient", "{Patient.0}"),),
    "fhir_audit.find": (("date", "ge2026-01-01"),),
}

# Behind these there is most to go wrong.
OFTEN: Mapping[str, int] = {
    "fhir_search.find": 12,
    "fhir_search.find_by_form": 4,
    "fhir_batches.take": 8,
    "fhir_writes.create": 4,
    "fhir_writes.update": 4,
    "fhir_patches.patch": 4,
    "fhir_validate.of_type": 3,
}

# A request ------------------------------------------------------------------------------------------


def rules(map_: Map) -> list[Rule]:
    """The routes that systems ask, as the application has them."""
    return [rule for rule in map_.iter_rules() if rule.rule.startswith(PREFIXES)]


@st.composite
def drafts(draw: st.DrawFn, asked: Sequence[Rule], examples: Sequence[Any]) -> Draft:
    """A request of one of these routes: with everything wrong, or one part of it, so that what is behind it is reached."""
    often = [rule for rule in asked for _ in range(OFTEN.get(rule.endpoint, 1))]
    rule, type_ = draw(st.sampled_from(often)), draw(st.sampled_from(TYPES))
    broken = draw(
        st.sampled_from(["path", "query", "query", "query", "headers", "body", "body", "body", "all", *["nothing"] * 4])
    )
    path = _path(draw, rule, type_, broken in ("path", "all"))
    type_ = next((part for part in path.split("/") if part in RESOURCES), type_)
    allowed = tuple(sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})) or ("GET",)
    method = draw(st.sampled_from(allowed * 60 + METHODS))
    query, raw = _query(draw, rule.endpoint, type_, broken in ("query", "all"))
    body, fits = b"", ""
    if method in ("POST", "PUT", "PATCH", "DELETE", "QUERY"):
        body, fits = draw(bodies(method, path, examples, type_, broken in ("body", "all")))
    headers = _headers_of(draw, path, fits, broken in ("headers", "all"))
    who = draw(st.sampled_from(WHO))
    return Draft(method, path, rule.endpoint, query, raw, tuple(headers.items()), body, who)


def _query(draw: st.DrawFn, endpoint: str, type_: str, broken: bool) -> tuple[tuple[tuple[str, str], ...], str]:
    if not broken:
        whose = (("patient", f"{{Patient.{draw(st.integers(0, 8))}}}"),)
        usual = GOOD.get(endpoint, ())
        return draw(st.sampled_from([usual, usual, usual, whose])), ""
    return draw(parameters(type_)), draw(st.sampled_from([*[""] * 8, "%ff=%fe", "a=%", "&&&=", "_count=1&_count=2", ";", "%00=%00", "a" * 3000, "="]))  # fmt: skip


def _headers_of(draw: st.DrawFn, path: str, fits: str, broken: bool) -> dict[str, str]:
    headers = {"Content-Type": fits} if fits else {}
    if not broken and "$export" in path:
        return headers | {"Prefer": "respond-async"}
    if not broken:
        return headers | draw(st.sampled_from([{}, {}, {"If-Match": 'W/"1"'}, {"Prefer": "handling=lenient"}]))
    headers |= dict(draw(_headers))
    if fits:
        headers["Content-Type"] = draw(st.sampled_from((fits, *MEDIA)))
    if draw(st.integers(0, 3)) == 0:
        headers["Authorization"] = draw(st.sampled_from(BROKEN))
    return headers


def _path(draw: st.DrawFn, rule: Rule, type_: str, broken: bool) -> str:
    """The address, with each variable part as it should be, or not."""
    text = here = ""
    for is_variable, part in rule._trace:
        said = _part(draw, rule, str(part), here, type_, broken) if is_variable else str(part)
        here = said if said.isalpha() else here  # of which type an id that follows is
        text += said
    if not broken:
        return text.lstrip("|")
    tail = draw(st.sampled_from([""] * 40 + ["/", "//", "/x", "%00", "%ff", "/..", ";a=b"]))
    return text.lstrip("|") + tail


def _part(draw: st.DrawFn, rule: Rule, variable: str, here: str, type_: str, broken_: bool) -> str:
    converter, known = rule._converters[variable], st.integers(0, 99).map(lambda number: f"{{{here}.{number}}}")
    good: st.SearchStrategy[str] = st.just(type_) if "type" in variable else known
    if isinstance(converter, AnyConverter):
        likely = [
            one
            for one in ("Patient", "Condition", "Observation", "Encounter", "Consent", "Flag")
            if one in converter.items
        ]
        good = st.sampled_from((*sorted(converter.items), *likely * 6))
    elif isinstance(converter, IntegerConverter):
        good = st.sampled_from(["1", "2"])
    bad = st.one_of(
        IDS.map(lambda text: quote(text, safe="{}.")),
        st.sampled_from(["0", "-1", "9" * 23, "Nonsense", "1e3", "patient"]),
    )
    return draw(st.one_of(good, bad) if broken_ else good)


_PLACE = re.compile(r"\{([A-Za-z]*)\.?(\d+)\}")


def filled(text: str, known: Known) -> str:
    """With the ids that its numbers mean."""
    return _PLACE.sub(lambda found: known.id(found[1], int(found[2])), text) if "{" in text else text
