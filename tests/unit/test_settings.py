"""A wrong setting stops the start with one line that says which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from carelink.errors import Invalid
from carelink.settings import KEYS, Settings, load


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_what_is_set_is_read_in_its_type(tmp_path: Path) -> None:
    settings = load(
        {"CARELINK_PLACE": str(tmp_path), "CARELINK_SESSION_MINUTES": "45", "CARELINK_COOKIE_SECURE": "yes"}
    )
    assert (settings.place, settings.session_minutes, settings.cookie_secure) == (tmp_path, 45, True)


WRONG = [
    ("CARELINK_PLACE", "/no/such/folder", "is not a folder"),
    ("CARELINK_DATABASE_URL", "mysql://somewhere", "must start with postgresql://"),
    ("CARELINK_REDIS_URL", "http://somewhere", "must start with redis://"),
    ("CARELINK_BASE_URL", "carelink.example", "must start with http:// or https://"),
    ("CARELINK_SESSION_MINUTES", "0", "must be 1 or more"),
    ("CARELINK_SESSION_MINUTES", "soon", "soon"),
    ("CARELINK_COHORT", "/no/such/file", "is not a file"),
    ("CARELINK_WEB_WORKERS", "-1", "must be 1 or more"),
    ("CARELINK_COOKIE_SECURE", "perhaps", "must be true or false"),
]


@pytest.mark.parametrize(("key", "value", "words"), WRONG)
def test_a_wrong_value_names_its_key_and_what_to_do(key: str, value: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as stopped:
        load({key: value})
    assert stopped.value.place == key


def test_every_setting_has_a_key() -> None:
    assert {name for name, _ in KEYS.values()} == set(Settings.__dataclass_fields__)
