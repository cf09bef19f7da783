"""A file that a resource names, given by CareLink itself: under the lens of who asks, from the resource or from its source."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.cases.reaching import source_settings
from carelink.consent.lens import Lens
from carelink.errors import NotFound, SourceUnavailable
from carelink.ids import ResourceKey
from carelink.place import Place
from carelink.record import attachments, attachments_store, search
from carelink.record.attachments_store import Whose
from fhir_adapters import exact_json, registry
from fhir_adapters.source import GivesFiles, SourceFailed

TYPE = "Binary"
WHAT = "The file"
LONGEST = 5.0  # seconds that a source gets: somebody waits
# What a program of its own opens; all else is given as bytes that no browser opens by itself.
SAFE: Mapping[str, str] = {
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/dicom": "dcm",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "text/plain": "txt",
}
ANY = "application/octet-stream"


@dataclass(frozen=True)
class File:
    """A file as it is given: of which resource it is a part, what it is, and its bytes."""

    type: str
    resource: ResourceKey
    content_type: str
    content: bytes

    @property
    def name(self) -> str:
        """A name to keep it under that tells nothing of anybody."""
        return f"attachment.{SAFE.get(self.content_type, 'bin')}"


def file(conn: Connection, place: Place, lens: Lens, key: UUID) -> File:
    """The file of that key. Kept in the audit as a read of the resource that names it.

    Raises `NotFound` where none is that this requester may know of: who may see the resource, in the form in which they
    see it, may have its files. Raises `SourceUnavailable` where it is at a source that does not give it now.
    """
    whose = attachments_store.whose(conn, key)
    if whose is None:
        looked(conn, lens, "read", TYPE, (), resource=key)
        raise NotFound("There is no such resource, or you may not see it")
    row = search.get(conn, lens, whose.type, whose.key)
    named = attachments.named(exact_json.loads(row.body), key)
    if named is None:
        raise NotFound("There is no such resource, or you may not see it")
    kind, content = _inline(named) if "data" in named else _fetched(place, whose, str(named.get("contentType", "")))
    return File(whose.type, whose.key, kind if kind in SAFE else ANY, content)


def _inline(named: Mapping[str, Any]) -> tuple[str, bytes]:
    try:
        content = base64.b64decode("".join(str(named["data"]).split()), validate=True)
    except binascii.Error as wrong:
        raise NotFound("There is no such resource, or you may not see it") from wrong
    return _kind(str(named.get("contentType", ""))), content


def _kind(said: str) -> str:
    return said.partition(";")[0].strip().lower()


def _fetched(place: Place, whose: Whose, said: str) -> tuple[str, bytes]:
    """From the source's own host, by the connection that pulls from it; redirects are not followed."""
    entry = next((one for one in place.sources if one.name == whose.source), None)
    if not whose.url:
        raise SourceUnavailable(WHAT, None, "a client named it by an address alone; it must send it as data")
    if entry is None:
        raise SourceUnavailable(WHAT, None, "its source is no longer connected here")
    settings = source_settings(entry)
    try:
        source = registry.make(replace(settings, attempts=1, timeout=min(settings.timeout, LONGEST)))
        if not isinstance(source, GivesFiles):
            raise SourceUnavailable(WHAT, None, "its source gives no files; ask the organisation that holds it")
        got = source.file(whose.url)
    except SourceFailed as failed:
        raise SourceUnavailable(WHAT, None, f"its source does not give it now: {failed.why}") from failed
    if got.content_type not in _RECORDS:
        return _kind(said) or got.content_type, got.content
    return _as_binary(got.content)


_RECORDS = frozenset(
    {"application/fhir+json", "application/json", "application/fhir+xml", "application/xml", "text/json", "text/xml"}
)


def _as_binary(content: bytes) -> tuple[str, bytes]:
    """A source may answer with a Binary in place of its bytes (R4 2.37.4); of other resources nothing is given on."""
    try:
        body = exact_json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.get("resourceType") != TYPE or "data" not in body:
        raise SourceUnavailable(WHAT, None, "its source answers with something else than a file")
    return _inline(body)
