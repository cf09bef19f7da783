"""Dates, ages and numbers in the words of a page. All times are Europe/London."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from carelink.clock import LONDON
from carelink.record.timeline import Entry
from carelink.record.timeline_dates import in_words, short, time_of_day, whole


def nhs_number(digits: str) -> str:
    """Shown 3 3 4, as people read it aloud."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == 10 else digits


def day(value: str | date | datetime | None) -> str:
    """A date in words, as exact as it is known: `2019` stays 2019, `2019-05` is May 2019. Empty for none."""
    if not value:
        return ""
    if isinstance(value, datetime):
        return whole(value.astimezone(LONDON))
    return whole(value) if isinstance(value, date) else in_words(value)


def when(entry: Entry) -> str:
    """24 Nov 2026, May 2019 or 2019: for narrow columns. Empty where it is not known when."""
    return short(entry.when, entry.precision)


def at_time(entry: Entry) -> str:
    """09:30; empty where the time is not known."""
    return time_of_day(entry.when, entry.precision)


def until(entry: Entry) -> str:
    """The end in words; empty where there is none, or where it is the day that `when` says already."""
    ended = in_words(entry.until, narrow=True)
    return "" if ended == when(entry) else ended


def moment(value: datetime) -> str:
    """24 November 2026, 10:40."""
    local = value.astimezone(LONDON)
    return f"{whole(local)}, {local.strftime('%H:%M')}"


def time_since(value: datetime, now: datetime) -> str:
    """10:40 today, else the date with it: for `since ...`."""
    local = value.astimezone(LONDON)
    if local.date() == now.astimezone(LONDON).date():
        return local.strftime("%H:%M")
    return f"{local.strftime('%H:%M')} on {whole(local)}"


def ago(value: datetime, now: datetime) -> str:
    """How long ago, as a person would say it."""
    passed = now - value
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{_count(int(passed.total_seconds() // 60), 'minute')} ago"
    if passed < timedelta(hours=24):
        return f"{_count(int(passed.total_seconds() // 3600), 'hour')} ago"
    return f"on {moment(value)}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def known_date(value: str) -> date | None:
    """The date, where all of it is known."""
    try:
        return date.fromisoformat(value[:10]) if len(value) >= 10 else None
    except ValueError:
        return None


def age(born: str, at: date) -> str:
    """`84 years`; under 4 weeks in days, under 12 in weeks, under 2 years in months. Empty where the date is not whole."""
    birth = known_date(born)
    if birth is None or birth > at:
        return ""
    days = (at - birth).days
    if days < 28:
        return _count(days, "day")
    if days < 84:
        return _count(days // 7, "week")
    months = (at.year - birth.year) * 12 + at.month - birth.month - (at.day < birth.day)
    return _count(months, "month") if months < 24 else _count(months // 12, "year")


def today(now: datetime) -> date:
    """The date in London."""
    return now.astimezone(LONDON).date()


FILTERS = {
    "nhs_number": nhs_number,
    "day": day,
    "when": when,
    "at_time": at_time,
    "until": until,
    "moment": moment,
    "time_since": time_since,
    "ago": ago,
    "age": age,
}
