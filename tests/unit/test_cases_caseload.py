"""The order of a caseload and what of it is late."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from carelink.cases.banner import Banner
from carelink.cases.caseload import SORTS, Case, Due, arranged, next_due
from carelink.ids import PersonKey

TODAY = "2026-11-24"


def case(family: str, alerts: int = 0, due: Due | None = None, where: str = "") -> Case:
    name, key = f"Nora {family}", PersonKey(UUID(int=ord(family[0])))
    who = Banner(key, name, (family.lower(), "nora"), "", "", "", "", False, "", "", "")
    return Case(who, True, tuple(f"alert {number}" for number in range(alerts)), due, where)


CASES = [
    case("Young", alerts=2),
    case("Abel", due=Due("Review", "", late=False)),
    case("Moss", due=Due("Review", "2026-12-01", late=False), where="Ward 7"),
    case("Hart", alerts=1, due=Due("Review", "2026-11-01", late=True)),
]
ORDERS = [
    ("name", ["Abel", "Hart", "Moss", "Young"]),
    ("alerts", ["Young", "Hart", "Abel", "Moss"]),
    ("due", ["Hart", "Moss", "Abel", "Young"]),
    ("hospital", ["Moss", "Abel", "Hart", "Young"]),
    ("something else", ["Abel", "Hart", "Moss", "Young"]),
]


@pytest.mark.parametrize(("sort", "families"), ORDERS, ids=[sort for sort, _ in ORDERS])
def test_the_caseload_is_ordered_by_each_column_and_by_family_name_within(sort: str, families: list[str]) -> None:
    assert [one.banner.name.split()[1] for one in arranged(CASES, sort)] == families


def test_every_column_of_the_page_has_an_order_of_its_own_in_this_table() -> None:
    assert set(SORTS) == {sort for sort, _ in ORDERS} - {"something else"}


def task(name: str, by: str = "", status: str = "in-progress") -> dict[str, Any]:
    said: dict[str, Any] = {"resourceType": "Task", "status": status, "code": {"text": name}}
    return said | ({"restriction": {"period": {"end": by}}} if by else {})


DUES = [
    ([task("A", "2026-12-01"), task("B", "2026-11-30")], Due("B", "2026-11-30", late=False), "the first that is due"),
    ([task("A"), task("B", "2027-01-01")], Due("B", "2027-01-01", late=False), "a date before none"),
    ([task("A", "2026-11-23")], Due("A", "2026-11-23", late=True), "late after its day"),
    ([task("A", TODAY)], Due("A", TODAY, late=False), "not late on its day"),
    ([task("A", "2026-11")], Due("A", "2026-11", late=False), "not late in its month"),
    ([task("A", "2026-10")], Due("A", "2026-10", late=True), "late after its month"),
    ([task("A", "2026-01-01", "completed"), task("B")], Due("B", "", late=False), "what is done is not due"),
    ([task("A", "2026-01-01", "cancelled")], None, "nothing is open"),
    ([task("A", "2026-11-23T23:30:00Z")], Due("A", "2026-11-23", late=True), "a moment by its day"),
    ([], None, "nothing at all"),
]


@pytest.mark.parametrize(("tasks", "due", "why"), DUES, ids=[why for *_, why in DUES])
def test_the_next_due_task_is(tasks: list[dict[str, Any]], due: Due | None, why: str) -> None:
    assert next_due(tasks, TODAY) == due
