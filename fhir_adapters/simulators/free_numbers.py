"""Numbers that belong to nobody real: NHS numbers of the 999 range, telephone numbers kept free for drama."""

from __future__ import annotations

from random import Random

from nhs_number.validate import calculate_checksum

# The first thousand numbers of the range are for the cast, whose numbers must not change with the seed.
RESERVED = 1_000
RANGE = 1_000_000  # 999 and six digits
STEP = 618_033  # coprime to RANGE: walks through every number once, far apart from one to the next


def nhs_number(serial: int) -> str:
    """The NHS number 999 + serial + check digit; empty where modulus 11 gives no digit (one in eleven)."""
    nine = f"999{serial:06d}"
    check = calculate_checksum(nine)
    return "" if check == 10 else f"{nine}{check}"


class NhsNumbers:
    """Hands out each valid number once, in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self._at = Random(f"{seed}:nhs").randrange(RANGE)

    def take(self) -> str:
        """The next number."""
        while True:
            self._at = (self._at + STEP) % RANGE
            number = nhs_number(self._at) if self._at >= RESERVED else ""
            if number:
                return number


def landline(rng: Random) -> str:
    """01632 960000 to 960999: kept free by Ofcom."""
    return f"01632 960{rng.randrange(1000):03d}"


def mobile(rng: Random) -> str:
    """07700 900000 to 900999: kept free by Ofcom."""
    return f"07700 900{rng.randrange(1000):03d}"
