"""Addresses with signs that they keep for themselves: told with what to write, and never shown in part."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from smartabsen.kernel.errors import ConfigError
from smartabsen.store.address import checked_url
from smartabsen.store.redis_store import RedisLink
from smartabsen.upkeep.public_settings import public_settings


@pytest.mark.parametrize(
    ("read", "address", "sign", "code"),
    [
        (RedisLink, "redis://:ra#ha@127.0.0.1:6390/0", "#", "%23"),
        (RedisLink, "redis://:ra/ha@h/0", "/", "%2F"),
        (RedisLink, "redis://:ra?ha@h/0", "?", "%3F"),
        (RedisLink, "redis://:ra[ha@h/0", "[", "%5B"),
        (RedisLink, "redis://:ra]ha@h/0", "]", "%5D"),
        (RedisLink, "redis://:ra#ha", "#", "%23"),
        (checked_url, "mysql+pymysql://u:ra@ha@h/db", "@", "%40"),
        (checked_url, "mysql+pymysql://u:ra/h@a@h/db", "/", "%2F"),
        (checked_url, "mysql+pymysql://u:ra?h@a@h/db", "?", "%3F"),
        (checked_url, "mysql+pymysql://ra/ha:x@h/db", "/", "%2F"),
    ],
)
def test_a_reserved_sign_is_told_with_what_to_write(
    read: Callable[[str], object], address: str, sign: str, code: str
) -> None:
    """Nothing of the address is in the words, nor in the traceback that --debug shows."""
    with pytest.raises(ConfigError) as caught:
        read(address)
    assert str(caught.value).endswith(f"cannot be understood; write {sign} in a password as {code}.")
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert "raha" not in shown and "ha@" not in shown and "'ra" not in shown


@pytest.mark.parametrize(
    ("read", "address"),
    [
        (RedisLink, "redis://h:raha/0"),
        (RedisLink, "redis://:raha"),
        (RedisLink, "redis://h:99999/0"),
        (RedisLink, "http://h"),
        (checked_url, "mysql+pymysql://u@h:raha/db"),
        (checked_url, "mysql+pymysql://u:raha@h"),
        (checked_url, "postgresql://u:raha@h/db"),
        (checked_url, "raha"),
    ],
)
def test_any_other_address_that_cannot_be_used_is_refused_without_it(
    read: Callable[[str], object], address: str
) -> None:
    """A port that is no number is no bug of ours."""
    with pytest.raises(ConfigError) as caught:
        read(address)
    assert "raha" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("option", ["foo=raha", "db=raha"])
def test_an_option_of_redis_that_does_not_exist_is_refused(option: str) -> None:
    """Before anybody connects."""
    pytest.importorskip("redis")
    with pytest.raises(ConfigError, match="option") as caught:
        RedisLink(f"redis://h/0?{option}").ping()
    assert "raha" not in str(caught.value)


def test_signs_that_are_read_rightly_stay_allowed() -> None:
    """What worked so far goes on working."""
    assert RedisLink("redis://:ra%23ha@h/0").address == "redis://h/0"
    assert RedisLink("redis://:r@a:ha@[::1]:6379/0").address == "redis://[::1]:6379/0"
    assert checked_url("mysql+pymysql://u:ra#h:a@h/db").password == "ra#h:a"
    assert str(checked_url("sqlite:////tmp/a@b/c.db").database) == "/tmp/a@b/c.db"


def test_a_backup_holds_no_password_of_an_address(tmp_path: Path) -> None:
    """Whatever signs it has, and whatever the setting is called."""
    path = tmp_path / "smartabsen.toml"
    path.write_text('language = "id"\n[kiosk]\ncamera = "rtsp://u:ra/ha@h/1"\n[site]\nname = "h?pwd=raha"\n')
    kept = public_settings(path)
    assert "language" in kept and "ha" not in kept
