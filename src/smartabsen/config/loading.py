"""Settings: one frozen object, read once, each value with its origin.

Order of precedence: flag > environment (``SMARTABSEN_*``) > ``smartabsen.toml`` in the home > default. The
environment name of ``attendance.start`` is ``SMARTABSEN_ATTENDANCE_START``. Unknown keys and values out of range
are refused with the place they came from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, ValidationError

from ..kernel.domain import SettingValue
from ..kernel.domain.addresses import mask_camera
from ..kernel.errors import ConfigError
from ..kernel.i18n import N_
from ..kernel.reading import read_toml
from .problems import error_of
from .sections import Settings
from .zones import zone_of_home

ENV_PREFIX: Final = "SMARTABSEN_"
TEST_PREFIX: Final = "SMARTABSEN_TEST_"
"""Variables that tell the project's own tests where things are; no settings."""
FILE_NAME: Final = "smartabsen.toml"
CREDENTIAL_NAME: Final = "smartabsen-keys"
"""Name of the systemd credential that holds the keys of the biometric data."""
CREDENTIAL_ORIGIN: Final = "systemd credential"
_SHORT_ENV_NAMES: Final = {
    "server.public_url": "SMARTABSEN_PUBLIC_URL",
    "server.secret_key": "SMARTABSEN_SECRET_KEY",
}
"""Settings whose variables are known without the name of their section."""
_USER: Final = re.compile(r"[\w.%+-]*")
_PLACE: Final = re.compile(r"([\w.-]*|\[[\w:.%]*\])(:\d+)?(/|\?|$)")
"""Host and port, and that nothing else follows."""
_SECRET_OPTION: Final = re.compile(r"(?i)([?&]\w*(?:pass|pwd|secret|token|key)\w*=)[^&]*")
_SECRETS: Final = frozenset({"server.secret_key", "database.password", "keys"})
"""Settings that are never shown."""


class LoadedSettings(BaseModel):
    """Settings with the origin of each value."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    origins: dict[str, str]

    def values(self) -> Iterator[SettingValue]:
        """Yield every setting with its origin; passwords and secrets are masked."""
        for name, about in _names(Settings):
            value: Any = self.settings
            for part in name.split("."):
                value = getattr(value, part)
            if name in ("database_url", "redis_url"):
                value = mask_url(str(value))
            elif name == "kiosk.camera":
                value = mask_camera(str(value))
            elif name in _SECRETS and value:
                value = "***"
            yield SettingValue(name=name, value=value, origin=self.origins.get(name, "default"), about=about)

    def without_secrets(self) -> LoadedSettings:
        """Return the same for a worker process, which needs no database and no key."""
        settings = self.settings.model_copy(update={"keys": "", "keys_file": None, "database_url": ""})
        return LoadedSettings(settings=settings, origins=self.origins)


def load_settings(
    flags: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None
) -> LoadedSettings:
    """Read the settings once.

    Args:
        flags: Dotted name to value, as ``{"attendance.start": "07:30"}``; None values are left out.
        environ: The environment; ``os.environ`` by default.

    Raises:
        ConfigError: A key is unknown, a value out of range, or the file is no TOML.
        StorageError: The file of the site's zone cannot be read.
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
        flat[name] = (value, env_name(name))
    for name, value in given.items():
        flat[name] = (value, "flag")
    if "CREDENTIALS_DIRECTORY" in environ:
        credential = Path(environ["CREDENTIALS_DIRECTORY"]) / CREDENTIAL_NAME
        if credential.is_file():
            flat.setdefault("keys_file", (credential, CREDENTIAL_ORIGIN))
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
    if "site.zone" not in flat:
        zone, zone_origin = zone_of_home(home)
        flat["site.zone"] = (zone, zone_origin or "default")
    try:
        settings = Settings.model_validate(_nest({name: value for name, (value, _) in flat.items()}))
    except ValidationError as exc:
        raise error_of(exc, {name: origin for name, (_, origin) in flat.items()}) from exc
    origins = {name: origin for name, (_, origin) in flat.items()}
    return LoadedSettings(settings=_absolute(settings), origins=origins)


def env_name(name: str) -> str:
    """Return the environment variable of a setting, as ``SMARTABSEN_ATTENDANCE_START``."""
    if name in _SHORT_ENV_NAMES:
        return _SHORT_ENV_NAMES[name]
    return ENV_PREFIX + name.replace(".", "_").upper()


def mask_url(url: str) -> str:
    """Return the address of a database or of Redis without a password, fit to be shown.

    Where it cannot be told for sure what is the password, more is left out than had to be.
    """
    scheme, found, rest = url.partition("://")
    if not url or scheme == "sqlite":
        return url
    # The last @: a password that was not percent-encoded may itself hold @, / or #.
    secret, at, place = rest.rpartition("@")
    if not found or not _PLACE.match(place):
        return f"{scheme}{found}***" if found else "***"
    user, colon, _password = secret.partition(":")
    if not _USER.fullmatch(user) or not (colon or scheme.startswith(("mysql", "mariadb"))):
        user = "***"
    shown = f"{user}{':***' if colon else ''}@" if at else ""
    place = _SECRET_OPTION.sub(r"\1***", place)
    return f"{scheme}://{shown}{place}"


def _home(flags: Mapping[str, object], from_env: Mapping[str, str]) -> tuple[Path, str]:
    if "home" in flags:
        return Path(str(flags["home"])).expanduser(), "flag"
    if "home" in from_env:
        return Path(from_env["home"]).expanduser(), env_name("home")
    return user_data_path("smartabsen", appauthor=False), "default"


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    by_env_name = {env_name(name): name for name, _ in _names(Settings)}
    for variable, value in environ.items():
        if not variable.startswith(ENV_PREFIX) or variable.startswith(TEST_PREFIX) or value == "":
            continue
        if variable not in by_env_name:
            raise ConfigError(
                N_("The environment variable {name} is no setting of smartabsen."),
                hint=N_("“smartabsen config show” lists all settings."),
                name=variable,
            )
        yield by_env_name[variable], value


def _from_file(path: Path) -> Iterator[tuple[str, object]]:
    try:
        document = read_toml(path)
    except FileNotFoundError:
        return
    except NotADirectoryError as exc:
        raise ConfigError(
            N_("The home {home} cannot be used: a file stands where a directory should be."),
            hint=N_("Choose another home: SMARTABSEN_HOME, or --home DIR."),
            home=path.parent,
        ) from exc
    except OSError as exc:
        raise ConfigError(
            N_("The settings file {path} cannot be read."),
            hint=N_("It must be a file that this user may read; check its rights."),
            path=path,
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(
            N_("The settings file {path} is not in UTF-8."),
            hint=N_("Save it anew in your editor with the encoding UTF-8."),
            path=path,
        ) from exc
    except ValueError as exc:
        raise ConfigError(
            N_("The settings file {path} is no valid TOML: {problem}"),
            hint=N_("docs/settings.md shows a file that works."),
            path=path,
            problem=exc,
        ) from exc
    if "home" in document:
        raise ConfigError(
            N_("The home cannot be set in {path}: this file is looked for in the home."),
            hint=N_("Delete that line, and set SMARTABSEN_HOME or use --home DIR."),
            path=path,
        )
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
            "keys_file": settings.keys_file and settings.keys_file.expanduser().absolute(),
        }
    )
