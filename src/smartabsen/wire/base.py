"""What all schemas share: they are frozen, read the data of other places by its attributes, and become plain JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema


class Wire(BaseModel):
    """A thing as it leaves the program."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, extra="forbid", serialize_by_alias=True, ser_json_inf_nan="constants"
    )

    @classmethod
    def of(cls, value: Any, /, **more: Any) -> Self:
        """Make it of the data of a place; ``more`` is what that does not know, as a sentence for people."""
        return cls.model_validate(_Beside(value, more) if more else value)

    @classmethod
    def find(cls, value: Any) -> Self | None:
        """Make it of something that may be None, which stays None."""
        return None if value is None else cls.of(value)

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")


class _Beside:
    """The attributes of a value with some more, which come first."""

    def __init__(self, value: object, more: dict[str, Any]) -> None:
        self.__dict__.update(more)
        self._value = value

    def __getattr__(self, name: str) -> object:
        return getattr(self._value, name)


def rounded(value: float | None, digits: int) -> float | None:
    """Return a JSON number: numpy's are none, and a cosine has no sixteen digits."""
    return None if value is None else round(float(value), digits)


def _rounded(digits: int) -> BeforeValidator:
    return BeforeValidator(lambda value: rounded(value, digits))


Instant = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""ISO 8601 with an offset."""
WorkDate = date
"""A local day, under another name than the fields that hold it."""
LocalTime = Annotated[str | None, BeforeValidator(lambda value: None if value is None else f"{value:%H:%M:%S}")]
"""A time of day of the site."""
Text = Annotated[str, BeforeValidator(str)]
TextOrNone = Annotated[str | None, BeforeValidator(lambda value: value or None)]
"""An empty text is null."""
Pixels = Annotated[float, _rounded(1)]
Cosine = Annotated[float, _rounded(4)]
CosineOrNone = Annotated[float | None, _rounded(4)]
Sine = Annotated[float, _rounded(3)]
Seconds = Annotated[float, _rounded(2)]
