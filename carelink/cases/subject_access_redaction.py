"""Words taken out of what is released: of every text of a resource, and of lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from carelink.record.timeline_values import Body

REMOVED = "[removed]"
# HL7 v3-ObservationValue: what was sent is less than what is there.
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"}
# What holds no words of people, or holds a resource together.
_KEPT = frozenset({"resourceType", "id", "reference", "system", "url", "code", "contentType", "status", "use"})
_GONE = object()


def redacted(body: Body, words: Iterable[str]) -> dict[str, Any]:
    """The resource without these words. A value that is nothing else goes; a file and a narrative go whole."""
    patterns = [pattern(word) for word in words]
    left = {name: value for name, value in body.items() if name not in ("text", "meta")}
    made: dict[str, Any] = _less(left, patterns)
    meta = dict(body.get("meta", {}))
    return made | {"meta": meta | {"security": [*meta.get("security", ()), LABEL]}}


def _less(value: Any, patterns: list[re.Pattern[str]]) -> Any:
    if isinstance(value, Mapping):
        inner = {
            name: each if name in _KEPT and isinstance(each, str) else _less(each, patterns)
            for name, each in value.items()
            if name != "data"  # nobody can take a word out of a file
        }
        left: Any = {name: each for name, each in inner.items() if each is not _GONE}
        return left or _GONE
    if isinstance(value, list):
        kept = [each for one in value if (each := _less(one, patterns)) is not _GONE]
        return kept or _GONE
    return _text(value, patterns) if isinstance(value, str) else value


def _text(text: str, patterns: list[re.Pattern[str]]) -> Any:
    if any(one.fullmatch(text.strip()) for one in patterns):
        return _GONE
    return without(text, patterns)


def without(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """The text with what the patterns find replaced."""
    for one in patterns:
        text = one.sub(REMOVED, text)
    return text


def lines_without(lines: Iterable[str], words: Iterable[str]) -> tuple[str, ...]:
    """The lines without these words."""
    patterns = [pattern(word) for word in words]
    return tuple(without(line, patterns) for line in lines)


def pattern(word: str) -> re.Pattern[str]:
    """The word wherever it stands as a word, in any case, and a number however it is grouped."""
    inner = r"[\s-]*".join(map(re.escape, re.sub(r"[\s-]", "", word))) if _is_number(word) else _spaced(word)
    return re.compile(rf"(?<!\w){inner}(?!\w)" if _worded(word) else inner, re.IGNORECASE)


def _spaced(word: str) -> str:
    return r"\s+".join(map(re.escape, word.split()))


def _is_number(word: str) -> bool:
    return bool(re.fullmatch(r"\+?[\d\s-]{5,}", word)) and not re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", word)


def _worded(word: str) -> bool:
    return word[:1].isalnum() and word[-1:].isalnum()


def stands_in(word: str, text: str) -> bool:
    """Whether taking it out would take something out."""
    return pattern(word).search(text) is not None
