"""Evaluations: of a folder, of pairs, of the enrolled gallery; with a cache and as a page."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery import evaluate, evaluation_page
from smartabsen.gallery.embedding_cache import EmbeddingCache
from smartabsen.gallery.evaluation_figures import describe_rate, figures
from smartabsen.gallery.pairs_file import read_pairs
from smartabsen.kernel.domain import Rate
from smartabsen.kernel.errors import InvalidInputError, NotFoundError
from smartabsen.recognition.curves import Verification

from ..installation import Draw


@pytest.fixture
def folder(draw: Draw, tmp_path: Path) -> Path:
    """Four drawn people with three photos each, and one photo of nobody."""
    for person in range(1, 5):
        for number in range(1, 4):
            draw(f"photos/P{person}/P{person}_{number:04d}.png", person, shade=50 + 17 * number + person)
    draw("photos/P1/P1_0004.png")
    return tmp_path / "photos"


def test_a_folder_is_measured_photo_against_photo(app: SmartAbsen, folder: Path) -> None:
    """Every photo with a face is a mated and a non-mated search; the one without is a failure to acquire."""
    seen: list[tuple[int, int]] = []
    report = app.evaluation.of_folder(folder, on_progress=lambda done, total: seen.append((done, total)))
    assert (report.people, report.photos, len(report.samples)) == (4, 13, 12)
    assert report.not_found == (str(folder / "P1" / "P1_0004.png"),)
    by_code = {figure.code: figure for figure in figures(report)}
    assert by_code["fta"].rate == by_code["fte"].rate == Rate(1, 13)
    assert by_code["rank_1"].rate == Rate(12, 12)
    assert by_code["fnir"].rate == Rate(0, 12)
    assert by_code["fpir"].rate == Rate(0, 12)
    assert seen[-1] == (13, 13)


def test_what_the_trials_cannot_support_is_not_claimed(app: SmartAbsen, folder: Path) -> None:
    """Twelve photos say nothing about one stranger in a hundred, nor 54 impostor pairs about 1 %."""
    report = app.evaluation.of_folder(folder)
    assert {figure.code for figure in figures(report) if not figure.claimed} == {
        "fnir_at_fpir_0.01",
        "fnir_at_fpir_0.001",
        "tar_at_fmr_0.01",
        "tar_at_fmr_0.001",
        "tar_at_fmr_0.0001",
    }
    assert describe_rate(Rate(0, 812)) == "0 of 812: below 0.37 % (confidence 95 %)"
    assert describe_rate(Rate(10, 100)) == "10.00 % (5.52 % to 17.44 %; 10 of 100)"


def test_the_enrolled_gallery_is_measured_without_a_folder(app: SmartAbsen, draw: Draw) -> None:
    """Each template against the others; nobody enrolled is told."""
    with pytest.raises(NotFoundError, match="Nobody is enrolled"):
        app.evaluation.of_gallery()
    for person, name in enumerate(("Ani", "Budi"), start=1):
        app.enrol(name, [draw(f"{name}{n}.png", person) for n in range(3)], code=name)
    report = app.evaluation.of_gallery()
    assert report.scores is not None
    assert (report.scores.rank_1, report.people) == (Rate(6, 6), 2)
    assert report.samples[0].person == "Ani (Ani)"


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the photos in which a face is searched."""
    seen: list[str] = []
    examine = evaluate._examine
    monkeypatch.setattr(evaluate, "_examine", lambda *given: seen.append(given[2]) or examine(*given))
    return seen


def test_an_interrupted_evaluation_goes_on(app: SmartAbsen, folder: Path, examined: list[str]) -> None:
    """What was embedded before Ctrl-C is not embedded again by the same call."""

    def interrupt(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.evaluation.of_folder(folder, on_progress=interrupt)
    assert len(examined) == 5
    app.evaluation.of_folder(folder)
    assert len(examined) == 13 == len(set(examined))


def test_a_cache_is_private_and_survives_a_line_cut_in_two(
    app: SmartAbsen, folder: Path, examined: list[str], cached: Callable[[], list[Path]]
) -> None:
    """One line a photo, for the owner alone; the last line of a killed run may be cut, the next one is whole."""
    first = app.evaluation.of_folder(folder)
    (path,) = cached()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text().splitlines()
    assert len(lines) == 13
    path.write_text("\n".join(lines[:5]) + "\n" + lines[5][:40])
    examined.clear()
    second = app.evaluation.of_folder(folder)
    assert len(examined) == 8
    assert first.scores is not None and second.scores is not None
    assert (first.scores.own == second.scores.own).all()
    app.evaluation.of_folder(folder)
    assert len(examined) == 8


@pytest.fixture
def cached(app: SmartAbsen) -> Callable[[], list[Path]]:
    """The files of the home's cache."""
    return lambda: list((app.settings.home / "cache").glob("*"))


def test_no_face_of_another_engine_or_detector_is_taken(
    app: SmartAbsen, folder: Path, examined: list[str], cached: Callable[[], list[Path]]
) -> None:
    """A line that was moved from another engine's file does not open, nor what another detector found."""
    app.evaluation.of_folder(folder)
    (path,) = cached()
    identity = app.services.engine.identity
    ring = app.services.key_chain.ring()
    for model, detector in ((replace(identity, digest="f" * 64), "fake"), (identity, "haar")):
        other = EmbeddingCache(app.settings.home, ring, model, detector)
        with other.opened():
            pass
        (made,) = set(cached()) - {path}
        made.write_bytes(path.read_bytes())
        with other.opened() as opened:
            assert [opened.find(digest) for digest in examined] == [None] * len(examined)
        made.unlink()


def test_without_a_cache_nothing_is_written(app: SmartAbsen, folder: Path, cached: Callable[[], list[Path]]) -> None:
    """Embeddings of a folder are nobody's to find; the enrolled gallery needs none."""
    app.evaluation.of_folder(folder, cache=False)
    assert cached() == []


def test_an_erasure_deletes_the_cache_and_a_purge_an_old_one(
    app: SmartAbsen, draw: Draw, folder: Path, cached: Callable[[], list[Path]]
) -> None:
    """Whoever is erased may be on any photo; a purge leaves an evaluation of today, which may be going on."""
    app.enrol("Ani", [draw("ani.png", 1)], code="E1")
    app.evaluation.of_folder(folder)
    assert app.privacy.purge(dry_run=True).empty
    (path,) = cached()
    os.utime(path, (1.7e9, 1.7e9))
    assert app.privacy.purge(dry_run=True).evaluated == 13
    app.privacy.purge(dry_run=False)
    assert cached() == []
    app.evaluation.of_folder(folder)
    app.privacy.erase("E1", scope="face", reason="asked for it")
    assert cached() == []


def test_a_folder_without_people_says_what_it_should_be(app: SmartAbsen, tmp_path: Path) -> None:
    """And one that does not exist is told as such."""
    with pytest.raises(InvalidInputError, match="no sub-folder with photos"):
        app.evaluation.of_folder(tmp_path)
    with pytest.raises(NotFoundError):
        app.evaluation.of_folder(tmp_path / "nowhere")


def test_pairs_are_judged_in_folds(app: SmartAbsen, folder: Path, tmp_path: Path) -> None:
    """LFW's format; a photo without a face makes its pair wrong."""
    lines = [
        "2\t2",
        "P1\t1\t2",
        "P2\t1\t3",
        "P1\t1\tP2\t1",
        "P3\t1\tP4\t2",
        "P3\t1\t2",
        "P1\t1\t4",
        "P1\t2\tP3\t1",
        "P2\t2\tP4\t1",
    ]
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("\n".join(lines))
    report = app.evaluation.of_folder(folder, pairs=pairs)
    assert report.pairs is not None and report.scores is None
    assert (report.pairs.folds, report.pairs.correct, report.pairs.not_acquired) == (2, Rate(7, 8), 1)
    assert report.verification is not None
    assert (report.verification.genuine_trials, report.verification.impostor_trials) == (3, 4)
    worst = report.worst_impostor
    assert len(worst) == 4 and worst[0].similarity >= worst[-1].similarity
    assert {worst[0].first.person, worst[0].second.person} <= {"P1", "P2", "P3", "P4"}
    assert all(pair.first.person == pair.second.person for pair in report.worst_genuine)
    page = tmp_path / "pairs.html"
    app.evaluation.write_page(report, page)
    assert page.read_text(encoding="utf-8").count("<svg") == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1"),
        ("names and pairs", "line 1"),
        ("1 1\nP1 1", "line 2"),
        ("1 1\nP1 1 x", "line 2"),
        ("1 1\n../P1 1 2", "line 2"),
        ("1 1\nP1 1 9", "there is no photo 9 of P1"),
        ("1 1\n", "line 2"),
    ],
)
def test_a_file_that_is_no_list_of_pairs_says_where(folder: Path, tmp_path: Path, text: str, problem: str) -> None:
    """Line by line, and never a path out of the folder."""
    pairs = tmp_path / "pairs.txt"
    pairs.write_text(text)
    with pytest.raises((InvalidInputError, NotFoundError), match=re.escape(problem)):
        read_pairs(pairs, folder)


def test_the_page_is_one_file_that_loads_nothing(app: SmartAbsen, folder: Path, tmp_path: Path) -> None:
    """Curves as SVG, names escaped, photos only where they were asked for."""
    (folder / "P2").rename(folder / "<b>P2")
    report = app.evaluation.of_folder(folder)
    for with_photos in (False, True):
        path = tmp_path / f"page-{with_photos}.html"
        app.evaluation.write_page(report, path, with_photos=with_photos)
        page = path.read_text(encoding="utf-8")
        assert page.count("<svg") == 2 and "&lt;b&gt;P2" in page and "<b>P2" not in page
        assert "default-src 'none'" in page and "http://" not in page and "https://" not in page
        assert ("data:image/jpeg" in page) is with_photos


def drawn(genuine: list[float], impostor: list[float]) -> tuple[str, list[tuple[bool, list[tuple[float, float]]]]]:
    """Draw a DET curve: its text, and of each line whether it is dashed and its points."""
    scores = np.array([*genuine, *impostor])
    same = np.arange(len(scores)) < len(genuine)
    text = evaluation_page._det_curve(Verification.of(scores, same))
    lines = re.findall(r'<polyline points="([^"]*)"[^>]*?( stroke-dasharray="[^"]*")?/>', text)
    return text, [
        (bool(dashed), [tuple(map(float, point.split(","))) for point in points.split()]) for points, dashed in lines
    ]


def test_a_curve_claims_no_rate_that_the_trials_cannot_show() -> None:
    """Where 0 of 240 failed the line is dashed at the end of the interval, 1.2 %; nothing is drawn below."""
    rng = np.random.default_rng(1)
    genuine, impostor = rng.uniform(0.5, 0.9, 240).tolist(), rng.uniform(-0.2, 0.4, 1000).tolist()
    text, lines = drawn(genuine, impostor)
    bound = round(evaluation_page._det_place(1.0, Rate(0, 240).high)[1])
    one = round(evaluation_page._det_place(1.0, 1 / 240)[1])
    assert [dashed for dashed, _ in lines] == [True, True]
    assert {y for _, y in lines[0][1]} == {bound} and max(y for _, y in lines[1][1]) == one
    assert "240 pairs of one person" in text and "1000 of two" in text


def test_a_curve_is_solid_where_both_errors_were_seen() -> None:
    """Between one of so many and all; the dashed ends go on from there."""
    rng = np.random.default_rng(2)
    genuine, impostor = rng.normal(0.5, 0.15, 300).tolist(), rng.normal(0.2, 0.15, 300).tolist()
    _text, lines = drawn(genuine, impostor)
    assert [dashed for dashed, _ in lines] == [False, True, True]
    left, bottom = evaluation_page._det_place(1 / 300, 1 / 300)
    assert all(x >= round(left) and y <= round(bottom) for x, y in lines[0][1])


def test_the_page_fits_a_phone(app: SmartAbsen, folder: Path, tmp_path: Path) -> None:
    """Tables are scrolled by themselves, and no label lies outside its picture."""
    page = tmp_path / "page.html"
    app.evaluation.write_page(app.evaluation.of_folder(folder), page)
    text = page.read_text(encoding="utf-8")
    assert text.count("<table") == text.count('<div class="wide" tabindex="0"><table') > 1
    for left, top, width, height, inside in re.findall(
        r'<svg viewBox="(-?\d+) (-?\d+) (\d+) (\d+)"(.*?)</svg>', text, re.DOTALL
    ):
        for x, y, anchor, label in re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="(\w+)">([^<]*)<', inside):
            wide = 7 * len(label) / (2 if anchor == "middle" else 1)
            assert int(left) <= int(x) - wide, label
            assert anchor == "end" or int(x) + wide <= int(left) + int(width), label
            assert int(top) + 10 <= int(y) <= int(top) + int(height), label
