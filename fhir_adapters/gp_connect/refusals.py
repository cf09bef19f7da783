"""What a practice says where it gives no record: about one person, about itself, or nothing that GP Connect knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.http import Answer, Client
from fhir_adapters.source import Reason, Rejected

STATUSES = frozenset({400, 403, 404, 422})  # with which GP Connect refuses
NOT_FOUND = frozenset({"PATIENT_NOT_FOUND", "NO_RECORD_FOUND"})
# GP Connect, error handling guidance: none of these says that the practice is broken.
OF_THE_PERSON = NOT_FOUND | {"NO_PATIENT_CONSENT", "INVALID_NHS_NUMBER", "INVALID_PATIENT_DEMOGRAPHICS"}
OF_THE_PRACTICE = frozenset({"ACCESS_DENIED", "NO_ORGANISATION_CONSENT", "ORGANISATION_NOT_FOUND"})


@dataclass(frozen=True)
class Refused:
    """The practice answered, and gives no record. `code` is GP Connect's."""

    code: str
    status: int

    @property
    def by_practice(self) -> bool:
        """Whether it would say the same of everybody: not switched on there, or not for us."""
        return self.code in OF_THE_PRACTICE

    @property
    def line(self) -> str:
        """What to tell of it, where it is a failure."""
        return f"answered {self.status} ({self.code})"

    def told(self, practice: str, number: str) -> tuple[Rejected, ...]:
        """What the data-quality worklist is told: nothing where the person is only not registered there.

        The same every time: an outcome's diagnostics and ids are of the answer, not of the person.
        """
        if self.code in NOT_FOUND:
            return ()
        raw = exact_json.dumps({"resourceType": "OperationOutcome", "status": self.status, "code": self.code}).decode()
        why = Reason("OperationOutcome.issue.details", f"the practice gives no record of this person: {self.code}")
        return (Rejected("OperationOutcome", self.code, raw, (why,), f"{practice}/{number}"),)


def refused(client: Client, answer: Answer) -> Refused:
    """The refusal. One without a code that GP Connect has for it says nothing about the person: SourceFailed."""
    codes = sorted(set(_codes(answer.json)))
    known = [code for code in codes if code in OF_THE_PERSON | OF_THE_PRACTICE]
    if not known:
        client.fail(f"answered {answer.status}" + (f" ({', '.join(codes)})" if codes else ""))
    return Refused(known[0], answer.status)


def _codes(outcome: Any) -> Iterator[str]:
    issues = outcome.get("issue") if isinstance(outcome, Mapping) else None
    for issue in issues if isinstance(issues, list) else []:
        details = issue.get("details") if isinstance(issue, Mapping) else None
        codings = details.get("coding") if isinstance(details, Mapping) else None
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, Mapping) and isinstance(coding.get("code"), str):
                yield coding["code"]
