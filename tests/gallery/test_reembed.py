"""Another engine for people who are enrolled: compared in shadow, then changed to, without new photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smartabsen import EngineMismatchError, GateError, InvalidInputError, NotFoundError, Outcome, SmartAbsen
from smartabsen.gallery import template_rows
from smartabsen.recognition import engines

from ..installation import Draw


@pytest.fixture(autouse=True)
def second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine for drawn faces: the same parts under another name are another identity."""
    spec = replace(engines.ENGINES["fake"], name="other")
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "other": spec})


@pytest.fixture
def enrolled(app: SmartAbsen, draw: Draw) -> SmartAbsen:
    for person in (1, 2, 3):
        files = [draw(f"{person}-{number}.png", person, size_px=130 + 12 * number) for number in range(2)]
        app.enrol(f"Contoh {person}", files, code=f"E{person}")
    app.train()
    return app


@pytest.fixture
def other_flags(flags: dict[str, object]) -> dict[str, object]:
    return {**flags, "engine": "other"}


def models(app: SmartAbsen) -> dict[str, int]:
    with app.services.database.read() as session:
        return {model.engine: count for model, count in template_rows.models(session).items()}


def test_a_dry_run_compares_and_stores_nothing(enrolled: SmartAbsen, other_flags: dict[str, object]) -> None:
    """Two engines that decide alike have no difference."""
    with SmartAbsen.open(flags=other_flags) as app:
        report = app.reembedding.run(mode="dry_run")
    assert (report.embedded, report.templates, report.switched) == (6, 6, False)
    assert (report.accuracy_before, report.accuracy_after, report.differences) == (1.0, 1.0, ())
    assert models(enrolled) == {"fake": 6}


def test_shadow_stores_beside_what_is_in_use(enrolled: SmartAbsen, other_flags: dict[str, object], draw: Draw) -> None:
    """Recognition goes on as before; a second run has nothing left to make."""
    with SmartAbsen.open(flags=other_flags) as app:
        assert app.reembedding.run(mode="shadow").embedded == 6
        assert app.reembedding.run(mode="shadow").embedded == 0
    assert models(enrolled) == {"fake": 6, "other": 6}
    assert enrolled.identify([draw("x.png", 2)])[0].faces[0].outcome is Outcome.RECOGNIZED


def test_the_change_is_whole(
    enrolled: SmartAbsen, other_flags: dict[str, object], flags: dict[str, object], draw: Draw
) -> None:
    """Afterwards the new engine recognises everybody, and the old one is refused; templates of before are gone."""
    with SmartAbsen.open(flags=other_flags) as app:
        report = app.reembedding.run(mode="switch")
        assert report.switched and report.deleted == 6 and report.training is not None
        assert models(app) == {"other": 6}
        (result,) = app.identify([draw("x.png", 2)])
        assert result.faces[0].employee is not None and result.faces[0].employee.code == "E2"
    with SmartAbsen.open(flags=flags) as old, pytest.raises(EngineMismatchError, match="other"):
        old.identify([draw("y.png", 1)])


def test_an_interrupted_change_goes_on_where_it_stopped(
    enrolled: SmartAbsen, other_flags: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole people are stored, the engine in use is the old one until the last step."""
    with SmartAbsen.open(flags=other_flags) as app:

        def stop(done: int, _total: int) -> None:
            if done >= 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            app.reembedding.run(mode="switch", on_progress=stop)
        assert models(app) == {"fake": 6, "other": 4}
        report = app.reembedding.run(mode="switch")
        assert (report.embedded, report.switched) == (2, True)


def test_people_without_kept_faces_are_named(
    draw: Draw, flags: dict[str, object], other_flags: dict[str, object]
) -> None:
    """They need new photos; their old templates stay where they are."""
    with SmartAbsen.open(flags={**flags, "enrolment.keep_crops": False}) as app:
        app.enrol("Contoh 9", [draw("9.png", 9)], code="E9")
    with SmartAbsen.open(flags=other_flags) as app, pytest.raises(NotFoundError, match="No face is kept"):
        app.reembedding.run(mode="shadow")
    with SmartAbsen.open(flags=flags) as app:
        app.enrol("Contoh 1", [draw("1.png", 1)], code="E1")
    with SmartAbsen.open(flags=other_flags) as app:
        report = app.reembedding.run(mode="switch")
        assert [person.code for person in report.without_crops] == ["E9"]
        assert models(app) == {"fake": 1, "other": 1}


def test_a_worse_engine_is_not_changed_to(
    enrolled: SmartAbsen, other_flags: dict[str, object], monkeypatch: pytest.MonkeyPatch, draw: Draw
) -> None:
    """The shadow report names who would be recognised differently; the gate of the training holds here, too."""
    from smartabsen.gallery import reembed

    embedded = reembed._embedded

    def confuse(*args: object) -> object:
        template = embedded(*args)  # type: ignore[arg-type]
        # Every first photo gets the face of one and the same stranger.
        if template.source.endswith("-0.png"):
            return replace(template, embedding=template.embedding[::-1].copy())
        return template

    monkeypatch.setattr(reembed, "_embedded", confuse)
    with SmartAbsen.open(flags=other_flags) as app:
        report = app.reembedding.run(mode="dry_run")
        assert {one.employee.code for one in report.differences} == {"E1", "E2", "E3"}
        assert {(one.recognised_before, one.recognised_after) for one in report.differences} == {(2, 0)}
        with pytest.raises(GateError, match="Not changed"):
            app.reembedding.run(mode="switch")
        assert enrolled.identify([draw("x.png", 2)])[0].faces[0].outcome is Outcome.RECOGNIZED


def test_an_engine_must_be_named(enrolled: SmartAbsen, flags: dict[str, object]) -> None:
    """It is never guessed."""
    with SmartAbsen.open(flags={**flags, "engine": "auto"}) as app, pytest.raises(InvalidInputError, match="No engine"):
        app.reembedding.run(mode="dry_run")


@pytest.mark.slow
@pytest.mark.shared
def test_kept_faces_serve_a_real_engine_as_well_as_the_photos(tmp_path: Path, models_dir: Path, lfw_dir: Path) -> None:
    """A template made of a kept face is that of the photo: enrolled with dlib, changed to openvino."""
    photos = {
        folder.name: sorted(folder.glob("*.jpg"))[:2]
        for folder in sorted(lfw_dir.iterdir())
        if len(list(folder.glob("*.jpg"))) >= 2
    }
    chosen = dict(list(photos.items())[:4])
    flags = {"models_dir": str(models_dir), "recognition.min_face_px": 40}

    def enrol(home: str, engine: str) -> SmartAbsen:
        app = SmartAbsen.open(flags={**flags, "home": str(tmp_path / home), "engine": engine})
        for number, files in enumerate(chosen.values()):
            app.enrol(f"Contoh {number}", files, code=f"E{number}", allow_duplicate=True)
        return app

    enrol("kept", "dlib").close()
    with SmartAbsen.open(flags={**flags, "home": str(tmp_path / "kept"), "engine": "openvino"}) as changed:
        report = changed.reembedding.run(mode="switch", force=True)
        assert report.embedded >= 6
        with enrol("fresh", "openvino") as fresh:
            cosines = []
            for app in (changed, fresh):
                with app.services.database.read() as session:
                    ring = app.services.key_chain.ring()
                    gallery = template_rows.gallery(session, app.services.engine.identity, ring=ring)
                cosines.append(dict(zip(gallery.photo_digests, gallery.embeddings, strict=True)))
    common = cosines[0].keys() & cosines[1].keys()
    similarities = [float(cosines[0][digest] @ cosines[1][digest]) for digest in common]
    assert len(similarities) >= 6 and min(similarities) > 0.9, similarities
