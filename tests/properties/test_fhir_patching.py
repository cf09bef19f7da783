"""Patches undone by their inverses give back what was there, to the digit; and what can't be done changes nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from carelink.errors import CareLinkError
from carelink.fhir.patching import JSON_PATCH, patched
from fhir_adapters import exact_json
from fhir_adapters.exact_json import ExactDecimal

PARAMETERS = "application/fhir+json"
NAMES = st.sampled_from(("a", "b", "c/d", "e~f"))
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=3), st.sampled_from(("1.0", "1.00", "2e1")).map(ExactDecimal)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=12,
)  # fmt: skip
BODIES = st.dictionaries(NAMES, VALUES, max_size=4).map(lambda one: {"resourceType": "Basic", "id": "1", **one})


def text(value: Any) -> bytes:
    return exact_json.dumps(value)


def pointers(value: Any, here: str = "") -> list[str]:
    """All places in it, the deepest last."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [(f"{here}/{str(name).replace('~', '~0').replace('/', '~1')}", one) for name, one in inner]
    return [path for path, _ in below] + [path for at, one in below for path in pointers(one, at)]


def at(value: Any, path: str) -> Any:
    for name in path.split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def by_json(body: Any, *operations: Any) -> Any:
    return patched(body, list(operations), JSON_PATCH)


@given(BODIES, VALUES, st.data())
def test_what_is_replaced_and_replaced_back_is_as_before(body: Any, value: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([one for one in pointers(body) if one not in ("/resourceType", "/id")] or [""]))
    if path:
        changed = by_json(body, {"op": "replace", "path": path, "value": value})
        assert text(at(changed, path)) == text(value)
        assert text(by_json(changed, {"op": "replace", "path": path, "value": at(body, path)})) == text(body)


@given(BODIES, VALUES)
def test_what_is_added_and_removed_is_as_before(body: Any, value: Any) -> None:
    changed = by_json(body, {"op": "add", "path": "/new", "value": value})
    assert text(by_json(changed, {"op": "remove", "path": "/new"})) == text(body)


@given(BODIES, st.data())
def test_what_is_moved_away_and_back_is_as_before(body: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([one for one in pointers(body) if one not in ("/resourceType", "/id")] or [""]))
    if path:
        changed = by_json(body, {"op": "move", "from": path, "path": "/new"})
        assert text(by_json(changed, {"op": "move", "from": "/new", "path": path})) == text(body)


OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "shake"))},
    optional={"path": st.sampled_from(("", "/a", "/a/0", "/a/-", "/b/a", "/id", "x", "/c~1d")), "from": st.sampled_from(("", "/a", "/b", "/b/a")), "value": VALUES},
)  # fmt: skip


@given(BODIES, st.lists(OPERATIONS, max_size=6))
def test_whatever_is_asked_the_body_stays_and_an_error_is_one_of_ours(body: Any, operations: Any) -> None:
    before = text(body)
    try:
        made = by_json(body, *operations)
    except CareLinkError:
        made = body
    assert (made["resourceType"], made["id"]) == ("Basic", "1")
    assert text(body) == before


# FHIRPath Patch -------------------------------------------------------------------------------------

WORDS = st.text("abc", min_size=1, max_size=3)
PEOPLE = st.builds(
    lambda names, born: {"resourceType": "Patient", "id": "1", "birthDate": born, "name": names},
    st.lists(st.builds(lambda given, family: {"given": given, "family": family}, st.lists(WORDS, min_size=1, max_size=3), WORDS), min_size=1, max_size=3),
    st.sampled_from(("1950", "1950-02")),
)  # fmt: skip


def operation(type_: str, path: str, **parts: Any) -> dict[str, Any]:
    said = {"type": {"valueCode": type_}, "path": {"valueString": path}, **parts}
    patch = [{"name": "operation", "part": [{"name": name, **one} for name, one in said.items()]}]
    return {"resourceType": "Parameters", "parameter": patch}


@given(PEOPLE, WORDS, st.data())
def test_what_is_inserted_and_deleted_is_as_before(body: Any, word: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(body["name"]) - 1))
    index = data.draw(st.integers(0, len(body["name"][number]["given"])))
    path = f"Patient.name[{number}].given"
    more = operation("insert", path, index={"valueInteger": index}, value={"valueString": word})
    changed = patched(body, more, PARAMETERS)
    assert changed["name"][number]["given"][index] == word
    assert patched(changed, operation("delete", f"{path}[{index}]"), PARAMETERS) == body


@given(PEOPLE, st.data())
def test_what_is_moved_in_a_list_and_back_is_as_before(body: Any, data: st.DataObject) -> None:
    source, destination = (data.draw(st.integers(0, len(body["name"]) - 1)) for _ in range(2))
    there = {"source": {"valueInteger": source}, "destination": {"valueInteger": destination}}
    back = {"source": {"valueInteger": destination}, "destination": {"valueInteger": source}}
    changed = patched(body, operation("move", "Patient.name", **there), PARAMETERS)
    assert patched(changed, operation("move", "Patient.name", **back), PARAMETERS) == body


@given(PEOPLE, st.text("Patient.name[]()'=0 $%`where", max_size=40), st.sampled_from(("delete", "replace", "add")))
def test_any_path_is_understood_or_refused(body: Any, path: str, act: str) -> None:
    before = text(body)
    parts = {"name": {"valueString": "family"}, "value": {"valueString": "x"}}
    with suppress(CareLinkError):
        patched(body, operation(act, path, **parts), PARAMETERS)
    assert text(body) == before
