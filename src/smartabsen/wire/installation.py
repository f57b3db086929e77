"""Users, sessions and phones; models, checks and settings of an installation."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from ..kernel import domain
from ..kernel.messages import fill
from .base import Instant, TextOrNone, Wire
from .people import Person


class Phone(Wire):
    """A paired phone."""

    id: int
    employee: Person
    label: str
    paired_at: Instant = Field(validation_alias="created_at")
    last_used_at: Instant | None


class Pairing(Wire):
    """An invitation to pair a phone, and the phone that used it up."""

    employee: Person
    url: str
    expires_at: Instant
    phone: Phone | None


class User(Wire):
    """A user of the dashboard."""

    name: str
    role: domain.Role
    active: bool
    created_at: Instant
    last_login_at: Instant | None
    locked_until: Instant | None
    must_change_password: bool
    second_factor: bool = Field(validation_alias="has_totp")
    department: TextOrNone
    employee: TextOrNone


class OpenSession(Wire):
    """A session of a user of the dashboard."""

    id: str
    began_at: Instant
    last_seen_at: Instant
    ends_at: Instant
    address: str
    browser: str = Field(validation_alias="label")


class ModelFile(Wire):
    """A file of a model pack, with the digest that was found."""

    name: str
    sha256: str
    published_sha256: TextOrNone


class Model(Wire):
    """A model pack and its copy on this machine."""

    name: str
    engine: str
    purpose: str
    licence: str
    licence_class: domain.LicenceClass
    source: str
    dimension: int
    claimed: str
    state: str
    path: str
    files: tuple[ModelFile, ...]

    @classmethod
    def of(cls, value: domain.ModelStatus, /, **more: Any) -> Self:
        """Make it of what is known of a pack."""
        files = tuple(
            ModelFile(name=name, sha256=digest, published_sha256=published)
            for name, digest, published in value.compared_files()
        )
        return super().of(value, files=files, **more)


class Check(Wire):
    """One row of doctor."""

    name: str
    level: domain.CheckLevel
    detail: str
    fix: str

    @classmethod
    def of(cls, value: domain.Check, /, **more: Any) -> Self:
        """Make it of a check, in the current language."""
        return super().of(value, detail=fill(value.detail, value.params), fix=fill(value.fix, value.params), **more)


class Setting(Wire):
    """A setting: its value is a JSON scalar."""

    name: str
    value: bool | int | float | str | None
    origin: str
    about: str

    @classmethod
    def of(cls, value: domain.SettingValue, /, **more: Any) -> Self:
        """Make it of a setting; what is no JSON scalar is told as text."""
        plain = value.value if isinstance(value.value, bool | int | float | None) else str(value.value)
        return super().of(value, value=plain, **more)
