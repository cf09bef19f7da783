"""Two sets of traits, field by field: how alike they are, as a named level (pure, symmetric)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from rapidfuzz.distance import JaroWinkler

from carelink.record.traits import Traits
from carelink.record.traits_nicknames import nicknames
from carelink.record.traits_sounds import sounds

Levels = Mapping[str, str]

# Field -> its levels. Of several records of one person the first level here counts: the best that is known,
# except that a verified NHS number of somebody else is not outweighed by a record that has none.
LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "nhs_number": ("verified", "same", "former", "conflict", "near", "different", "missing"),
        "family": ("same", "part", "near", "different", "missing"),
        "given": ("same", "nickname", "near", "initial", "other", "different", "missing"),
        "birth_date": ("same", "near", "part", "year", "different", "far", "missing"),
        "gender": ("same", "different", "missing"),
        "postcode": ("same", "near", "different", "missing"),
        "address": ("same", "near", "different", "missing"),
        "telephone": ("same", "near", "different", "missing"),
    }
)

NAME_NEAR = 0.92  # Jaro-Winkler, 0 to 1
NAME_NEAR_BY_SOUND = 0.80  # where the names also sound alike
ADDRESS_NEAR = 0.90
YEARS_FAR = 10


def compare(one: Traits, other: Traits) -> Levels:
    """The level of every field. `compare(a, b) == compare(b, a)`."""
    return {field: comparing(one, other) for field, comparing in _COMPARING.items()}


def compare_all(one: Traits, records: Iterable[Traits]) -> Levels:
    """The level of every field against all that is known of one person."""
    levels = [compare(one, record) for record in records]
    if len(levels) == 1:
        return levels[0]
    return {field: min((found[field] for found in levels), key=order.index) for field, order in LEVELS.items()}


def _nhs_number(one: Traits, other: Traits) -> str:
    if not one.nhs_number or not other.nhs_number:
        return "former" if _share_a_number(one, other) else "missing"
    proven = one.nhs_verified and other.nhs_verified
    if one.nhs_number == other.nhs_number:
        return "verified" if proven else "same"
    if _share_a_number(one, other):
        return "verified" if proven else "former"
    if proven:
        return "conflict"
    return "near" if _slipped(one.nhs_number, other.nhs_number) else "different"


def _share_a_number(one: Traits, other: Traits) -> bool:
    """True where a number of one, current or superseded, is a number of the other."""
    return not ({one.nhs_number, *one.nhs_former} - {""}).isdisjoint({other.nhs_number, *other.nhs_former})


def _family(one: Traits, other: Traits) -> str:
    return _best("family", one.family, other.family, _one_family)


@lru_cache(maxsize=100_000)
def _one_family(one: str, other: str) -> str:
    if one.replace(" ", "") == other.replace(" ", ""):
        return "same"
    parts, others = set(one.split()), set(other.split())
    if any(len(part) > 2 for part in parts & others):
        return "part"
    return "near" if _alike(one, other) else "different"


def _alike(one: str, other: str) -> bool:
    likeness = JaroWinkler.similarity(*sorted((one, other)))
    return likeness >= NAME_NEAR or (likeness >= NAME_NEAR_BY_SOUND and sounds(one) == sounds(other))


def _given(one: Traits, other: Traits) -> str:
    return _best("given", one.given, other.given, _one_given)


@lru_cache(maxsize=100_000)
def _one_given(one: str, other: str) -> str:
    """First names first; then whether a middle name is what one of them is called by."""
    names, others = one.split(), other.split()
    first = _first_name(names[0], others[0])
    if first != "different":
        return first
    if names[0] + names[-1] == others[0] or others[0] + others[-1] == names[0]:
        return "near"  # Mary Ann, Maryann
    return "other" if set(names) & set(others) else "different"


def _first_name(one: str, other: str) -> str:
    if one == other:
        return "same"
    if nicknames(one, other):
        return "nickname"
    if len(one) == 1 or len(other) == 1:
        return "initial" if one[0] == other[0] else "different"
    return "near" if _alike(one, other) else "different"


def _best(field: str, ones: str, others: str, comparing: Callable[[str, str], str]) -> str:
    """The best level among the names of one and the names of the other."""
    if not ones or not others:
        return "missing"
    found = {comparing(one, other) for one in ones.split("|") for other in others.split("|")}
    return min(found, key=LEVELS[field].index)


def _birth_date(one: Traits, other: Traits) -> str:
    return _dates(*sorted((one.birth_date, other.birth_date)))


@lru_cache(maxsize=100_000)
def _dates(one: str, other: str) -> str:
    if not one or not other:
        return "missing"
    if one == other:
        return "same" if len(one) == 10 else "part"
    if abs(int(one[:4]) - int(other[:4])) > YEARS_FAR:
        return "far"
    if len(one) < 10 or len(other) < 10:
        return "part" if one.startswith(other) or other.startswith(one) else "different"
    if one == f"{other[:4]}-{other[8:]}-{other[5:7]}" or _slipped(one, other):
        return "near"
    return "year" if one[:4] == other[:4] else "different"


def _slipped(one: str, other: str) -> bool:
    """True where one character differs, or two neighbouring ones (dashes aside) changed places."""
    ones, others = one.replace("-", ""), other.replace("-", "")
    if len(ones) != len(others):
        return False
    places = [place for place, (a, b) in enumerate(zip(ones, others, strict=True)) if a != b]
    if len(places) == 2 and places[1] == places[0] + 1:
        return ones[places[0]] == others[places[1]] and ones[places[1]] == others[places[0]]
    return len(places) <= 1


def _gender(one: Traits, other: Traits) -> str:
    if not one.gender or not other.gender:
        return "missing"
    return "same" if one.gender == other.gender else "different"


def _postcode(one: Traits, other: Traits) -> str:
    if not one.postcode or not other.postcode:
        return "missing"
    if one.postcode == other.postcode:
        return "same"
    near = one.postcode[:-2] == other.postcode[:-2] or _slipped(one.postcode, other.postcode)
    return "near" if near else "different"


def _address(one: Traits, other: Traits) -> str:
    return _addresses(*sorted((one.address, other.address)))


@lru_cache(maxsize=100_000)
def _addresses(one: str, other: str) -> str:
    if not one or not other:
        return "missing"
    if one == other or one.startswith(f"{other} ") or other.startswith(f"{one} "):
        return "same"
    numbers = {word for word in one.split() if word[0].isdigit()}
    if numbers != {word for word in other.split() if word[0].isdigit()}:
        return "different"  # the next house is another house
    return "near" if JaroWinkler.similarity(one, other) >= ADDRESS_NEAR else "different"


def _telephone(one: Traits, other: Traits) -> str:
    if not one.telephone or not other.telephone:
        return "missing"
    if one.telephone == other.telephone:
        return "same"
    return "near" if _slipped(one.telephone, other.telephone) else "different"


_COMPARING: Mapping[str, Callable[[Traits, Traits], str]] = MappingProxyType(
    {
        "nhs_number": _nhs_number,
        "family": _family,
        "given": _given,
        "birth_date": _birth_date,
        "gender": _gender,
        "postcode": _postcode,
        "address": _address,
        "telephone": _telephone,
    }
)
