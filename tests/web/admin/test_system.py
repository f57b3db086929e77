"""The page about the system, where something is wrong with the gallery."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import cv2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from smartabsen import SmartAbsen
from smartabsen.web import library as web_library
from smartabsen.web.attendance import _warm_up

from ...installation import picture
from ..pages import csrf_of


@pytest.fixture
def damaged(library: SmartAbsen, people: None, tmp_path: Path) -> SmartAbsen:
    """Ani and Bayu with a face each, trained; then Bayu's row was changed."""
    for person, code, name in ((1, "E001", "Ani Contoh"), (2, "E002", "Bayu <b>Contoh</b>")):
        cv2.imwrite(str(tmp_path / f"{code}.png"), picture(person))
        library.enrol(name, tmp_path / f"{code}.png", code=code)
    library.train(force=True)
    with library.services.database.write() as session:
        session.execute(text("UPDATE templates SET photo_digest = 'x' WHERE id = 2"))
    library.take_remarks()
    return library


def test_the_page_names_whose_template_is_damaged(damaged: SmartAbsen, admin: FlaskClient) -> None:
    """And what to do; nothing of it where all are well."""
    page = admin.get("/admin/system").text
    assert "Bayu &lt;b&gt;Contoh&lt;/b&gt; (E002)" in page and "Enrol these people again" in page
    damaged.keys.check(delete_broken=True)
    assert "are damaged" not in admin.get("/admin/system").text


def test_the_log_of_the_server_names_it_once(
    damaged: SmartAbsen, web: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a worker loads the gallery; the next person does not write it again."""
    monkeypatch.setattr(web_library, "_logged", set())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            _warm_up(damaged)
    told = [record for record in caplog.records if "(E002)" in record.getMessage()]
    assert len(told) == 1
    assert any(thread.name == "gallery watch" for thread in threading.enumerate())


def test_the_page_asks_about_codes_that_are_perhaps_one_person(
    library: SmartAbsen, people: None, admin: FlaskClient, tmp_path: Path
) -> None:
    """Until an administrator says that they are two, with a reason."""
    for code, shade in (("E801", 160), ("E802", 161)):
        cv2.imwrite(str(tmp_path / f"{code}.png"), picture(1, shade=shade))
        library.enrol("Contoh " + code, tmp_path / f"{code}.png", code=code, allow_duplicate=True)
    assert "Perhaps one person" not in admin.get("/admin/system").text
    library.duplicates.search()
    page = admin.get("/admin/system").text
    assert "Perhaps one person under two codes" in page and "(E801)" in page and "(E802)" in page
    token = csrf_of(page)
    form = {"csrf_token": token, "code": "E801", "other": "E802"}
    admin.post("/admin/system/duplicates", data=form)
    assert library.duplicates.find().pairs, "nothing is remembered without a reason"
    admin.post("/admin/system/duplicates", data={**form, "reason": "twins"})
    assert "Perhaps one person" not in admin.get("/admin/system").text


def test_the_page_names_whom_a_training_serves_badly(
    library: SmartAbsen, people: None, admin: FlaskClient, tmp_path: Path
) -> None:
    """With the reason; the state survives the database."""
    for number, person in enumerate((7, 8)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(person))
    library.enrol("Contoh Campur", [tmp_path / "0.png", tmp_path / "1.png"], code="E803", allow_duplicate=True)
    library.trainings.start()
    assert library.trainings.wait(60)
    job = library.trainings.find()
    assert [(one.code, one.recognised, one.tried) for one in job.weak] == [("E803", 0, 2)]
    page = admin.get("/admin/system/training").text
    assert "Contoh Campur (E803), 0/2" in page and "two persons" in page
