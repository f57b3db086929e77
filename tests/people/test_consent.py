"""Consent to face recognition: recorded with its text, demanded where the policy says so."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from smartabsen import ConsentMissingError, ImportVerdict, SmartAbsen
from smartabsen.kernel.i18n import use_language

from ..installation import Draw


def test_a_consent_says_who_when_which_text_and_by_whom(app: SmartAbsen, draw: Draw) -> None:
    """The text's version and digest are those of the file that the person read."""
    app.enrol("Contoh 1", [draw("a.png", 1)], code="E1", consent=True)

    (consent,) = app.privacy.consents("E1")

    text = app.privacy.consent_text("en")
    assert (consent.text_version, consent.text_sha256, consent.language) == (text.version, text.sha256, "en")
    assert consent.recorded_by == app.services.actor and consent.withdrawn_at is None
    assert abs((datetime.now(UTC) - consent.at).total_seconds()) < 60
    assert app.privacy.without_consent() == ()


def test_the_same_consent_is_recorded_once(app: SmartAbsen, draw: Draw) -> None:
    """Further photos of somebody who agreed change nothing; another text is another consent."""
    app.enrol("Contoh 1", [draw("a.png", 1)], code="E1", consent=True)
    app.enrol("Contoh 1", [draw("b.png", 1, size_px=140)], code="E1", consent=True)
    assert len(app.privacy.consents("E1")) == 1
    (app.settings.home / "consent.id.txt").write_text("Versi: 2026-B\nSaya setuju.\n", encoding="utf-8")

    app.privacy.record_consent("E1", by="admin")

    latest = app.privacy.consents("E1")[-1]
    assert (latest.text_version, latest.language, latest.recorded_by) == ("2026-B", "id", "admin")
    assert latest.text_sha256 == sha256((app.settings.home / "consent.id.txt").read_bytes()).hexdigest()


def test_consent_is_demanded_unless_the_settings_say_otherwise(
    flags: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face cannot be changed like a password: nobody's is enrolled by an oversight."""
    monkeypatch.delenv("SMARTABSEN_PRIVACY_CONSENT")
    with SmartAbsen.open(flags=flags) as app:
        assert app.privacy.demands_consent


def test_where_consent_is_only_recorded_a_face_is_enrolled_without_and_named(app: SmartAbsen, draw: Draw) -> None:
    """Doctor names those who have not agreed."""
    app.enrol("Contoh 1", [draw("a.png", 1)], code="E1")
    app.enrol("Contoh 2", [], code="E2")
    assert [person.code for person in app.privacy.without_consent()] == ["E1"]
    (row,) = [check for check in app.check_health() if check.name == "consent"]
    assert row.level.value == "warn" and ("names", "Contoh 1 (E1)") in row.params


def test_where_consent_is_demanded_no_face_gets_in_without(
    draw: Draw, flags: dict[str, object], tmp_path: Path
) -> None:
    """Not by photos, not by a list; somebody without a face is added all the same."""
    people = tmp_path / "people.csv"
    people.write_text("code,name,consent\nE1,Contoh 1,ya\nE2,Contoh 2,\nE3,Contoh 3,2026-11-02\nE4,Contoh 4,maybe\n")
    for person in (1, 2, 3, 4):
        draw(f"photos/E{person}.png", person)
    with SmartAbsen.open(flags={**flags, "privacy.consent": "require"}) as app:
        assert app.privacy.demands_consent
        with pytest.raises(ConsentMissingError, match="Contoh 9 has not agreed") as caught:
            app.enrol("Contoh 9", [draw("a.png", 9)], code="E9")
        assert "--consent" in caught.value.hint
        app.enrol("Contoh 8", [], code="E8")

        report = app.import_people(people, photos_dir=tmp_path / "photos")

        assert [(row.verdict, row.reason) for row in report.rows] == [
            (ImportVerdict.IMPORTED, ""),
            (ImportVerdict.REJECTED, "no_consent"),
            (ImportVerdict.IMPORTED, ""),
            (ImportVerdict.REJECTED, "unknown_consent"),
        ]
        (dated,) = app.privacy.consents("E3")
        assert dated.at == datetime(2026, 11, 1, 17, tzinfo=UTC)
        app.write_rejects(report, tmp_path / "rejects.csv")
        assert "maybe" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
        assert app.enrol("Contoh 1", [draw("c.png", 1, size_px=150)], code="E1").accepted == 1
        assert app.import_people(people, photos_dir=tmp_path / "photos", consent=True).rows[1].verdict is (
            ImportVerdict.IMPORTED
        )


def test_both_languages_have_a_text_with_a_version(app: SmartAbsen) -> None:
    """They come with the program; the version line is not shown to people."""
    for language in ("id", "en"):
        text = app.privacy.consent_text(language)
        assert (text.language, text.version) == (language, "1") and len(text.text) > 500
        assert not text.text.startswith("Vers")
    with use_language("id"):
        assert app.privacy.consent_text().language == "id"
