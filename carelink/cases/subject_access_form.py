"""What was typed about a request: who asks, by what right, when it was asked, when it was known who they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

from carelink.cases.subject_access import Asked
from carelink.cases.subject_access_review import Said
from carelink.clock import LONDON

_NOON = time(12)  # a day is all that is known; its middle is that day in every zone


def read(form: Mapping[str, str]) -> tuple[Asked | None, dict[str, str]]:
    """The request, or what is wrong with it by field."""
    wrong: dict[str, str] = {}  # in the order of the form
    if not form.get("requested_by", "").strip():
        wrong["requested_by"] = "Say who asks"
    if not form.get("authority"):
        wrong["authority"] = "Choose by what right they ask"
    asked = day(form, "asked", "the day of the request", wrong)
    if asked is None and "asked" not in wrong:
        wrong["asked"] = "Enter the day of the request"
    identity = day(form, "identity", "the day on which it was known who asks", wrong)
    if wrong or asked is None:
        return None, wrong
    return Asked(form["requested_by"], form["authority"], asked, identity), {}


def day(form: Mapping[str, str], name: str, called: str, wrong: dict[str, str]) -> datetime | None:
    """The day of a date input, at noon in London; None where nothing was typed, or with what is wrong noted."""
    parts = [form.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")]
    if not any(parts):
        return None
    try:
        year, month, of_month = (int(part) for part in parts)
        return datetime.combine(datetime(year, month, of_month, tzinfo=LONDON), _NOON, LONDON)
    except ValueError:
        wrong[name] = f"{called[:1].upper()}{called[1:]} must be a real date, with a year of four digits"
        return None


def identity(form: Mapping[str, str]) -> tuple[datetime | None, dict[str, str]]:
    """The day on which it was known who asks."""
    wrong: dict[str, str] = {}
    seen = day(form, "identity", "the day", wrong)
    if seen is None and not wrong:
        wrong["identity"] = "Enter the day on which it was known who asks, and that they may"
    return seen, wrong


def decisions(form: Mapping[str, str]) -> tuple[Said, ...]:
    """What was said of each item of the page for which anything was chosen."""
    numbers = [name.removeprefix("item-") for name in form if name.startswith("item-")]
    return tuple(_said(form, number) for number in numbers if form.get(f"answer-{number}"))


def _said(form: Mapping[str, str], number: str) -> Said:
    return Said(
        item=form[f"item-{number}"],
        answer=form[f"answer-{number}"],
        words=form.get(f"words-{number}", ""),
        why=form.get(f"why-{number}", ""),
        alike=bool(form.get(f"alike-{number}")),
    )
