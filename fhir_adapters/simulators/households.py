"""Draws invented people, household by household: alone, couples, twins, father and son of one name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators import vocabulary
from fhir_adapters.simulators.free_numbers import NhsNumbers, landline, mobile
from fhir_adapters.simulators.people import (
    COUNCIL_A,
    COUNCIL_B,
    GP,
    HOSPITAL,
    OTHER_PRACTICES,
    PDS,
    PRACTICE,
    Address,
    Person,
)
from fhir_adapters.simulators.vocabulary import Tradition

# Ages are counted from here, not from today: who people are does not change with the day on which records are made.
COUNTED_FROM = date(2026, 6, 30)
AGES = ((60, (65, 98)), (24, (50, 64)), (13, (18, 49)), (3, (1, 17)))  # of a hundred people
TWINS_EVERY = 50  # people drawn between two pairs of twins
NAMESAKES_EVERY = 70  # and between two fathers with a son of the same name
# Of a hundred people: where their social care is. Both: they moved.
COUNCILS = ((45, (COUNCIL_A,)), (10, (COUNCIL_A, COUNCIL_B)), (25, (COUNCIL_B,)), (20, ()))
IN_HOSPITAL = 60
AT_PRACTICE = 85


@dataclass
class Households:
    """Gives people for ever; everyone's number and name with birth date is their own."""

    seed: int
    numbers: NhsNumbers
    known: set[tuple[str, str, date]]
    drawn: int = 0

    def people(self) -> Iterator[Person]:
        """Person after person, those of a household one after the other."""
        while True:
            yield from self._household()

    def _household(self) -> list[Person]:
        rng = Random(f"{self.seed}:household:{self.drawn}")
        if self.drawn % TWINS_EVERY == TWINS_EVERY // 2:
            drawing = self._twins
        elif self.drawn % NAMESAKES_EVERY == NAMESAKES_EVERY // 2:
            drawing = self._namesakes
        else:
            drawing = self._couple if rng.random() < 0.15 else self._alone
        self.drawn += 1
        return drawing(rng)

    def _alone(self, rng: Random) -> list[Person]:
        return [self._one(rng)]

    def _couple(self, rng: Random) -> list[Person]:
        first = self._one(rng)
        if first.age(COUNTED_FROM) < 20:
            return [first]
        gender = "male" if first.gender == "female" else "female"
        born = first.born + timedelta(days=rng.randrange(-1800, 1800))
        return [first, self._one(rng, like=first, gender=gender, born=born)]

    def _twins(self, rng: Random) -> list[Person]:
        first = self._one(rng)
        return [first, self._one(rng, like=first, gender=first.gender, born=first.born)]

    def _namesakes(self, rng: Random) -> list[Person]:
        born = COUNTED_FROM - timedelta(days=rng.randrange(70 * 365, 92 * 365))
        father = self._one(rng, gender="male", born=born)
        son = self._one(rng, like=father, gender="male", born=born + timedelta(days=rng.randrange(22 * 365, 34 * 365)))
        return [father, replace(son, given=father.given)]

    def _one(self, rng: Random, like: Person | None = None, gender: str = "", born: date | None = None) -> Person:
        """A person; `like` gives tradition, family name and address."""
        tradition = _tradition(rng, like)
        gender = gender or rng.choices(("female", "male", "other"), (560, 438, 2))[0]
        born = born or _birth_date(rng)
        family = like.family if like else rng.choice(tradition.family)
        given = self._given(rng, tradition, gender, family, born, like.given if like else ())
        address = like.address if like else _address(rng)
        return Person(
            key=f"p{self.drawn:06d}{'b' if like else 'a'}",
            nhs_number=self.numbers.take(),
            title=_title(rng, gender, born),
            given=given,
            family=family,
            gender=gender,
            born=born,
            address=address,
            former_address=_address(rng),
            landline=like.landline if like else landline(rng),
            mobile=mobile(rng),
            email=_email(rng, given[0], self.drawn),
            ethnicity=like.ethnicity if like else rng.choice(tradition.ethnicity),
            language=_language(rng, tradition),
            practice=PRACTICE if rng.randrange(100) < AT_PRACTICE else rng.choice(OTHER_PRACTICES),
            sources=frozenset(),
            died_days_ago=rng.randrange(5, 700) if rng.random() < 0.012 and born.year < 1960 else 0,
            maiden=rng.choice(tradition.family) if gender == "female" and rng.random() < 0.5 else "",
        )

    def _given(
        self, rng: Random, tradition: Tradition, gender: str, family: str, born: date, taken: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Given names, none of them `taken` in the household.

        Nobody of the same family name and birth date has a like first name already.
        """
        every = tradition.male if gender == "male" else tradition.female
        names = [name for name in every if name not in taken]
        while True:
            first, second = rng.sample(names, 2)
            alike = {first, *vocabulary.called().get(first, ())}
            if not any((one, family, born) in self.known for one in alike):
                self.known |= {(one, family, born) for one in alike}
                return (first, second) if rng.random() < 0.55 else (first,)


def settled(person: Person) -> Person:
    """The person with the sources that hold them."""
    rng = Random(f"{person.nhs_number}:sources")
    councils = rng.choices([one for _, one in COUNCILS], [share for share, _ in COUNCILS])[0]
    sources = {PDS, *councils}
    sources |= {GP} if person.practice == PRACTICE else set()
    sources |= {HOSPITAL} if rng.randrange(100) < IN_HOSPITAL else set()
    return replace(person, sources=frozenset(sources))


def _tradition(rng: Random, like: Person | None) -> Tradition:
    every = vocabulary.traditions()
    if like:
        return next(one for one in every if like.family in one.family and like.ethnicity in one.ethnicity)
    return rng.choices(every, [one.share for one in every])[0]


def _birth_date(rng: Random) -> date:
    low, high = rng.choices([ages for _, ages in AGES], [share for share, _ in AGES])[0]
    return COUNTED_FROM - timedelta(days=rng.randrange(low * 365, (high + 1) * 365))


def _address(rng: Random) -> Address:
    places = vocabulary.places()
    street = places["street"]
    town = rng.choice(places["town"])
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    inward = f"{rng.randrange(1, 10)}{rng.choice(letters)}{rng.choice(letters)}"
    line = f"{rng.randrange(1, 180)} {rng.choice(street['first'])} {rng.choice(street['second'])}"
    before: tuple[str, ...] = ()
    if rng.random() < 0.12:
        before = (f"Flat {rng.randrange(1, 30)}",)
    elif rng.random() < 0.07:
        before = (rng.choice(street["home"]),)
    return Address((*before, line), town["name"], f"{rng.choice(town['outward'])} {inward}")


def _title(rng: Random, gender: str, born: date) -> str:
    if born.year > 2010 or gender == "other":
        return ""
    return rng.choice(("Mr", "Mr", "Mr", "Dr")) if gender == "male" else rng.choice(("Mrs", "Mrs", "Miss", "Ms"))


def _email(rng: Random, given: str, serial: int) -> str:
    plain = "".join(letter for letter in given.lower() if letter.isascii() and letter.isalpha())
    return f"{plain}.{serial}@mail.example" if rng.random() < 0.25 and plain else ""


def _language(rng: Random, tradition: Tradition) -> str:
    return tradition.language if rng.random() < 0.4 else "English"
