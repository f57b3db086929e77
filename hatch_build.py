"""Build hook: compile the message catalogues (.po -> .mo) before the wheel or the editable install is made."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalogues(BuildHookInterface):
    """Writes each ``locale/<lang>/LC_MESSAGES/smartabsen.mo`` beside its ``.po``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for po_path in Path(self.root, "src/smartabsen/locale").glob("*/LC_MESSAGES/*.po"):
            with po_path.open("rb") as source:
                catalogue = read_po(source)
            with po_path.with_suffix(".mo").open("wb") as target:
                write_mo(target, catalogue)
