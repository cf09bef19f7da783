"""Bodies as no client should send them: real resources with something wrong in them, and what is not JSON at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fuzz_parameters import IDS, OF_OPERATIONS, TYPES, VALUES, encoded, parameters
from hypothesis import strategies as st

from fhir_adapters.simulators.ehr import chart_opened

NUMBER = "9990000018"  # of somebody who is there

DEEP = 10_000
RAW: tuple[bytes, ...] = (
    b"", b"{", b"null", b"[]", b'"x"', b"1e400", b"\xff\xfe", b'{"resourceType":"Patient","resourceType":"Patient"}', b"\xef\xbb\xbf{}",
    b'{"resourceType":"Patient","id":"\xff"}', b'{"resourceType":"Patient","a":"\\ud800"}', b'{"resourceType":"Observation","valueQuantity":{"value":1e400}}',
    b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b'{"resourceType":"Patient","contact":' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"resourceType":"Questionnaire","item":[' + b'{"item":[' * 500 + b"]}" * 500 + b"]}",
    b'{"resourceType":"Patient","birthDate":"' + b"9" * 100_000 + b'"}', b'{"resourceType":"Patient","id":"\\u0000"}', b"<Patient/>",
    b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>', b'<Patient xmlns="http://hl7.org/fhir"><id value="x"/></Patient>',
    b"<a>" * DEEP + b"</a>" * DEEP, b"a=b&c=d", b"grant_type=", b"\0" * 1000, b'{"resourceType":"Nonsense"}', b'{"resourceType":["Patient"]}', b'{"resourceType":{}}', b'{"resourceType":null}',
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 10**400, 1.5, "", " ", "\0", "é", "x" * 10_000, [], {}, [None], [[]], [{}], {"a": None}, {"": ""}, ["a"] * 300,
    {"reference": "Patient/{0}"}, {"reference": "urn:uuid:x"}, {"reference": "#x"}, {"reference": 5}, {"reference": "Patient?identifier=a|b"}, {"extension": [{"url": "x"}]}, "2026-13-45", "{0}", {"div": "<div><script>"}, "1e400",
)  # fmt: skip
VERBS = ("add", "remove", "replace", "move", "copy", "test", "nonsense", 5, None)
POINTERS = (
    "",
    "/",
    "/id",
    "/name/0/family",
    "/name/-",
    "/name/99999999999",
    "/a~1b",
    "/~",
    "/meta/versionId",
    "/resourceType",
    "/status",
    "x",
    5,
    "/" + "a/" * 500,
)
PATHS = ("Patient", "Patient.name", "Patient.name[0]", "Patient.name.where(use='official')", "Condition.status", "Patient.id", "(", "1+", "%resource", "Patient.descendants()", "a.b.c", "Patient." + "repeat(children())." * 30 + "x", "")  # fmt: skip
KINDS = ("add", "insert", "delete", "replace", "move", "nonsense")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [one for name, inner in value.items() for one in _places(inner, (*path, name))]
    if isinstance(value, list):
        return found + [one for number, inner in enumerate(value) for one in _places(inner, (*path, number))]
    return found


def _changed(value: Any, path: tuple[Any, ...], how: str, junk: Any) -> Any:
    copy = json.loads(json.dumps(value))
    here = copy
    for step in path[:-1]:
        here = here[step]
    last = path[-1]
    if how == "drop":
        del here[last]
    elif how == "wrap":
        here[last] = [here[last]]
    elif how == "unwrap":
        here[last] = here[last][0] if isinstance(here[last], list) and here[last] else {"x": here[last]}
    elif how == "more" and isinstance(here, dict):
        here["nonsense"] = junk
    else:
        here[last] = junk
    return copy


@st.composite
def mutilated(draw: st.DrawFn, body: Any) -> Any:
    """The same with one or a few things wrong in it, or none."""
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        if not (places := _places(body)):
            break
        how = draw(st.sampled_from(["drop", "wrap", "unwrap", "junk", "junk", "junk", "more"]))
        body = _changed(body, draw(st.sampled_from(places)), how, draw(st.sampled_from(JUNK)))
    return body


@st.composite
def resources(draw: st.DrawFn, examples: Sequence[Any], type_: str = "", id_: str = "", broken: bool = True) -> Any:
    """A real resource, of that type where there is one; mostly with something wrong in it, at times under that id."""
    alike = [one for one in examples if one["resourceType"] == type_]
    body: Any = draw(st.sampled_from(alike or examples))
    if id_:
        body = {**body, "id": draw(st.sampled_from([id_] * 6 + ["x"]))}
    return draw(mutilated(body)) if broken else body


def _entry(method: str, url: str, body: Any = None) -> dict[str, Any]:
    request = {"method": method, "url": url}
    return {"request": request} if body is None else {"request": request, "resource": body}


def _created(examples: Sequence[Any]) -> st.SearchStrategy[Any]:
    """As it should be, but for what is wrong in the resource; under a name that others of the Bundle may refer to."""
    return resources(examples, broken=True).map(
        lambda body: {"fullUrl": f"urn:uuid:{UUID(int=7)}", **_entry("POST", _type_of(body), body)}
    )


def _updated(examples: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda body, number, method: _entry(method, f"{_type_of(body)}/{{{_type_of(body)}.{number}}}", body),
        resources(examples, broken=False),
        st.integers(0, 30),
        st.sampled_from(["PUT", "PUT", "DELETE", "PATCH", "GET"]),
    )


def _type_of(body: Any) -> str:
    kind = body.get("resourceType") if isinstance(body, dict) else None
    return kind if isinstance(kind, str) else "Patient"


_looked_up = st.builds(
    lambda type_, query: _entry("GET", f"{type_}?{encoded(query)}"), st.sampled_from(TYPES), parameters("Condition")
)


@st.composite
def bundles(draw: st.DrawFn, examples: Sequence[Any]) -> Any:
    one = st.fixed_dictionaries(
        {},
        optional={
            "fullUrl": st.sampled_from(["urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:x", "x", 5, "http://localhost/fhir/R4/Patient/{0}"]),
            "resource": st.one_of(resources(examples), st.sampled_from(JUNK)),
            "request": st.one_of(
                st.fixed_dictionaries(
                    {"method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "X", 5]), "url": st.one_of(st.builds("{}/{}".format, st.sampled_from(TYPES), IDS), st.sampled_from(["Patient", "Patient?identifier=x|y", "metadata", "$export", "", "http://x", "Patient/{0}/_history/1", "Patient?" + "a=b&" * 500]), VALUES)},
                    optional={"ifMatch": VALUES, "ifNoneExist": VALUES, "ifNoneMatch": VALUES, "ifModifiedSince": VALUES},
                ),
                st.sampled_from(JUNK),
            ),
        },
    )  # fmt: skip
    good = st.one_of(_created(examples), _updated(examples), _looked_up)
    entry = draw(
        st.one_of(st.lists(st.one_of(good, good, one), max_size=5), st.lists(good, max_size=5), st.sampled_from(JUNK))
    )
    return {
        "resourceType": "Bundle",
        "type": draw(st.sampled_from([*["batch", "transaction"] * 4, "message", "document", "x", 5])),
        "entry": entry,
    }


_valued = st.dictionaries(
    st.sampled_from(["valueString", "valueUri", "valueCode", "valueBoolean", "valueInteger", "valueReference", "valueCoding", "valueCodeableConcept", "valueInstant", "valueHumanName", "value", "resource", "part"]),
    st.one_of(VALUES, st.sampled_from(JUNK), st.fixed_dictionaries({"system": VALUES, "code": VALUES})),
    max_size=2,
)  # fmt: skip


@st.composite
def parameter_bodies(draw: st.DrawFn, examples: Sequence[Any]) -> Any:
    """Parameters of an operation, or a FHIRPath Patch."""
    named = st.builds(
        lambda name, value: {"name": name, **value},
        st.sampled_from((*OF_OPERATIONS, "_type", "_since", "patient", "operation", "", 5)),
        _valued,
    )
    whole = st.builds(lambda body: {"name": "resource", "resource": body}, resources(examples))
    patch = st.builds(
        lambda kind, path, value: {"name": "operation", "part": [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, {"name": "name", "valueString": "status"}, {"name": "value", "valueString": value}]},
        st.sampled_from(KINDS), st.sampled_from(PATHS), VALUES,
    )  # fmt: skip
    found = draw(st.one_of(st.lists(st.one_of(named, whole, patch), max_size=4), st.sampled_from(JUNK)))
    return {"resourceType": "Parameters", "parameter": found}


_json_patches = st.lists(
    st.fixed_dictionaries({}, optional={"op": st.sampled_from(VERBS), "path": st.sampled_from(POINTERS), "from": st.sampled_from(POINTERS), "value": st.sampled_from(JUNK)}),
    max_size=4,
)  # fmt: skip
_hooks = st.fixed_dictionaries(
    {},
    optional={
        "hook": st.one_of(st.just("patient-view"), VALUES),
        "hookInstance": st.one_of(st.just("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"), VALUES),
        "fhirServer": VALUES,
        "fhirAuthorization": st.sampled_from(JUNK),
        "context": st.one_of(
            st.fixed_dictionaries({"patientId": st.one_of(st.just("{0}"), VALUES), "userId": VALUES}),
            st.sampled_from(JUNK),
        ),
        "prefetch": st.sampled_from(JUNK),
    },
)
_forms = st.lists(
    st.tuples(
        st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "code", "code_verifier", "code_challenge", "code_challenge_method", "redirect_uri", "refresh_token", "client_assertion", "client_assertion_type", "token", "token_type_hint", "response_type", "state", "aud", "launch", "purpose_of_use", "resource", "nonce", "prompt"]),
        st.one_of(st.sampled_from(["client_credentials", "authorization_code", "refresh_token", "system/*.rs", "code", "S256", "ward", "nobody", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "http://localhost/x", "system/Patient.rs?_=%00", "openid fhirUser"]), VALUES),
    ),
    max_size=6,
)  # fmt: skip


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


# What a route is sent, by a part of its address; the first that fits.
_FITTING = (("_search", "form"), ("/oauth2", "form"), ("/cds-services", "hook"), ("$", "parameters"), ("{", "resource"))


@st.composite
def bodies(
    draw: st.DrawFn, method: str, path: str, examples: Sequence[Any], type_: str, broken: bool
) -> tuple[bytes, str]:
    """A body, and the media type that it fits; what is sent beside it may say otherwise."""
    how = _fitting(method, path)
    if draw(st.integers(0, 5)) == 0:
        how = draw(st.sampled_from(["form", "resource", "bundle", "parameters", "patch", "hook"]))
    if how == "form":
        pairs = draw(_forms if path.startswith("/oauth2") else parameters(type_))
        return encoded(pairs).encode(), "application/x-www-form-urlencoded"
    if broken and draw(st.integers(0, 7)) == 0:
        return draw(st.sampled_from(RAW)), "application/fhir+json"
    if how == "patch":
        return _encoded(draw(_json_patches)), "application/json-patch+json"
    id_ = path.rpartition("/")[2] if method == "PUT" and path.endswith("}") else ""
    whole = resources(examples, type_, id_, broken)
    made = {
        "resource": whole,
        "bundle": bundles(examples),
        "parameters": parameter_bodies(examples),
        "hook": st.one_of(_hooks, mutilated(chart_opened(NUMBER))),
    }
    body = _encoded(draw(made[how]))
    cut = broken and draw(st.integers(0, 9)) == 0
    return (body[: draw(st.integers(0, len(body)))] if cut else body), "application/fhir+json"


def _fitting(method: str, path: str) -> str:
    if method == "PATCH":
        return "patch"
    if path.rstrip("/").endswith("/R4"):
        return "bundle"
    return next((how for part, how in _FITTING if part in path), "resource")
