"""The documentation says what the program does. ``python tests/test_docs.py`` writes docs/settings.md."""

from __future__ import annotations

import re
import shutil
from datetime import time
from pathlib import Path

import pytest

import smartabsen
from smartabsen.config import Settings, env_name, load_settings
from smartabsen.kernel import errors

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLE = """\
language = "id"

[site]
name = "Toko Contoh"
zone = "Asia/Makassar"

[attendance]
start = "07:30"
grace_minutes = 10
"""


def allowed(name: str) -> str:
    """Return the range of a setting's number, or the words it may be; empty where any text goes."""
    schema = Settings.model_json_schema()
    *section, key = name.split(".")
    found = schema["properties"][key if not section else section[0]]
    if section:
        found = schema["$defs"][found["$ref"].rsplit("/", 1)[1]]["properties"][key]
    kind = next((each for each in found.get("anyOf", [found]) if each.get("type") != "null"), found)
    if "enum" in kind:
        return ", ".join(f"`{word}`" for word in kind["enum"])
    limits = []
    for least, most, words in (("minimum", "maximum", ""), ("exclusiveMinimum", "exclusiveMaximum", "more than ")):
        if least in kind:
            limits.append(f"{words}{kind[least]:g}")
        if most in kind:
            limits.append(f"to {kind[most]:g}" if not words else f", less than {kind[most]:g}")
    return " ".join(limits).replace(" ,", ",")


def settings_page() -> str:
    """Return ``docs/settings.md``: every setting with its default and meaning."""
    lines = [
        "# Settings",
        "",
        "Written from `src/smartabsen/config/sections.py` by `python tests/test_docs.py`; a test compares.",
        "",
        "A flag beats the environment, the environment beats `smartabsen.toml` in the home, and that beats the",
        "default; `smartabsen config show` prints each value in force and where it comes from. In the file, a name",
        "with a dot is a key in a section: `attendance.start` is `start` under `[attendance]`.",
        "",
        "```toml",
        *EXAMPLE.splitlines(),
        "```",
        "",
        "A time of day stands in quotes and without a zone; `07:30` and `07.30` are the same. The home itself cannot",
        "be set in the file, which is looked for there: use `SMARTABSEN_HOME` or `--home`.",
        "",
        "| setting | environment | default | allowed | meaning |",
        "|---|---|---|---|---|",
    ]
    computed = {"home": "the platform's data directory", "models_dir": "`models` in the home"}
    for value in load_settings(environ={}).values():
        default = computed.get(value.name) or (f"`{value.value}`" if value.value not in ("", None) else "")
        lines.append(
            f"| `{value.name}` | `{env_name(value.name)}` | {default} | {allowed(value.name)} | {value.about} |"
        )
    return "\n".join(lines) + "\n"


def test_the_settings_page_is_current() -> None:
    """Each setting is documented with its environment name, default and meaning."""
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_page()


def test_the_settings_page_gives_ranges(tmp_path: Path) -> None:
    """As they are enforced: the ends pass, and what lies beyond is refused."""
    rows = {
        line.split("|")[1].strip(" `"): line.split("|")[4].strip()
        for line in settings_page().splitlines()
        if "| `" in line
    }
    assert rows["liveness.attempts"] == "1 to 50"
    assert rows["recognition.threshold"] == "more than -1, less than 1"
    assert rows["recognition.device"] == "`auto`, `cpu`, `cuda`, `coreml`"
    assert rows["kiosk.camera"] == ""
    load_settings({"home": tmp_path, "liveness.attempts": 50}, environ={})
    with pytest.raises(errors.ConfigError):
        load_settings({"home": tmp_path, "liveness.attempts": 51}, environ={})


def test_the_example_of_a_settings_file_works(tmp_path: Path) -> None:
    """What people copy from the page is read as it says."""
    (tmp_path / "smartabsen.toml").write_text(EXAMPLE, encoding="utf-8")
    settings = load_settings({"home": tmp_path}, environ={}).settings
    assert (settings.attendance.start, settings.site.zone) == (time(7, 30), "Asia/Makassar")


def test_every_error_is_documented_with_its_codes() -> None:
    """The table in docs/library.md has each error class a user can meet, with code and exit code."""
    page = (DOCS / "library.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\d+) \|", page, re.MULTILINE))
    classes = [cls for name, cls in vars(errors).items() if name.endswith("Error") and name != "SmartAbsenError"]
    assert documented == {(cls.__name__, cls.code, str(cls.exit_code)) for cls in classes}


def test_every_error_can_be_imported_from_the_package() -> None:
    """A script catches what the library raises without knowing its modules."""
    names = [name for name in vars(errors) if name.endswith("Error")]
    assert [name for name in names if name not in smartabsen.__all__] == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in sorted(DOCS.glob("*.md")))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """No link in the documentation is dead."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in targets if target and not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.slow
def test_the_examples_of_the_library_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of docs/library.md runs as it stands, in order, and does what it says."""
    from smartabsen.upkeep.demo_film import make_demo_material

    app = smartabsen.SmartAbsen.open(flags={"home": str(tmp_path / "other"), "engine": "dlib"})
    with app:
        detector = app.services.engine.detector
        names = [f"Contoh {number}" for number in range(6)]
        made = make_demo_material(tmp_path, lambda image: [face.box_xyxy for face in detector.detect(image)], names)
    first, second, *_others = made.photos.values()
    for number, photo in enumerate(first[:3], start=1):
        shutil.copy(photo, tmp_path / f"satu_{number}.jpg")
    (tmp_path / "photos" / "E002").mkdir(parents=True)
    for photo in second:
        shutil.copy(photo, tmp_path / "photos" / "E002")
    (tmp_path / "people.csv").write_text("code,name,position\nE002,Contoh Dua,Kasir\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMARTABSEN_HOME", str(tmp_path / "home"))
    # Its weights need no models directory; by itself an engine would have to be fetched first.
    monkeypatch.setenv("SMARTABSEN_ENGINE", "dlib")
    page = (DOCS / "library.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, "docs/library.md", "exec"), {"__name__": "__example__"})
    with smartabsen.SmartAbsen.open() as app:
        assert [(person.code, person.templates > 0) for person in app.employees()] == [("E002", True), ("E001", True)]
        assert (tmp_path / "report.xlsx").stat().st_size > 1000


if __name__ == "__main__":
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
