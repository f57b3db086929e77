"""Two languages."""

from pathlib import Path

import pytest

import smartabsen
from smartabsen.kernel import i18n
from smartabsen.kernel.errors import NotFoundError
from smartabsen.kernel.i18n import _, describe_error, use_language

SOURCES = Path(smartabsen.__file__).parent


def test_a_block_speaks_its_language_and_the_one_around_it_keeps_its_own() -> None:
    """A web request's language does not leak."""
    with use_language("en"):
        with use_language("id"):
            assert i18n.current_language() == "id"
        assert i18n.current_language() == "en"


def test_places_are_filled_after_the_translation() -> None:
    """Parameters are never part of a message id."""
    with use_language("id"):
        assert _("There is no such {thing}.", thing="{odd}") == "There is no such {odd}."


def test_an_error_is_described_with_its_hint() -> None:
    """Message and hint come in the current language, filled in."""
    with use_language("en"):
        assert describe_error(NotFoundError("No {x}.", hint="Try {y}.", x=1, y=2)) == ("No 1.", "Try 2.")


def extracted_texts() -> set[str]:
    """Every text for people in the sources, as ``make catalogue`` collects them."""
    from babel.messages.extract import extract_from_dir
    from babel.messages.frontend import parse_mapping_cfg

    with (SOURCES.parents[1] / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(SOURCES, methods, options, keywords={"_": None, "N_": None})
    return {message for _file, _line, message, _comments, _context in found if isinstance(message, str) and message}


def test_every_text_has_its_indonesian_translation_with_the_same_places() -> None:
    """The catalogue is complete, current, and fills in what the English text fills in."""
    from string import Formatter

    from babel.messages.pofile import read_po

    with (SOURCES / "locale/id/LC_MESSAGES/smartabsen.po").open("rb") as source:
        catalogue = {str(m.id): str(m.string) for m in read_po(source, abort_invalid=True) if m.id and not m.fuzzy}

    def places(text: str) -> set[str | None]:
        return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}

    missing = sorted(text for text in extracted_texts() if not catalogue.get(text))
    wrong = sorted(text for text in catalogue if text and places(text) != places(catalogue[text]))
    stale = sorted(set(catalogue) - extracted_texts())
    assert (missing, wrong, stale) == ([], [], [])


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_the_compiled_catalogue_is_the_one_in_the_sources(language: str) -> None:
    """What is installed was compiled from the .po file as it is now."""
    from babel.messages.pofile import read_po

    if language == "en":
        return
    with (SOURCES / f"locale/{language}/LC_MESSAGES/smartabsen.po").open("rb") as source:
        message = next(m for m in read_po(source) if m.id and "{" not in str(m.id))
    with use_language(language):
        assert _(str(message.id)) == message.string != message.id
