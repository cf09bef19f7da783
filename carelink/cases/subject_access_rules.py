"""What of a record may not be the person's to have: each reason to look, with the law behind it. Pure.

Nothing is left out by a rule: it proposes, and a human decides. Names of those who cared for the person as
professionals are not proposed: telling them is reasonable (DPA 2018 Sch 2 para 17).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.cases.subject_access_package import Answer, Proposal
from carelink.record.timeline_values import Body, listed

LEGAL = "SA-legal"  # its words are shown only to who may see what the law restricts


@dataclass(frozen=True)
class Looked:
    """What a rule looks at: one item with all of its versions, as data and as text."""

    type: str
    sensitivities: frozenset[str]
    bodies: tuple[Body, ...]
    text: str
    hidden: bool = False  # the place hides one of its sensitivities from the person's own page


@dataclass(frozen=True)
class Others:
    """Those in the person's life whom the record names, and what is known to be the person's own."""

    names: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()  # the person's own numbers and addresses, as they are compared


Finds = Callable[[Looked, Others], Iterable[str] | None]  # words that were found; None: the rule does not hold


@dataclass(frozen=True)
class Rule:
    """When to look, what to propose, and why."""

    id: str
    label: str
    proposes: Answer
    finds: Finds
    because: str


def _labelled(name: str) -> Finds:
    return lambda one, others: () if name in one.sensitivities else None


def _hidden(one: Looked, others: Others) -> Iterable[str] | None:
    return () if one.hidden else None


_CONTACT = ("telecom", "address", "birthDate")


def _relatives_own(one: Looked, others: Others) -> Iterable[str] | None:
    """How to reach somebody else, and when they were born: theirs, whoever gave it."""
    if one.type != "RelatedPerson":
        return None
    found = {text for body in one.bodies for name in _CONTACT for text in _texts(body.get(name))}
    return sorted(found - others.own)


def _texts(value: Any) -> Iterator[str]:
    for one in listed(value):
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            for name in ("value", "line", "city", "postalCode", "text"):
                yield from _texts(one.get(name))


def _named(one: Looked, others: Others) -> Iterable[str] | None:
    if one.type in ("RelatedPerson", "Patient"):
        return None  # there they stand as those whom the person named
    return _some(name for name in others.names if re.search(rf"\b{re.escape(name)}\b", one.text, re.IGNORECASE))


PHONE = re.compile(r"(?<![\d/|-])(?:\+44[ -]?\d|0\d)(?:[ -]?\d){8,9}(?!\d)")
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b")


def _reached(one: Looked, others: Others) -> Iterable[str] | None:
    if one.type in ("RelatedPerson", "Patient"):
        return None
    found = {*PHONE.findall(one.text), *EMAIL.findall(one.text)}
    return _some(text for text in sorted(found) if compared(text) not in others.own)


def compared(text: str) -> str:
    """A number or an address as two of them are compared."""
    return re.sub(r"[\s-]", "", text).casefold().replace("+44", "0")


def _attached(one: Looked, others: Others) -> Iterable[str] | None:
    return () if any(_has_file(body) for body in one.bodies) else None


def _has_file(value: Any) -> bool:
    if isinstance(value, Mapping):
        kind = str(value.get("contentType", ""))
        return ("data" in value and not kind.startswith("text/plain")) or any(map(_has_file, value.values()))
    return isinstance(value, list) and any(map(_has_file, value))


def _unread(one: Looked, others: Others) -> Iterable[str] | None:
    return () if one.type == "quarantine" else None


def _some(found: Iterable[str]) -> tuple[str, ...] | None:
    return tuple(found) or None


# The first that holds gives the answer that is proposed, so the most careful come first.
RULES: tuple[Rule, ...] = (
    Rule(
        LEGAL,
        "Restricted by law",
        Answer.LEAVE_OUT,
        _labelled("LEGAL"),
        "DPA 2018 Sch 4 paras 2 and 3: assisted conception and adoption are told by those who keep these records; "
        "Gender Recognition Act 2004 s22: who handles the request may not learn of it either",
    ),
    Rule(
        "SA-safeguarding",
        "Safeguarding details",
        Answer.LEAVE_OUT,
        _labelled("SAFEGUARDING"),
        "DPA 2018 Sch 3 paras 5 and 11: serious harm to somebody, which a health or social care professional must "
        "confirm; Sch 2 para 2: where it would hinder finding out about a crime",
    ),
    Rule(
        "SA-domestic-abuse",
        "Domestic abuse",
        Answer.LEAVE_OUT,
        _labelled("SDV"),
        "DPA 2018 Sch 3 para 5: serious harm, where whoever harms them makes them show it; ask the person how they "
        "want to have it before it is left out",
    ),
    Rule(
        "SA-not-to-the-person",
        "A clinician asked that it is not shown to the person",
        Answer.LEAVE_OUT,
        _labelled("NOPAT"),
        "DPA 2018 Sch 3 paras 5 and 6: left out only where that professional says that serious harm is likely",
    ),
    Rule(
        "SA-third-party",
        "Tells of another person",
        Answer.LEAVE_OUT,
        _labelled("THIRD-PARTY"),
        "DPA 2018 Sch 2 para 16: without their consent, only where it is reasonable",
    ),
    Rule(
        "SA-hidden-here",
        "Hidden from the person's own page in this place",
        Answer.LEAVE_OUT,
        _hidden,
        "the place's consent.toml hides it from the page; whether it may be left out of an answer is to be judged",
    ),
    Rule(
        "SA-not-read",
        "Could not be stored, so nothing of it was labelled",
        Answer.REDACT,
        _unread,
        "DPA 2018 Sch 2 para 16: nobody looked at it yet; read it and take out what tells of others",
    ),
    Rule(
        "SA-file",
        "Has a file that CareLink can't read",
        Answer.LEAVE_OUT,
        _attached,
        "DPA 2018 Sch 2 para 16: read the file at its source first; where words are taken out, the file is left out",
    ),
    Rule(
        "SA-relative",
        "Somebody else's telephone, address or date of birth",
        Answer.REDACT,
        _relatives_own,
        "DPA 2018 Sch 2 para 16: how to reach another person is theirs; that they are named is mostly known",
    ),
    Rule(
        "SA-named",
        "Names somebody in the person's life",
        Answer.REDACT,
        _named,
        "DPA 2018 Sch 2 para 16: what others said in confidence, or what is said of them",
    ),
    Rule(
        "SA-reached",
        "A telephone number or e-mail address that is not known to be the person's",
        Answer.REDACT,
        _reached,
        "DPA 2018 Sch 2 para 16; a number of a service may stay",
    ),
)
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


def propose(one: Looked, others: Others) -> Proposal | None:
    """What is proposed for an item; None where no rule holds and it is included as it is."""
    found = [(rule, words) for rule in RULES if (words := rule.finds(one, others)) is not None]
    if not found:
        return None
    words = tuple(dict.fromkeys(word for _, some in found for word in some))
    return Proposal(found[0][0].proposes, tuple(rule.id for rule, _ in found), words)
