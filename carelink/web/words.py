"""Dates, ages and numbers in the words of a page. All times are Europe/London."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from carelink.clock import LONDON


def nhs_number(digits: str) -> str:
    """Shown 3 3 4, as people read it aloud."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == 10 else digits


def _month(year: int, month: int) -> str:
    return date(year, month, 1).strftime("%B %Y")


def whole_date(of: date) -> str:
    """24 November 2026."""
    return f"{of.day} {of.strftime('%B %Y')}"


def day(value: str | date | datetime | None) -> str:
    """A date in words, as exact as it is known: `2019` stays 2019, `2019-05` is May 2019. Empty for none."""
    if not value:
        return ""
    if isinstance(value, datetime):
        return whole_date(value.astimezone(LONDON).date())
    if isinstance(value, date):
        return whole_date(value)
    if len(value) == 4:
        return value
    if len(value) == 7:
        return _month(int(value[:4]), int(value[5:7]))
    return day(datetime.fromisoformat(value)) if "T" in value and _zoned(value) else whole_date(_plain(value))


def _plain(value: str) -> date:
    return date.fromisoformat(value[:10])


def _zoned(value: str) -> bool:
    return value.endswith("Z") or "+" in value[10:] or "-" in value[10:]


def short_day(value: datetime | None) -> str:
    """24 Nov 2026: for narrow columns. Empty for none."""
    if value is None:
        return ""
    local = value.astimezone(LONDON)
    return f"{local.day} {local.strftime('%b %Y')}"


def moment(value: datetime) -> str:
    """24 November 2026, 10:40."""
    local = value.astimezone(LONDON)
    return f"{whole_date(local.date())}, {local.strftime('%H:%M')}"


def time_since(value: datetime, now: datetime) -> str:
    """10:40 today, else the date with it: for `since ...`."""
    local = value.astimezone(LONDON)
    if local.date() == now.astimezone(LONDON).date():
        return local.strftime("%H:%M")
    return f"{local.strftime('%H:%M')} on {whole_date(local.date())}"


def ago(value: datetime, now: datetime) -> str:
    """How long ago, as a person would say it."""
    passed = now - value
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return _count(int(passed.total_seconds() // 60), "minute")
    if passed < timedelta(hours=24):
        return _count(int(passed.total_seconds() // 3600), "hour")
    return f"on {moment(value)}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'} ago"


def known_date(value: str) -> date | None:
    """The date, where all of it is known."""
    try:
        return date.fromisoformat(value[:10]) if len(value) >= 10 else None
    except ValueError:
        return None


def age(born: str, at: date) -> str:
    """`84 years`; under 2 in months, under 8 weeks in weeks, as the NHS banner has it. Empty where the date is not whole."""
    birth = known_date(born)
    if birth is None or birth > at:
        return ""
    if (at - birth).days < 56:
        return f"{(at - birth).days // 7} weeks"
    months = (at.year - birth.year) * 12 + at.month - birth.month - (at.day < birth.day)
    return f"{months} months" if months < 24 else f"{months // 12} years"


def today(now: datetime) -> date:
    """The date in London."""
    return now.astimezone(LONDON).date()


def start_of(day_: date) -> datetime:
    """When that day begins in London, in UTC."""
    return datetime(day_.year, day_.month, day_.day, tzinfo=LONDON).astimezone(UTC)


FILTERS = {
    "nhs_number": nhs_number,
    "day": day,
    "short_day": short_day,
    "moment": moment,
    "time_since": time_since,
    "ago": ago,
    "age": age,
}
