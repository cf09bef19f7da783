"""Pulls GP practices: person by person, a whole record a batch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from fhir_adapters.breaker import Breaker
from fhir_adapters.gp_connect.asking import headers, parameters, where
from fhir_adapters.gp_connect.going import Going, Person
from fhir_adapters.gp_connect.record import Mapped, map_record
from fhir_adapters.gp_connect.refusals import STATUSES, Refused, refused
from fhir_adapters.http import Client
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

NEVER = sys.maxsize  # each practice is a server of its own: which of them is left alone is counted here


class GpConnect:
    """A source over GP Connect Access Record Structured. Every pull asks about everyone: records have no change feed."""

    def __init__(self, settings: SourceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        for option, what in (("asids", "the ASID"), ("roots", "the service root")):
            if not isinstance(settings.options.get(option, {}), Mapping):
                raise SourceFailed(settings.name, f"options.{option} must name {what} of each practice by its ODS code")
        self.settings = settings
        self._clock = clock

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """The records of all `wanted` that have an NHS number, each at their own practice or else at the source's.

        People go in the order of their NHS numbers, so that whoever is added meanwhile moves nobody. An unfinished pull
        goes on after the cursor's person; a finished one, or one that nobody is left of, starts anew. Who can't be
        asked about keeps nobody else from it: that is raised as SourceFailed at the end, or when everything fails.
        """
        going = Going.on(cursor, self._people(wanted))
        started = self._clock()
        with Client(self.settings, breaker=Breaker(NEVER)) as client:
            for done, person in enumerate(going.left, start=going.people - len(going.left) + 1):
                if going.left_alone(person[1]):
                    continue
                try:
                    at = now + timedelta(seconds=self._clock() - started)  # a pull outlives a token's five minutes
                    answer = self._ask(client, person, at)
                except SourceFailed as failed:
                    going.failed(person[1], failed)
                else:
                    yield going.batch(answer, person, done)
        if line := going.line():
            if anew := going.anew():
                yield anew
            raise SourceFailed(self.settings.name, line)

    def _people(self, wanted: Sequence[Wanted]) -> list[Person]:
        """NHS number and practice of each, once, in the order of the numbers."""
        people: dict[str, str] = {}
        for one in wanted:
            if one.nhs_number:
                people.setdefault(one.nhs_number.replace(" ", ""), one.practice or self.settings.organisation)
        return sorted(people.items())

    def _ask(self, client: Client, person: Person, at: datetime) -> Mapped | Refused:
        number, practice = person
        answer = client.post(
            where(self.settings, practice),
            parameters(number),
            headers=headers(self.settings, practice, at),
            expect=STATUSES,
        )
        if answer.status in STATUSES:
            return refused(client, answer)
        if not isinstance(answer.json, Mapping) or answer.json.get("resourceType") != "Bundle":
            client.fail("the answer is no Bundle")
        if not isinstance(answer.json.get("entry", []), list):
            client.fail("the answer's Bundle has no list of entries")
        return map_record(answer.json, practice, number)
