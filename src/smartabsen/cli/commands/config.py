"""``smartabsen config``."""

from dataclasses import replace
from pathlib import Path

from ... import wire
from ...config import LoadedSettings, Settings
from ...kernel.domain import SettingValue
from ...kernel.errors import ConfigError
from ...kernel.i18n import _
from .. import tables
from ..answer import Answer
from ..command import command, make_noun
from ..session import Session

app = make_noun("config", help=_("Show the settings in force."), example="smartabsen config show")


@app.callback()
def config() -> None:
    """Hold the one command of this noun."""


@command(
    app,
    "show",
    help=_("Show every setting: its value, where the value comes from, and what it means."),
    example="smartabsen config show",
)
def show_config(session: Session) -> Answer:
    """Show all settings; passwords are masked."""
    failure = None
    try:
        with session.open() as app:
            values = app.setting_values()
    except ConfigError as error:
        # The error sends people here to learn the right name: they get the names.
        failure, values = error, _names_and_meanings()
    return Answer.of(
        {"settings": [wire.Setting.of(each) for each in values]},
        lambda out: tables.show_settings(out, values),
        failure,
    )


def _names_and_meanings() -> tuple[SettingValue, ...]:
    known = LoadedSettings(settings=Settings(home=Path(), models_dir=Path()), origins={})
    return tuple(replace(each, value=None, origin="") for each in known.values())
