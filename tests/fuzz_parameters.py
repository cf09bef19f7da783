"""Search parameters and values as no client should send them: known names in wrong forms, and values that are hard to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from hypothesis import strategies as st

from carelink.fhir.capability import RESOURCES

TYPES = tuple(sorted(RESOURCES))
Text = st.SearchStrategy[str]

NASTY = (
    "", " ", ",", "|", "||", "a|b|c", "%", "$", "\\", "\\,", "\0", "a\0b", "'", '"', "' or 1=1 --", "{}", "[]", "../..", "%00", "%ff",
    "\ud7ff", "\ufffe", "\U0010ffff", "\u202e", "ﷺ" * 20, "é" * 300, "null", "true", "NaN", "-0", "1e400", "-1e400", "1e-400", "9" * 400,
    "0x10", "1_000", "١٢٣", "2026-13-45", "0000-00-00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999-14:00", "2026-02-30", "T",
    "2026-11-24T25:61:61Z", "10000-01-01", "-2026", "24/11/2026", "eq", "ge", "ap2026-11-24", "ap0", "ap9999", "zz2026", "gtgt2026", "sa", "ne1e400",
    "Patient/", "Patient//", "Patient/x/_history/", "http://", "http://[::1", "urn:uuid:x", "urn:oid:1", "#a", "/", "https://x.example/Patient/1|2",
    "5.4|http://unitsofmeasure.org|mg", "|mg", "5.4||", "1|2|3|4|5", "lt|a|b", "a$b", "$", "a$b$c$", "*", "text/html", "Patient:subject", "*:*",
)  # fmt: skip
_nasty: Text = st.sampled_from(NASTY)
_words: Text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS: Text = st.one_of(st.integers(0, 99).map("{{{}}}".format), st.integers(0, 99).map("{{{}}}".format), st.sampled_from(["00000000-0000-0000-0000-000000000000", "1", "x", "-", "a" * 65, "A.b-C", "𝕏"]), _nasty)  # fmt: skip
_many: Text = st.sampled_from(["1," * 10_000, ",".join(f"v{n}" for n in range(10_000)), "," * 5000, "a" * 100_000])
_dates: Text = st.builds(
    "{}{}".format,
    st.sampled_from(["", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "xx"]),
    st.sampled_from(
        ["2026", "2026-11", "2026-11-24", "2026-11-24T12:00:00Z", "2026-11-24T12:00", "1", "0.1", "1e2", "-5"]
    ),
)
_tokens: Text = st.sampled_from(["active", "|active", "http://snomed.info/sct|", "http://snomed.info/sct|73211009", "final,amended", "https://fhir.nhs.uk/Id/nhs-number|9990000018"])  # fmt: skip
_references: Text = st.builds("{}{}".format, st.sampled_from(["", "", "Patient/", "Practitioner/", "Nonsense/", "http://localhost/fhir/R4/Patient/", "https://other.example/Patient/"]), IDS)  # fmt: skip
VALUES: Text = st.one_of(
    _references, _references, IDS, _dates, _tokens, _nasty, _words, st.integers(-(2**70), 2**70).map(str)
)
VALUES_OR_MANY: Text = st.one_of(VALUES, VALUES, VALUES, VALUES, VALUES, VALUES, VALUES, VALUES, VALUES, _many)

SHAPING = ("_count", "_sort", "_total", "_summary", "_elements", "_format", "_pretty", "_include", "_revinclude", "_include:iterate", "_revinclude:iterate", "_contained", "_containedType", "_page", "_since", "_at", "_type", "_outputFormat", "_typeFilter", "_query", "_filter", "_text", "_content", "_list", "_has", "_score", "_graph")  # fmt: skip
COMMON = (
    "_id",
    "_lastUpdated",
    "_tag",
    "_profile",
    "_security",
    "_source",
    "patient",
    "subject",
    "identifier",
    "date",
    "code",
)
OF_OPERATIONS = ("start", "end", "onlyCertainMatches", "count", "resource", "mode", "profile", "url", "system", "version", "filter", "offset", "target", "code", "coding", "conceptMap", "persona", "meta", "onlySingleMatch")  # fmt: skip
MODIFIERS = ("exact", "contains", "missing", "not", "text", "identifier", "of-type", "above", "below", "in", "not-in", "Patient", "Nonsense", "iterate", "", ":", "\0", "é", "Patient.name")  # fmt: skip
_OF_SHAPES: Mapping[str, Sequence[str]] = {
    "_count": ("-1", "0", "1", "500", "501", "1e9", "9" * 30, " 5", "٣", ""),
    "_sort": (
        "_lastUpdated",
        "-date",
        "--date",
        "date,-_lastUpdated",
        "-",
        ",",
        "nonsense",
        "date," * 500,
        "_id",
        "-_score",
    ),
    "_summary": ("true", "text", "data", "count", "false", "maybe", ""),
    "_total": ("none", "estimate", "accurate", "all"),
    "_format": (
        "json",
        "xml",
        "application/fhir+json",
        "application/fhir+xml",
        "ttl",
        "text/html",
        "application/fhir+json; fhirVersion=5.0",
    ),
    "_pretty": ("true", "false", "1", "x"),
    "_elements": ("id", "id,name", "identifier.value", ",", "*", "-", "a" * 500),
    "_type": ("Patient", "Patient,Condition", "Nonsense", "Patient," * 500),
    "_page": ("a.b.c", "x", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.BBBB.CCCC", "\0"),
}


@st.composite
def _included(draw: st.DrawFn) -> str:
    type_ = draw(st.sampled_from((*TYPES, "*", "Nonsense", "")))
    parameter = draw(st.sampled_from((*_names_of(type_), "patient", "*", "nonsense", "")))
    return f"{type_}:{parameter}" + draw(st.sampled_from(["", ":Patient", ":Nonsense", ":", ":*"]))


def _names_of(type_: str) -> tuple[str, ...]:
    rules = RESOURCES.get(type_)
    return tuple(one[0] for one in rules["parameters"]) if rules else ("_id",)


@st.composite
def _named(draw: st.DrawFn, type_: str) -> str:
    """The name of a parameter: known, with a modifier, chained, reversed, or nonsense."""
    known = st.sampled_from((*_names_of(type_), *COMMON, *OF_OPERATIONS))
    name = draw(known)
    how = draw(
        st.sampled_from(["plain", "plain", "plain", "modifier", "chain", "typed chain", "has", "deep has", "nonsense"])
    )
    other = draw(st.sampled_from(TYPES))
    if how == "modifier":
        return f"{name}:{draw(st.sampled_from(MODIFIERS))}"
    if how == "chain":
        return ".".join([name, *draw(st.lists(known, min_size=1, max_size=4))])
    if how == "typed chain":
        return f"{name}:{other}.{draw(known)}"
    if how == "has":
        return f"_has:{other}:{draw(known)}:{draw(known)}"
    if how == "deep has":
        return f"_has:{other}:{draw(known)}:" * draw(st.sampled_from([2, 3, 50])) + draw(known)
    return draw(st.one_of(_nasty, _words)) if how == "nonsense" else name


@st.composite
def _parameter(draw: st.DrawFn, type_: str) -> tuple[str, str]:
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(SHAPING))
        if "include" in name:
            return name, draw(_included())
        return name, draw(st.one_of(st.sampled_from(tuple(_OF_SHAPES.get(name, ("x",)))), VALUES))
    return draw(_named(type_)), draw(VALUES_OR_MANY)


@st.composite
def parameters(draw: st.DrawFn, type_: str) -> tuple[tuple[str, str], ...]:
    """A few parameters; more often than not one that says whose, so that something is really searched."""
    found = draw(st.lists(_parameter(type_), max_size=5))
    if draw(st.booleans()):
        found.append(("patient", draw(st.integers(0, 8).map("{{{}}}".format))))
    if draw(st.integers(0, 60)) == 0:
        found *= 50
    return tuple(found)


def encoded(pairs: Sequence[tuple[str, str]]) -> str:
    """As a browser writes it; ids stay as they are, to be filled in."""
    return "&".join(f"{quote(name, safe=':{}$')}={quote(value, safe='{}')}" for name, value in pairs)
