"""The errors that CareLink raises, each where it is known, each turned into a page or an OperationOutcome in one place."""

from __future__ import annotations

from datetime import datetime


class CareLinkError(Exception):
    """Base of all. Its text is fit for a person to read and holds no personal data."""

    place: str = ""  # where in what was sent, where that is known


class NotFound(CareLinkError):
    """There is no such thing, or this requester may not know that there is."""


class Gone(NotFound):
    """It was there, this requester could see it, and it was deleted."""


class Forbidden(CareLinkError):
    """The requester is known and may not do this; `rule` is the id of the rule that says so."""

    def __init__(self, why: str, rule: str = "") -> None:
        super().__init__(why)
        self.rule = rule


class Conflict(CareLinkError):
    """Somebody else changed it first, or it is not in a state that allows this."""


class Invalid(CareLinkError):
    """Input that can't be accepted: `place` names where (file and line, FHIRPath, form field), `why` what to do."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place
        self.why = why


class TooCostly(CareLinkError):
    """What was asked takes longer than anybody may hold the database up."""


class SourceUnavailable(CareLinkError):
    """A source that did not answer usefully: since when, and why in words."""

    def __init__(self, source: str, since: datetime | None, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.since = since
        self.why = why
