"""How far scopes reach: whose items they let be seen, and which of them; and what of that can't be kept to."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from carelink.identity.narrowing import ELEMENTS, path_of
from carelink.identity.reach import reach_of
from carelink.identity.scope_words import in_words
from carelink.identity.scopes import is_known, lessened, parsed
from carelink.ids import PersonKey

ANN = PersonKey(UUID(int=1))
HERS = {"patient": str(ANN)}

# scopes -> the types, what is narrowed, and whether to one person
REACH = [
    ("system/*.rs", None, None, False),
    ("user/*.rs patient/*.rs", None, None, False),
    ("user/Patient.rs", {"Patient"}, None, False),
    ("patient/*.rs", None, {"*": [HERS]}, True),
    ("patient/Condition.rs", {"Condition"}, {"Condition": [HERS]}, True),
    ("patient/Condition.rs user/Condition.rs", {"Condition"}, None, False),
    ("patient/*.rs user/Condition.rs", None, {"*": [HERS], "Condition": [{}]}, False),
    ("user/Patient.rs patient/Condition.rs", {"Patient", "Condition"}, {"Condition": [HERS], "Patient": [{}]}, False),
    ("system/*.cud", set(), None, False),
    ("openid launch/patient", set(), None, False),
]


@pytest.mark.parametrize(("scopes", "types", "narrowed", "confined"), REACH)
def test_scopes_reach_as_far_as_they_say(
    scopes: str, types: set[str] | None, narrowed: dict[str, object] | None, confined: bool
) -> None:
    found = reach_of(frozenset(scopes.split()), ANN)
    assert found.types == (None if types is None else frozenset(types))
    assert (json.loads(found.narrowed) if found.narrowed else None) == narrowed
    assert found.confined == (ANN if confined else None)


def test_scopes_of_a_context_give_nothing_without_one() -> None:
    found = reach_of(frozenset({"patient/*.rs"}), None)
    assert (found.types, found.narrowed) == (frozenset(), "")


def test_of_two_narrowed_scopes_either_is_enough_and_of_two_conditions_both_are_needed() -> None:
    two = reach_of(frozenset({"user/Observation.rs?category=laboratory", "user/Observation.rs?category=vital-signs"}))
    assert len(json.loads(two.narrowed)["Observation"]) == 2
    both = path_of("Observation", "category=laboratory&status=final")
    assert both is not None
    assert both.count("exists") == 2
    assert " && " in both


# what a scope may not be narrowed by
NOT_KEPT = [
    ("Observation", "value-quantity=5"),
    ("Observation", "category:not=laboratory"),
    ("Observation", "category="),
    ("Observation", "category=|"),
    ("Observation", "category=a,,b"),
    ("Observation", "category"),
    ("Observation", ""),
    ("Observation", "category=a&_id=1"),
    ("Observation", "category=a|b|c"),
    ("Observation", "category=a\\,b"),
    ("Observation", "status=http://x|final"),
    ("Patient", "gender=male"),
    ("*", "category=laboratory"),
]


@pytest.mark.parametrize(("type_", "query"), NOT_KEPT)
def test_what_can_t_be_kept_to_exactly_is_given_to_nobody(type_: str, query: str) -> None:
    assert path_of(type_, query) is None
    assert not is_known(f"user/{type_}.rs?{query}", "app")
    assert not is_known(f"system/{type_}.rs?{query}")


def test_a_value_stays_a_value_whatever_is_in_it() -> None:
    path = path_of("Condition", 'code=x") || (1==1')
    assert path is None or '\\"' in path


def test_writing_is_narrowed_by_nothing() -> None:
    assert parsed("system/Observation.cruds?category=laboratory") is None
    assert all(path_of(type_, f"{name}=x") for type_, known in ELEMENTS.items() for name in known)


@pytest.mark.parametrize("scope", ["patient/AuditEvent.rs", "user/Patient.cud", "system/Patient.rs", "patient/*.cruds"])
def test_an_app_is_given_none_of_these(scope: str) -> None:
    assert not is_known(scope, "app")


# what an app asks for -> what it is given
LESS = [
    ("patient/*.*", "patient/*.rs"),
    ("user/Condition.cruds", "user/Condition.rs"),
    ("user/Condition.cr", "user/Condition.r"),
    ("patient/*.write", ""),
    ("patient/*.read", "patient/*.read"),
    ("openid", "openid"),
    ("system/*.cruds", "system/*.cruds"),
]


@pytest.mark.parametrize(("asked", "given"), LESS)
def test_an_app_that_would_write_is_given_the_reading(asked: str, given: str) -> None:
    assert lessened(asked) == given


def test_what_is_asked_is_said_in_words() -> None:
    said = in_words(["patient/MedicationRequest.rs", "user/*.rs", "user/Allergy.x", "openid", "fhirUser", "nonsense"])
    assert said == (
        "Read medication requests of the one person whom you choose",
        "Read everything that you may see of everybody whose record you may open",
        "Know who you are",
    )
