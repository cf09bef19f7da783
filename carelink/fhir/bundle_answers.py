"""The answer to a batch or transaction: a Bundle that is put together of texts, none of which is read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Response

from carelink.cases.pushing_terms import Written
from carelink.fhir import written
from carelink.fhir.endpoint import endpoint
from carelink.fhir.outcome import Told
from carelink.ids import ResourceKey
from fhir_adapters import exact_json


@dataclass(frozen=True)
class Answered:
    """What became of one entry; `body` is the text of a resource, `outcome` that of an OperationOutcome."""

    status: int
    location: str = ""
    etag: str = ""
    modified: datetime | None = None
    body: str = ""
    outcome: str = ""


def of_written(one: Written, shown: Mapping[ResourceKey, str]) -> Answered:
    """Of a write, with what is shown of it."""
    told = written.told(one).decode() if written.wanted() is written.Return.OUTCOME and one.status != 204 else ""
    if not one.version or one.key is None:
        return Answered(one.status, outcome=told)
    return Answered(one.status, written.place(one), f'W/"{one.version}"', one.at, shown.get(one.key, ""), told)


def of_response(made: Response) -> Answered:
    """Of what a view answered."""
    text = made.get_data(as_text=True)
    is_outcome = text.startswith('{"issue":') and text.endswith('"resourceType":"OperationOutcome"}')
    return Answered(
        made.status_code,
        made.headers.get("Location", "").removeprefix(f"{endpoint().base}/"),
        made.headers.get("ETag", ""),
        made.last_modified,
        "" if is_outcome else text,
        text if is_outcome else "",
    )


def of_told(told: Told) -> Answered:
    """Of a failure."""
    return Answered(told.status, outcome=told.body.decode())


def response(kind: str, answers: Sequence[Answered]) -> bytes:
    """The Bundle, in the order of the request."""
    entries = ",".join(_entry(one) for one in answers)
    listed = f'"entry":[{entries}],' if entries else ""
    return f'{{{listed}"resourceType":"Bundle","type":"{kind}-response"}}'.encode()


def _entry(one: Answered) -> str:
    said = {"status": f"{one.status} {HTTPStatus(one.status).phrase}"}
    said |= {"location": one.location} if one.location else {}
    said |= {"etag": one.etag} if one.etag else {}
    if one.modified is not None:
        said["lastModified"] = one.modified.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = exact_json.dumps(said).decode()
    if one.outcome:
        text = f'{text[:-1]},"outcome":{one.outcome}}}'
    return f'{{"resource":{one.body},"response":{text}}}' if one.body else f'{{"response":{text}}}'
