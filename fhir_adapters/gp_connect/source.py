"""Pulls GP practices: person by person, a whole record a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fhir_adapters.breaker import Breaker
from fhir_adapters.gp_connect.asking import headers, parameters, path
from fhir_adapters.gp_connect.record import Mapped, map_record
from fhir_adapters.http import Answer, Client
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

# The practice answers, and has no record that it may give us. Any of these codes in a 4xx is no failure of the source.
NO_RECORD = frozenset({"PATIENT_NOT_FOUND", "NO_PATIENT_CONSENT", "INVALID_NHS_NUMBER", "INVALID_PATIENT_DEMOGRAPHICS"})
REFUSALS = frozenset({400, 403, 404, 422})
NOTHING = Mapped((), ())


class GpConnect:
    """A source over GP Connect Access Record Structured. Every pull asks about everyone: records have no change feed."""

    def __init__(self, settings: SourceSettings) -> None:
        if not isinstance(settings.options.get("asids", {}), Mapping):
            raise SourceFailed(settings.name, "options.asids must name the ASID of each practice by its ODS code")
        self.settings = settings
        self._breaker = Breaker()

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """The records of all `wanted` that have an NHS number, each at their own practice or else at the source's.

        People go in the order of their NHS numbers, so that whoever is added meanwhile moves nobody. An unfinished pull
        goes on after the cursor's person; a finished one, or one that nobody is left of, starts anew.
        Raises SourceFailed.
        """
        people = self._people(wanted)
        after = str(cursor.get("after", "")) if cursor else ""
        left = [one for one in people if one[0] > after] or people
        with Client(self.settings, breaker=self._breaker) as client:
            for done, (number, practice) in enumerate(left, start=len(people) - len(left) + 1):
                record = self._record(client, practice, number, now)
                saved: Cursor = {"after": number if done < len(people) else ""}
                yield Batch(record.items, saved, record.rejected, done, len(people))

    def _people(self, wanted: Sequence[Wanted]) -> list[tuple[str, str]]:
        """NHS number and practice of each, once, in the order of the numbers."""
        people: dict[str, str] = {}
        for one in wanted:
            if one.nhs_number:
                people.setdefault(one.nhs_number.replace(" ", ""), one.practice or self.settings.organisation)
        return sorted(people.items())

    def _record(self, client: Client, practice: str, number: str, now: datetime) -> Mapped:
        answer = client.post(
            path(practice), parameters(number), headers=headers(self.settings, practice, now), expect=REFUSALS
        )
        if answer.status in REFUSALS:
            _must_be_no_record(client, answer)
            return NOTHING
        if not isinstance(answer.json, Mapping) or answer.json.get("resourceType") != "Bundle":
            client.fail("the answer is no Bundle")
        if not isinstance(answer.json.get("entry", []), list):
            client.fail("the answer's Bundle has no list of entries")
        return map_record(answer.json, practice, number)


def _must_be_no_record(client: Client, answer: Answer) -> None:
    """A refusal says something about the person only with a GP Connect code; a gateway's 404 does not."""
    codes = set(_codes(answer.json))
    if not codes & NO_RECORD:
        named = f" ({', '.join(sorted(codes))})" if codes else ""
        client.fail(f"answered {answer.status}{named}")


def _codes(outcome: Any) -> Iterator[str]:
    issues = outcome.get("issue") if isinstance(outcome, Mapping) else None
    for issue in issues if isinstance(issues, list) else []:
        details = issue.get("details") if isinstance(issue, Mapping) else None
        codings = details.get("coding") if isinstance(details, Mapping) else None
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
                yield coding["code"]
