"""Rules for documents: those that are elsewhere, and those that are made of entries."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from fhir_adapters.gp_connect.elements import STU3_ELEMENT, Body, extend, objects, pop
from fhir_adapters.gp_connect.rules import Recode, Rename, Special, Trail, TypeRules


def _created(body: Body, trail: Trail) -> None:
    """When the document was written: R4 has it on each attachment."""
    created, beside = pop(body, "created")
    attachments = [one["attachment"] for one in objects(body.get("content")) if isinstance(one.get("attachment"), dict)]
    if created is not None:
        for attachment in attachments:
            attachment.setdefault("creation", created)
    if created is not None and (not attachments or any(one["creation"] != created for one in attachments)):
        extend(body, {"url": f"{STU3_ELEMENT}DocumentReference.created", "valueDateTime": created})
    trail.beside("created", beside)


def _related_documents(body: Body, trail: Trail) -> None:
    for context in objects(body.get("context")):
        related = objects(context.get("related"))
        if related:
            context["related"] = [_related_document(one) for one in related]


def _related_document(one: Body) -> Body:
    if "ref" not in one:
        return one
    leads = one["ref"] if isinstance(one["ref"], dict) else {}
    return leads | ({"identifier": one["identifier"]} if "identifier" in one else {})


DOCUMENT_REFERENCE = TypeRules(
    "DocumentReference",
    (
        Recode("docStatus", {"appended": "amended"}, "R4 has no `appended`; what was appended to is amended"),
        Rename("indexed", "date"),
        Rename("class", "category", many=True),
        Special(_created, "R4 has no created"),
        Rename("encounter", "encounter", at="context", many=True),
        Special(_related_documents, "R4 has a reference where STU3 had one inside"),
    ),
    about="subject",
)


def _attesters(body: Body, trail: Trail) -> None:
    """R4 has one mode an attester: who attested in several ways is there once for each."""
    attesters = body.get("attester")
    if isinstance(attesters, list):
        body["attester"] = [one for was in attesters for one in _by_mode(was)]


def _by_mode(attester: Any) -> list[Any]:
    modes = attester.get("mode") if isinstance(attester, dict) else None
    if not isinstance(modes, list) or not modes:
        return [attester]
    rest = {key: value for key, value in attester.items() if key not in ("mode", "_mode")}
    besides = attester.get("_mode")
    besides = besides if isinstance(besides, list) else []
    return [
        rest | {"mode": mode} | ({"_mode": beside} if beside else {})
        for mode, beside in zip_longest(modes, besides[: len(modes)])
    ]


COMPOSITION = TypeRules(
    "Composition",
    (
        Rename("class", "category", many=True),
        Special(_attesters, "R4 has one mode an attester"),
    ),
    about="subject",
)
DOCUMENTS = {"Composition": COMPOSITION, "DocumentReference": DOCUMENT_REFERENCE}
