"""Settings: precedence, origins and refusals."""

from datetime import time
from pathlib import Path

import pytest

from smartabsen.config import load_settings, mask_url
from smartabsen.errors import ConfigError


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
        ({"SMARTABSEN_SITE_ZONE": "Mars/Base"}, ["site.zone", "SMARTABSEN_SITE_ZONE", "Asia/Jakarta"]),
        ({"SMARTABSEN_ATTENDANCE_COOLDOWN_S": "-1"}, ["attendance.cooldown_s", "greater than or equal to 0"]),
        ({"SMARTABSEN_ATTENDANCE_START": "25:00"}, ["attendance.start"]),
        ({"SMARTABSEN_KIOSK_SOUND": "loud"}, ["kiosk.sound", "'off', 'beep' or 'voice'"]),
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


def test_every_setting_says_what_it_is() -> None:
    """``config show`` explains each value."""
    assert all(value.about for value in load_settings(environ={}).values())
