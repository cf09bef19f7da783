"""What is said of one item, and the small words that all describers share. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carelink.record.timeline_values import Body

MISTAKEN = frozenset({"entered-in-error"})


@dataclass(frozen=True)
class Words:
    """A resource in words: `kind` is what a line of it is called ("Medicine"), `title` never repeats it.

    `state` qualifies the title ("ended", "high risk"); `over`: it is past or was withdrawn; `until` is the FHIR date
    of its end, as exact as it is known.
    """

    title: str
    lines: tuple[str, ...] = ()
    state: str = ""
    over: bool = False
    kind: str = ""
    until: str = ""


def told(*parts: str) -> tuple[str, ...]:
    """The lines that say something."""
    return tuple(part for part in parts if part)


def by(label: str, name: str) -> str:
    """`Prescribed by Dr Desai`; nothing where there is no name."""
    return f"{label} {name}" if name else ""


def status(body: Body, states: Mapping[str, str]) -> str:
    """The word for the resource's status; nothing for one that needs none."""
    return states.get(str(body.get("status", "")), "")
