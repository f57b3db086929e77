"""Settings: one frozen object, read once, each value with its origin.

Order of precedence: flag > environment (``SMARTABSEN_*``) > ``smartabsen.toml`` in the home > default. The
environment name of ``attendance.start`` is ``SMARTABSEN_ATTENDANCE_START``. Unknown keys and values out of range
are refused with the place they came from.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .domain import SettingValue
from .errors import ConfigError
from .i18n import N_

ENV_PREFIX: Final = "SMARTABSEN_"
TEST_PREFIX: Final = "SMARTABSEN_TEST_"
"""Variables that tell the project's own tests where things are; no settings."""
FILE_NAME: Final = "smartabsen.toml"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(
            f"“{name}” is no IANA time zone; Indonesia has Asia/Jakarta, Asia/Makassar, Asia/Jayapura"
        ) from exc
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Cosine = Annotated[float, Field(gt=-1.0, lt=1.0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SiteSettings(_Section):
    """Where this installation stands."""

    name: str = Field("", max_length=100, description=N_("Name of the site, shown to people."))
    zone: ZoneName = Field(
        "Asia/Jakarta", description=N_("IANA time zone: Asia/Jakarta, Asia/Makassar, Asia/Jayapura ...")
    )
    kiosk: str = Field("", max_length=100, description=N_("Name of this kiosk; empty takes the machine's name."))


class AttendanceSettings(_Section):
    """The rules that turn punches into days."""

    start: time = Field(time(8, 0), description=N_("Start of work, local time."))
    grace_minutes: int = Field(0, ge=0, le=240, description=N_("Minutes after the start that are not late yet."))
    day_starts_at: time = Field(time(4, 0), description=N_("A punch before this local time belongs to the day before."))
    cooldown_s: int = Field(
        60, ge=0, le=86_400, description=N_("A second punch within so many seconds writes nothing.")
    )
    min_work_minutes: int = Field(
        60, ge=0, le=1_440, description=N_("A departure is a punch at least so many minutes after the arrival.")
    )


class RecognitionSettings(_Section):
    """How faces are found and compared."""

    detector: str = Field(
        "auto", description=N_("Detector in front of the engine: auto, haar, hog, scrfd, yunet, retail.")
    )
    matcher: str = Field(
        "auto",
        description=N_("auto (by the size of the gallery), knn (scikit-learn), exact (NumPy) or binary (faiss)."),
    )
    threshold: Cosine | None = Field(
        None, description=N_("Cosine a recognition needs; empty takes the engine's measured one.")
    )
    margin: Fraction | None = Field(
        None, description=N_("Distance to the second-best person; empty takes the engine's measured one.")
    )
    detect_px: int = Field(
        1_280,
        ge=160,
        le=8_000,
        description=N_("Longer side of a photo that detection works on; larger finds smaller faces."),
    )
    min_face_px: int = Field(60, ge=20, le=1_000, description=N_("Faces with a shorter side are too small."))
    threads: int = Field(
        0, ge=0, le=256, description=N_("Threads of runtimes, OpenCV and linear algebra; 0 lets smartabsen choose.")
    )
    runtime: Literal["auto", "onnxruntime", "openvino"] = Field(
        "auto", description=N_("What runs ONNX models: auto (the faster one here), onnxruntime or openvino.")
    )
    device: Literal["auto", "cpu", "cuda", "coreml"] = Field(
        "auto", description=N_("Where ONNX models run: auto, cpu, cuda or coreml; “doctor” shows the one really used.")
    )


class EnrolmentSettings(_Section):
    """What enrolment accepts."""

    max_photos: int = Field(30, ge=1, le=200, description=N_("Templates kept of one person."))
    min_accuracy: Fraction = Field(
        0.99, description=N_("Leave-one-out accuracy below which a training is not activated.")
    )


class KioskSettings(_Section):
    """The recognition session at a camera."""

    camera: str = Field("0", description=N_("Device number, rtsp://..., a video file or a folder of pictures."))
    sound: Literal["off", "beep", "voice"] = Field(
        "beep", description=N_("How a decision is heard: off, beep or voice.")
    )
    votes: int = Field(3, ge=1, le=15, description=N_("Frames that must agree before a decision."))
    detect_px: int | None = Field(
        None,
        ge=160,
        le=3_840,
        description=N_("Longer side of the frame that detection works on; empty: the detector's own."),
    )


class Settings(_Section):
    """All settings, frozen. Make one with :func:`load_settings`."""

    home: Path = Field(description=N_("Directory of everything: database, models, trained model, attendance log."))
    engine: str = Field("auto", description=N_("Recognition engine: auto, insightface, openvino or dlib."))
    pack: str = Field(
        "auto",
        description=N_("InsightFace pack: a name below models_dir/insightface, or a folder; auto takes the best."),
    )
    models_dir: Path = Field(description=N_("Directory of the model files."))
    database_url: str = Field("", description=N_("SQLAlchemy URL; empty takes SQLite in the home."), repr=False)
    language: Literal["auto", "id", "en"] = Field("auto", description=N_("Language for people: auto, id or en."))
    accept_noncommercial: bool = Field(
        False,
        description=N_("You have read that InsightFace packs are for non-commercial research only, and may use them."),
    )
    site: SiteSettings = SiteSettings()
    attendance: AttendanceSettings = AttendanceSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    kiosk: KioskSettings = KioskSettings()

    @property
    def database_address(self) -> str:
        """The URL in force: the one set, or that of the embedded SQLite."""
        return self.database_url or f"sqlite:///{self.home / 'smartabsen.db'}"

    @property
    def assets_dir(self) -> Path:
        """Where the trained model lies."""
        return self.home / "assets"

    @property
    def csv_dir(self) -> Path:
        """Where the attendance log lies, one file a work date."""
        return self.home / "Attendance"


class LoadedSettings(BaseModel):
    """Settings with the origin of each value."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    origins: dict[str, str]

    def values(self) -> Iterator[SettingValue]:
        """Yield every setting with its origin; passwords in URLs are masked."""
        for name, about in _names(Settings):
            value: Any = self.settings
            for part in name.split("."):
                value = getattr(value, part)
            if name == "database_url":
                value = mask_url(str(value))
            yield SettingValue(name=name, value=value, origin=self.origins.get(name, "default"), about=about)


def load_settings(
    flags: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None
) -> LoadedSettings:
    """Read the settings once.

    Args:
        flags: Dotted name to value, as ``{"attendance.start": "07:30"}``; None values are left out.
        environ: The environment; ``os.environ`` by default.

    Raises:
        ConfigError: A key is unknown, a value out of range, or the file is no TOML.
    """
    environ = os.environ if environ is None else environ
    flat: dict[str, tuple[object, str]] = {}
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    from_env = dict(_from_environment(environ))
    home, home_origin = _home(given, from_env)
    if home_origin != "default":
        flat["home"] = (home, home_origin)
    file_path = home / FILE_NAME
    for name, value in _from_file(file_path):
        flat[name] = (value, str(file_path))
    for name, value in from_env.items():
        flat[name] = (value, _env_name(name))
    for name, value in given.items():
        flat[name] = (value, "flag")
    known = dict(_names(Settings))
    for name, (_value, origin) in flat.items():
        if name not in known:
            raise ConfigError(
                N_("Unknown setting {name} (from {origin})."),
                hint=N_("“smartabsen config show” lists all settings."),
                name=name,
                origin=origin,
            )
    flat.setdefault("home", (home, "default"))
    flat.setdefault("models_dir", (home / "models", "default"))
    try:
        settings = Settings.model_validate(_nest({name: value for name, (value, _) in flat.items()}))
    except ValidationError as exc:
        problem = exc.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(
            N_("The setting {name} (from {origin}) is not usable: {problem}."),
            hint=N_("“smartabsen config show” lists all settings and what they mean."),
            name=name,
            origin=flat.get(name, (None, "default"))[1],
            problem=str(problem["msg"]).removeprefix("Value error, ").rstrip("."),
        ) from exc
    origins = {name: origin for name, (_, origin) in flat.items()}
    return LoadedSettings(settings=_absolute(settings), origins=origins)


def mask_url(url: str) -> str:
    """Return a database URL with its password replaced, fit to be shown."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)


def _home(flags: Mapping[str, object], from_env: Mapping[str, str]) -> tuple[Path, str]:
    if "home" in flags:
        return Path(str(flags["home"])).expanduser(), "flag"
    if "home" in from_env:
        return Path(from_env["home"]).expanduser(), _env_name("home")
    return user_data_path("smartabsen", appauthor=False), "default"


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    by_env_name = {_env_name(name): name for name, _ in _names(Settings)}
    for env_name, value in environ.items():
        if not env_name.startswith(ENV_PREFIX) or env_name.startswith(TEST_PREFIX) or value == "":
            continue
        if env_name not in by_env_name:
            raise ConfigError(
                N_("The environment variable {name} is no setting of smartabsen."),
                hint=N_("“smartabsen config show” lists all settings."),
                name=env_name,
            )
        yield by_env_name[env_name], value


def _from_file(path: Path) -> Iterator[tuple[str, object]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(N_("The settings file {path} cannot be read: {problem}"), path=path, problem=exc) from exc
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(N_("The settings file {path} is no valid TOML: {problem}"), path=path, problem=exc) from exc
    for key, value in document.items():
        if isinstance(value, dict):
            for inner, inner_value in value.items():
                yield f"{key}.{inner}", inner_value
        else:
            yield key, value


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _names(info.annotation, f"{name}.")
        else:
            yield prefix + name, info.description or ""


def _env_name(name: str) -> str:
    return ENV_PREFIX + name.replace(".", "_").upper()


def _nest(flat: Mapping[str, object]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        section, _, key = name.rpartition(".")
        (nested.setdefault(section, {}) if section else nested)[key] = value
    return nested


def _absolute(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "home": settings.home.expanduser().absolute(),
            "models_dir": settings.models_dir.expanduser().absolute(),
        }
    )
