"""Every action that is written to the audit trail has words for people."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import smartabsen
from smartabsen import PunchMethod
from smartabsen.kernel.i18n import use_language
from smartabsen.web.admin.trail_words import ACTIONS, KINDS, describe_action

SOURCES = Path(smartabsen.__file__).parent
ACTION = re.compile(r"[a-z]+\.[a-z_]+")
WRITERS = {"append", "note", "note_page", "note_reading", "_note", "_record", "change_model"}


def words(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and ACTION.fullmatch(each.value):
            yield each.value


def written_in(tree: ast.Module) -> Iterator[str]:
    """Yield what calls that write entries are given, and what is kept under the name of an action."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in WRITERS:
                for given in (*node.args, *(each.value for each in node.keywords if each.arg == "action")):
                    yield from words(given)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id in ("action", "_ACTIONS", "BEGIN") for each in targets):
                yield from words(node.value)


def test_every_action_that_the_sources_write_has_words_and_a_kind() -> None:
    """Found in the sources, so that nobody forgets the table; corrections and punches are named by their method."""
    written = {f"punch.{method.value}" for method in PunchMethod}
    for path in SOURCES.rglob("*.py"):
        if path.relative_to(SOURCES).parts[0] not in ("cli", "web"):
            written |= set(written_in(ast.parse(path.read_text("utf-8"))))
    assert {"signin.confirm", "biometric.read", "model.recall", "user.locked", "employee.activate"} <= written
    assert sorted(written - set(ACTIONS)) == []
    # Versions before wrote an entry for each wrong password and PIN; their trails are read with words, too.
    assert sorted(set(ACTIONS) - written) == ["pin.wrong", "user.login_failed"]
    assert {f"{action.partition('.')[0]}." for action in written} == set(KINDS) - {""}


def test_the_words_are_those_of_the_reader() -> None:
    """An action of another program is shown as it is."""
    with use_language("id"):
        assert describe_action("consent.record") == "Persetujuan dicatat"
        assert describe_action("other.thing") == "other.thing"
