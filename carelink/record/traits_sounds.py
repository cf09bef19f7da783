"""How a family name sounds: Soundex (Russell, 1918) after the spellings that English has for one sound."""

from __future__ import annotations

import re
from functools import lru_cache

# Spelling -> spelling, in this order, before Soundex: it keeps the first letter, so a silent one must go.
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"^(mac|mc)(?=[a-z]{3})", "mc"),  # MacDonald, McDonald
        (r"^kn", "n"),  # Knight
        (r"^gn", "n"),
        (r"^wr", "r"),  # Wright
        (r"^wh", "w"),
        (r"^ps", "s"),
        (r"^pf", "f"),
        (r"^ph", "f"),  # Phillips, Fillips
        (r"^c(?=[eiy])", "s"),
        (r"^c", "k"),  # Carr, Karr
        (r"^z", "s"),
        (r"^[aeiouyh]+(?=[aeiouy])", "a"),
        (r"^[eiouy]", "a"),  # Evans, Ivans
        (r"ough", "o"),
        (r"[aeiou]gh(?=t)", "i"),  # Wright, Rite
        (r"mp(?=[st])", "m"),  # Thompson
        (r"ph", "f"),
        (r"tch", "ch"),
        (r"dg(?=e)", "g"),
    )
)
_CODES = {
    letter: code
    for code, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}


@lru_cache(maxsize=50_000)
def sounds(family: str) -> str:
    """The phonetic key (a capital and three digits) of a folded name; empty for an empty one."""
    letters = re.sub(r"[^a-z]", "", family)
    for pattern, written in _SPELLINGS:
        letters = pattern.sub(written, letters)
    return _soundex(letters) if letters else ""


def _soundex(letters: str) -> str:
    key, last = letters[0].upper(), _CODES.get(letters[0], "")
    for letter in letters[1:]:
        code = _CODES.get(letter, "")
        if code and code != last:
            key += code
        if letter not in "hw":  # letters around h and w count as neighbours
            last = code
    return key[:4].ljust(4, "0")
