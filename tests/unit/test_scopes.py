"""SMART scopes: what a client may read by them, and which of those asked for it is given."""

from __future__ import annotations

import pytest

from carelink.identity.reach import reach_of
from carelink.identity.scopes import granted, is_known, parsed

# scopes -> the types that they let a client read; None for all
READ = [
    ("system/Patient.rs", {"Patient"}),
    ("system/Patient.read", {"Patient"}),
    ("system/Patient.rs system/Condition.read", {"Patient", "Condition"}),
    ("system/*.rs", None),
    ("system/*.read", None),
    ("system/Patient.rs system/*.read", None),
    ("system/Consent.cu", set()),
    ("system/Patient.rs system/Consent.c", {"Patient"}),
    ("", set()),
    ("system/Nothing.rs patient/Condition.rs openid", set()),
    ("user/*.rs", None),
]


@pytest.mark.parametrize(("scopes", "types"), READ)
def test_scopes_name_the_types_that_they_let_a_client_read(scopes: str, types: set[str] | None) -> None:
    assert reach_of(frozenset(scopes.split())).types == (None if types is None else frozenset(types))


@pytest.mark.parametrize(
    "scope",
    ["system/Patient.sr", "system/Patient.", "system/Patient.rs?_id=1", "system/Element.rs", "system/*.crudx", "x"],
)
def test_a_scope_that_this_server_does_not_keep_to_the_letter_it_gives_to_nobody(scope: str) -> None:
    assert not is_known(scope)


# asked for, registered with -> granted
GRANTED = [
    ("system/Patient.rs", "system/*.rs", "system/Patient.rs"),
    ("system/Patient.read system/Patient.rs", "system/Patient.rs", "system/Patient.read system/Patient.rs"),
    ("system/Condition.rs system/Patient.rs", "system/Patient.rs", "system/Patient.rs"),
    ("system/*.rs", "system/Patient.rs", ""),
    ("system/*.read", "system/*.rs", "system/*.read"),
    ("system/Consent.c", "system/*.rs", ""),
    ("system/Consent.c", "system/*.cruds", ""),
    ("system/*.cu", "system/*.cruds", "system/*.cu"),
    ("system/Task.cud", "system/*.cu", ""),
    ("system/Task.write system/Task.cud", "system/*.cud", "system/Task.write system/Task.cud"),
    ("system/Patient.r", "system/Patient.rs", "system/Patient.r"),
    ("user/Patient.rs", "system/Patient.rs", ""),
    ("system/Consent.cu", "system/Consent.cu", "system/Consent.cu"),
    ("system/Patient.rs system/Patient.rs", "system/*.rs", "system/Patient.rs"),
]


@pytest.mark.parametrize(("asked", "registered", "given"), GRANTED)
def test_a_client_is_given_what_it_asks_for_of_what_it_is_registered_with(
    asked: str, registered: str, given: str
) -> None:
    assert " ".join(granted(asked.split(), registered.split())) == given


# scope, type, letter -> whether it is covered
COVERED = [
    ("system/*.cu", "Task", "c", True),
    ("system/*.cu", "Task", "d", False),
    ("system/*.cu", "Consent", "c", False),
    ("system/*.cruds", "AuditEvent", "r", True),
    ("system/*.cruds", "AuditEvent", "u", False),
    ("system/Consent.cu", "Consent", "u", True),
    ("system/Task.write", "Task", "d", True),
    ("system/Task.read", "Task", "c", False),
    ("system/Task.*", "Condition", "r", False),
]


@pytest.mark.parametrize(("scope", "type_", "letter", "covered"), COVERED)
def test_a_scope_for_any_type_covers_all_but_the_writing_of_what_changes_what_others_see(
    scope: str, type_: str, letter: str, covered: bool
) -> None:
    found = parsed(scope)
    assert found is not None
    assert found.allows(type_, letter) is covered
