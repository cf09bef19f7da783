"""The worked examples of docs/consent.md are what the decision answers in the example place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from docs_reading import CODE_WORD, page, part, tables

from carelink.consent.compiling import compile_consent
from carelink.consent.facts import Facts, Labelled, Related
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.consent.sensitivity import sensitivities
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

ANN = PersonKey(UUID(int=1))
LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
NOW = datetime.fromisoformat("2026-11-24T12:00:00+00:00")
INVOLVED = (
    Related("caseload", Ods("901"), LONG_AGO, user=UserId("sam.okafor")),
    Related("encounter", Ods("RDV"), LONG_AGO),
    Related("registered-practice", Ods("P81001"), LONG_AGO),
)


@dataclass(frozen=True)
class Told:
    """One row: who looks for what, at which item (custodian, category, sensitivities), and the answer."""

    provision: dict[str, Any]
    who: str
    purpose: str
    item: tuple[str, ...]
    shown: str
    rule: str

    def __str__(self) -> str:
        return f"{self.who} {self.purpose} {' '.join(self.item)}"


def examples() -> Iterator[Told]:
    said = part(page("consent.md"), "### Two examples")
    provisions = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", said, re.DOTALL)]
    for provision, table in zip(provisions, tables(said), strict=True):
        for who, purpose, item, shown, rule, _ in table:
            yield Told(
                provision, who.strip("`"), purpose.strip("`"), tuple(CODE_WORD.findall(item)), shown, rule.strip("`")
            )


def decided(place: Place, one: Told) -> tuple[str, str]:
    worker = place.staff[UserId(one.who)]
    kind = place.organisations[worker.organisation].type
    asks = Requester(worker.id, worker.name, worker.organisation, kind, worker.role, one.purpose, worker.team)
    custodian, category, *named = one.item
    item = Labelled(ANN, Ods(custodian), category, sensitivities(place).mask(named))
    compiled = compile_consent({"status": "active", "provision": one.provision}, place)
    assert compiled.problems == ()
    answer = Lens.compile(place, asks, NOW).decide(item, Facts(related=INVOLVED, directed=compiled.directives))
    return ("no" if answer.effect is Effect.DENY else "yes"), answer.rule.id


def test_there_are_two_examples_with_rows_of_either_answer() -> None:
    found = list(examples())
    assert len({json.dumps(one.provision) for one in found}) == 2
    assert len(found) >= 12
    assert {one.shown for one in found} == {"yes", "no"}


@pytest.mark.parametrize("one", list(examples()), ids=str)
def test_a_row_of_the_examples_is_what_the_decision_answers(place: Place, one: Told) -> None:
    assert decided(place, one) == (one.shown, one.rule)
