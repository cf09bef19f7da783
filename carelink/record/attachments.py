"""Files that resources name: each gets an address here, so that no source's address is ever served. Pure.

FHIR R4, Attachment: `url` may be relative, and then means what a reference does: `Binary/[id]` on this server. It is of
one content: another file has another id. Where the file is at the source stands in a table, for us alone
(`attachments_store`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from carelink.ids import ResourceKey, resource_key
from carelink.record.marks import Marks, marks
from carelink.record.repairing import put

PREFIX = "Binary/att-"
_OURS = re.compile(r"Binary/att-([0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})")
_NO_ADDRESS = ("urn:", "#", "data:")  # these are no place where something could be had


@dataclass(frozen=True)
class File:
    """A file that a resource names: its key here, and its address at the source.

    That is empty where the file is in the resource, and None where the resource has our address already.
    """

    key: ResourceKey
    url: str | None = ""


def addressed(body: dict[str, Any], marked: Marks | None = None) -> tuple[dict[str, Any], tuple[File, ...]]:
    """The body, in a copy where anything changed, with our addresses in its Attachments; and the files they lead to."""
    files: dict[ResourceKey, File] = {}
    for loc, one in (marked or marks(body)).files:
        file = _file(str(body.get("id", "")), one)
        if file is not None:
            files[file.key] = file
            address = f"{PREFIX}{file.key}"
            body = body if one.get("url") == address else put(body, loc, {**one, "url": address})
    return body, tuple(files.values())


def _file(owner: str, one: Mapping[str, Any]) -> File | None:
    data, url = one.get("data"), one.get("url")
    if isinstance(data, str):
        content = hashlib.blake2b(data.encode(), digest_size=16).hexdigest()
        return File(resource_key("carelink", owner, "Binary", f"data:{content}"))
    if not isinstance(url, str) or url.lower().startswith(_NO_ADDRESS):
        return None
    ours = _OURS.fullmatch(url)
    return File(ResourceKey(UUID(ours[1])), None) if ours else File(resource_key("carelink", owner, "Binary", url), url)


def named(body: Mapping[str, Any], key: UUID) -> Mapping[str, Any] | None:
    """The Attachment of a stored resource that leads to that file; None where, as it may be seen, none does."""
    address = f"{PREFIX}{key}"
    return next((one for _, one in marks(body).files if one.get("url") == address), None)
