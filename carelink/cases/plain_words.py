"""A resource told in full to somebody who knows no FHIR: its line of the story, then all else that it says. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.record.golden import ELEMENT_DATE, ELEMENT_SOURCE
from carelink.record.timeline_dates import in_words
from carelink.record.timeline_values import Body, Names, concept, human_name
from carelink.record.timeline_words import say

LONGEST = 20_000  # characters of one attached text

# What is for machines: ids, addresses of definitions, codes beside their words.
_MACHINES = frozenset(
    {
        *("resourceType", "id", "meta", "system", "url", "reference", "code", "version", "profile", "userSelected"),
        *("status", "use", "rank", "contentType", "hash", "size", "data", "div", "type", "assigner", "versionId"),
    }
)
_IDENTIFIED = ("Patient", "RelatedPerson")  # elsewhere an identifier is a number that systems gave, for systems
_OURS = (ELEMENT_SOURCE, ELEMENT_DATE)
_DATE = re.compile(r"^\d{4}(-\d{2}){0,2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_VALUE = re.compile(r"^value(?=[A-Z])")


@dataclass(frozen=True)
class Said:
    """One resource in words. `kind` is what it is called ("Medicine")."""

    kind: str
    title: str
    lines: tuple[str, ...]


def in_full(body: Body, names: Names) -> Said:
    """Everything of it that is for people. What only machines read is left to the file for machines."""
    if body.get("resourceType") == "Patient":
        return Said("Who you are", human_name(body.get("name")) or "Name not known", tuple(_rest(body, names, "")))
    if body.get("resourceType") == "Provenance":
        return Said("Repair", "What CareLink repaired when it took this in", tuple(_rest(body, names, "")))
    words = say(body, names)
    state = f" ({words.state})" if words.state else ""
    until = (f"To {in_words(words.until)}",) if words.until else ()
    said = (words.title + state, *words.lines, *until)
    return Said(words.kind, said[0], (*said[1:], *_rest(body, names, "\n".join(said).casefold())))


def _rest(body: Body, names: Names, told: str) -> Iterator[str]:
    """A line for each part that says something which was not told yet; nothing is said twice."""
    seen: set[str] = set()
    for label, value in _named(body):
        parts = [one for one in _parts(value, names) if one.casefold() not in told]
        line = f"{label}: {', '.join(dict.fromkeys(parts))}" if parts else ""
        if line and line not in seen:
            seen.add(line)
            yield line


def _named(body: Body) -> Iterator[tuple[str, Any]]:
    """Its elements as they are called; extensions by the end of their address."""
    for name, value in body.items():
        if name == "extension":
            yield from ((_label(_address(one)), one) for one in value if not _our_own(one))
        elif not _for_machines(name, value) and (name != "identifier" or body["resourceType"] in _IDENTIFIED):
            yield _label(name), value


def _address(extension: Body) -> str:
    last = str(extension.get("url", "")).rsplit("/", 1)[-1]
    return last.rsplit("-", 1)[-1] if last.startswith("Extension-") else last.replace("-", " ")


def _our_own(extension: Any) -> bool:
    """What CareLink adds to say which source a value is of: that is told beside it."""
    return isinstance(extension, Mapping) and extension.get("url") in _OURS


def _for_machines(name: str, value: Any) -> bool:
    """`code` holds words where it is a concept, and none where it is one of a list of FHIR's."""
    return name == "meta" or name.startswith("_") or (name in _MACHINES and not isinstance(value, Mapping | list))


def _parts(value: Any, names: Names) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            if not _our_own(one):
                yield from _parts(one, names)
    elif isinstance(value, Mapping):
        yield from _within(value, names)
    elif text := _leaf(value):
        yield text


def _within(value: Body, names: Names) -> Iterator[str]:
    """Of what has words of its own, these; of all else, what is inside."""
    if "coding" in value or ("code" in value and "display" in value):
        yield from filter(None, (concept(value),))
    elif "family" in value or "given" in value:
        yield human_name(value)
    elif "reference" in value:
        yield from filter(None, (names.of(value),))
    else:
        yield from _attached(value)
        for name, inner in value.items():
            if not _for_machines(name, inner):
                yield from _parts(inner, names)


def readable(value: Any) -> Iterator[str]:
    """Every text in it that somebody could read, attached ones too: what is looked through for words of others."""
    if isinstance(value, list):
        for one in value:
            yield from readable(one)
    elif isinstance(value, Mapping):
        if "data" in value:
            yield from _attached(value)
        for name, inner in value.items():
            if name != "identifier" and not _for_machines(name, inner):
                yield from readable(inner)
    elif isinstance(value, str):
        yield value


def _leaf(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(getattr(value, "text", value)).strip()
    return in_words(text) if _DATE.match(text) else text


def _attached(value: Body) -> Iterator[str]:
    """The text of an attachment; of one that is no text, that there is one."""
    if "data" not in value:
        return
    kind = str(value.get("contentType", ""))
    if kind.startswith("text/plain"):
        yield _decoded(str(value["data"]))
    else:
        yield f"a file ({kind or 'of a kind that is not said'}), which is in the copy for computers"


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode("utf-8", "replace")[:LONGEST].strip()
    except binascii.Error:
        return "a text that can't be read"


def _label(name: str) -> str:
    """`reasonCode` as a person would say it."""
    words = _HUMP.sub(" ", _VALUE.sub("", name)).lower().removesuffix(" code").removesuffix(" date time")
    return words[:1].upper() + words[1:]
