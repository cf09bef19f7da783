"""Pulls a FHIR R4 server type by type, in the order of last change, one batch a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fhir_adapters.auth import auth_of
from fhir_adapters.breaker import Breaker
from fhir_adapters.bundles import BundlePage, pages
from fhir_adapters.entries import read_entry
from fhir_adapters.http import Client, Download, Params
from fhir_adapters.marks import Mark, Reading
from fhir_adapters.source import Batch, Cursor, Item, Rejected, SourceFailed, SourceSettings, Wanted

LARGEST_FILE = 20 * 1024 * 1024  # bytes; a scanned letter has one or two million
# What others refer to comes first, so that what refers to a person finds them linked already.
TYPES = (
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "Patient",
    "RelatedPerson",
    "Consent",
    "CareTeam",
    "EpisodeOfCare",
    "Encounter",
    "AllergyIntolerance",
    "Condition",
    "Procedure",
    "Medication",
    "MedicationRequest",
    "MedicationStatement",
    "Immunization",
    "Observation",
    "DiagnosticReport",
    "DocumentReference",
    "Composition",
    "CarePlan",
    "Goal",
    "Flag",
    "ServiceRequest",
    "Task",
    "Appointment",
    "Communication",
    "QuestionnaireResponse",
)


class FhirR4:
    """A source over FHIR R4 search. Options: `types` (else `TYPES`), `page_size`, `auth`, `api_key_header`.

    A server may not serve a type of the usual list: it says so by 404 with an OperationOutcome, and the type is
    passed over. It must serve Patient, and every type that `types` names.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._types: tuple[str, ...] = tuple(settings.options.get("types", TYPES))
        self._must = set(settings.options.get("types", ())) | {"Patient"}
        self._auth = auth_of(settings, usual="bearer")
        self._breaker = Breaker()

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """All that changed since the cursor, type after type. The cursor is {type: {since, ids}}."""
        marks = {type_: Mark.of(saved) for type_, saved in (cursor or {}).items()}
        done = 0
        with Client(self.settings, auth=self._auth, breaker=self._breaker) as client:
            for type_ in self._types:
                before = done
                for batch in self._type(client, type_, marks):
                    done += len(batch.items) + len(batch.rejected)
                    total = None if batch.total is None else max(done, before + batch.total)
                    yield Batch(batch.items, batch.cursor, batch.rejected, done, total)

    def file(self, url: str) -> Download:
        """A file that one of its resources names by that address, as its Attachment has it. Raises SourceFailed."""
        with Client(self.settings, auth=self._auth, breaker=self._breaker, largest=LARGEST_FILE) as client:
            return client.download(url)

    def _type(self, client: Client, type_: str, marks: dict[str, Mark]) -> Iterator[Batch]:
        start = marks.get(type_, Mark())
        reading = Reading(start)
        params = _search(start, int(self.settings.options.get("page_size", 200)))
        for page in _pages(client, type_, params, optional=type_ not in self._must):
            new = _new(page, type_, reading)
            marks[type_] = reading.mark(page.last)
            if new.items or new.rejected or reading.disorder:
                saved = {name: mark.saved() for name, mark in marks.items()}
                yield Batch(new.items, saved, new.rejected, total=page.total)


def _new(page: BundlePage, type_: str, reading: Reading) -> Batch:
    """What is on the page and was not read before."""
    read = [read_entry(entry, type_) for entry in page.entries]
    items = tuple(one for one in read if isinstance(one, Item) and _is_new(one, type_, reading))
    return Batch(items, {}, tuple(one for one in read if isinstance(one, Rejected)))


def _is_new(one: Item, type_: str, reading: Reading) -> bool:
    return one.type != type_ or reading.is_new(one.source_id, _last_updated(one.body))


def _search(start: Mark, page_size: int) -> Params:
    params: dict[str, str | int | list[str]] = {"_sort": "_lastUpdated", "_count": page_size}
    return params | ({"_lastUpdated": f"ge{start.since}"} if start.since else {})


def _pages(client: Client, type_: str, params: Params, optional: bool) -> Iterator[BundlePage]:
    """The pages; a failure in the middle names the type."""
    try:
        yield from pages(client, type_, params, optional)
    except SourceFailed as failed:
        if failed.why.startswith(f"{type_}: "):
            raise
        raise SourceFailed(failed.source, f"{type_}: {failed.why}") from failed


def _last_updated(resource: Mapping[str, Any]) -> str:
    meta = resource.get("meta")
    changed = meta.get("lastUpdated") if isinstance(meta, Mapping) else None
    return changed if isinstance(changed, str) else ""
