"""Settings: precedence, origins and refusals."""

import re
from datetime import time
from pathlib import Path

import pytest

from smartabsen.config import load_settings, mask_url
from smartabsen.kernel.errors import ConfigError
from smartabsen.kernel.i18n import describe_error, use_language


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    """Each value comes from the strongest source that names it, and tells which that was."""
    (tmp_path / "smartabsen.toml").write_text(
        'engine = "insightface"\nlanguage = "id"\n[attendance]\nstart = "07:00"\ngrace_minutes = 5\ncooldown_s = 10\n'
    )
    environ = {
        "SMARTABSEN_HOME": str(tmp_path),
        "SMARTABSEN_ENGINE": "openvino",
        "SMARTABSEN_ATTENDANCE_GRACE_MINUTES": "10",
    }
    loaded = load_settings({"engine": "dlib", "language": None}, environ=environ)
    found = {value.name: (value.value, value.origin) for value in loaded.values()}
    assert found["engine"] == ("dlib", "flag")
    assert found["attendance.grace_minutes"] == (10, "SMARTABSEN_ATTENDANCE_GRACE_MINUTES")
    assert found["attendance.start"] == (time(7, 0), str(tmp_path / "smartabsen.toml"))
    assert found["language"][0] == "id"
    assert found["attendance.min_work_minutes"] == (60, "default")
    assert found["home"] == (tmp_path, "SMARTABSEN_HOME")


def test_paths_follow_the_home_unless_they_are_named(tmp_path: Path) -> None:
    """Models, database and log lie in the home by default."""
    settings = load_settings({"home": str(tmp_path)}, environ={}).settings
    assert settings.models_dir == tmp_path / "models"
    assert settings.database_address == f"sqlite:///{tmp_path / 'smartabsen.db'}"
    assert settings.csv_dir == tmp_path / "Attendance"


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"SMARTABSEN_ENGIN": "dlib"}, ["SMARTABSEN_ENGIN"]),
        ({"SMARTABSEN_SITE_ZONE": "Mars/Base"}, ["site.zone", "SMARTABSEN_SITE_ZONE", "Mars/Base"]),
        ({"SMARTABSEN_ATTENDANCE_COOLDOWN_S": "-1"}, ["attendance.cooldown_s", "at least 0 is wanted"]),
        ({"SMARTABSEN_ATTENDANCE_START": "25:00"}, ["attendance.start"]),
        ({"SMARTABSEN_KIOSK_VOTES": "many"}, ["kiosk.votes", "a whole number is wanted"]),
        ({"SMARTABSEN_RECOGNITION_MARGIN": "x"}, ["recognition.margin", "a number is wanted"]),
        ({"SMARTABSEN_SERVER_PRODUCTION": "perhaps"}, ["server.production", "true or false is wanted"]),
        ({"SMARTABSEN_SIGNIN_ALLOWED_NETWORKS": "office"}, ["signin.allowed_networks", "no list of networks"]),
        ({"SMARTABSEN_PUBLIC_URL": "ftp://x"}, ["server.public_url", "no address of a server"]),
        ({"SMARTABSEN_KIOSK_SOUND": "loud"}, ["kiosk.sound", "one of off / beep / voice is wanted"]),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_and_origin(environ: dict[str, str], names: list[str]) -> None:
    """A typing error never falls back to a default in silence."""
    with pytest.raises(ConfigError) as caught:
        load_settings(environ=environ)
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize("text", ["engine = ", "colour = 1\n", "[attendance]\nstarts = '08:00'\n"])
def test_a_wrong_file_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    """Broken TOML and unknown keys name the file."""
    (tmp_path / "smartabsen.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"smartabsen\.toml"):
        load_settings({"home": tmp_path}, environ={})


def test_an_unknown_section_is_refused(tmp_path: Path) -> None:
    """A section that does not exist is no setting."""
    (tmp_path / "smartabsen.toml").write_text("[attendence]\nstart = '08:00'\n")
    with pytest.raises(ConfigError, match="attendence"):
        load_settings({"home": tmp_path}, environ={})


def test_a_password_is_never_shown() -> None:
    """A database URL is masked, whatever the password holds."""
    assert mask_url("mysql+pymysql://root:p@ss:w/rd@db.example/x") == "mysql+pymysql://root:***@db.example/x"
    loaded = load_settings(environ={"SMARTABSEN_DATABASE_URL": "mysql+pymysql://u:secret@db/x"})
    assert not any("secret" in str(value.value) for value in loaded.values())
    assert "secret" not in repr(loaded)


@pytest.mark.parametrize(
    "address",
    ["redis://:ra#ha@h:6390/0", "redis://:ra/ha@h/0", "redis://:ra?ha@h", "redis://:ra@ha@h", "redis://raha@h",
     "redis://:raha", "redis://h?password=raha", "redis://h:raha/0", "mysql+pymysql://u:ra#ha@h/db",
     "mysql+pymysql://u:ra/h@a@h/db", "mysql+pymysql://u/x:raha@h/db", "mysql+pymysql://u@h/db?password=raha", "raha"],
)  # fmt: skip
def test_no_part_of_a_password_is_shown(address: str) -> None:
    """Also not where an address keeps the signs of the password for itself."""
    assert not re.search("ra|ha", mask_url(address))


@pytest.mark.parametrize("address", ["https://h:ra/", "https://[h", "https://u:pw@h", "https://h:99999"])
def test_an_address_of_the_server_that_is_none_is_refused(address: str) -> None:
    """When it is read, not when it is used."""
    with pytest.raises(ConfigError, match="is no address of a server"):
        load_settings(environ={"SMARTABSEN_PUBLIC_URL": address})


def test_every_setting_says_what_it_is() -> None:
    """``config show`` explains each value."""
    assert all(value.about for value in load_settings(environ={}).values())


@pytest.mark.parametrize("name", ["start", "day_starts_at"])
@pytest.mark.parametrize("text", ["7", "7.5", '"08:00Z"', '"08:00+07:00"', '"25:00"', "1979-05-27T07:32:00", "true"])
def test_a_time_of_day_has_hours_and_minutes_and_no_zone(tmp_path: Path, name: str, text: str) -> None:
    """A bare number or a time with a zone is refused when settings are read, not at the first punch."""
    (tmp_path / "smartabsen.toml").write_text(f"[attendance]\n{name} = {text}\n")
    with pytest.raises(ConfigError, match="is no time of day") as caught:
        load_settings({"home": tmp_path}, environ={})
    assert '"07:00"' in caught.value.hint


@pytest.mark.parametrize("text", ["7.30", "07.30", "7:30", "07:30", " 07:30:00 "])
def test_a_time_may_be_written_the_indonesian_way(text: str) -> None:
    """Half past seven is 7.30 in Indonesia."""
    settings = load_settings(environ={"SMARTABSEN_ATTENDANCE_START": text}).settings
    assert settings.attendance.start == time(7, 30)


@pytest.mark.parametrize(
    "environ",
    [
        {"SMARTABSEN_ATTENDANCE_COOLDOWN_S": "-1"},
        {"SMARTABSEN_ATTENDANCE_COOLDOWN_S": "satu"},
        {"SMARTABSEN_KIOSK_SOUND": "loud"},
        {"SMARTABSEN_SITE_ZONE": "Mars/Base"},
    ],
)
def test_what_is_wrong_with_a_setting_is_told_in_the_persons_language(environ: dict[str, str]) -> None:
    """No sentence of a library stands inside an Indonesian message."""
    with pytest.raises(ConfigError) as caught, use_language("id"):
        load_settings(environ=environ)
    with use_language("id"):
        message, hint = describe_error(caught.value)
    assert message.startswith("Pengaturan ")
    assert "should" not in message and "wanted" not in message and hint


def test_the_home_is_not_set_in_a_file_that_lies_in_it(tmp_path: Path) -> None:
    """A line that could never be followed is refused instead of being shown as in force."""
    (tmp_path / "smartabsen.toml").write_text('home = "/srv/absen"\n')
    with pytest.raises(ConfigError, match="cannot be set in") as caught:
        load_settings({"home": tmp_path}, environ={})
    assert "SMARTABSEN_HOME" in caught.value.hint


def test_a_file_in_another_encoding_says_how_to_save_it(tmp_path: Path) -> None:
    """Windows' editor once saved UTF-16."""
    path = tmp_path / "smartabsen.toml"
    path.write_text('engine = "dlib"\n', encoding="utf-16")
    with pytest.raises(ConfigError, match="not in UTF-8") as caught:
        load_settings({"home": tmp_path}, environ={})
    assert str(caught.value).count(str(path)) == 1
    assert "encoding UTF-8" in caught.value.hint


def test_a_home_at_the_place_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    """The path stands there once, without the system's error number."""
    file = tmp_path / "file"
    file.write_text("")
    for home in (file, file / "below"):
        with pytest.raises(ConfigError, match="a file stands where a directory should be") as caught:
            load_settings({"home": home}, environ={})
        assert str(caught.value).count(str(home)) == 1
        assert "Errno" not in str(caught.value)


def test_the_password_of_the_camera_is_not_shown() -> None:
    """Neither by ``config show`` nor where somebody prints the settings."""
    loaded = load_settings({"kiosk.camera": "rtsp://admin:Rahasia1@10.0.0.9/ch1"}, environ={})
    shown = {value.name: value.value for value in loaded.values()}
    assert shown["kiosk.camera"] == "rtsp://admin:***@10.0.0.9/ch1"
    assert "Rahasia1" not in repr(loaded)
