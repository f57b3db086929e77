"""The benchmarks measure what they say; how fast things are is never asserted."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from bench import endurance, gallery_size, greeting, kills, logins, seals, slow_clients, web
from bench.__main__ import PARTS, Part, Section, parse_names, run
from bench.pipeline import (
    RAW_CALLS,
    RAW_STEPS,
    STEPS,
    Proxy,
    Stopwatch,
    Timing,
    as_markdown,
    gallery_photos,
    measure,
    read,
)
from bench.web_client import running

from smartabsen import SmartAbsen
from smartabsen.recognition.detectors import DETECTORS
from smartabsen.recognition.embedders import EMBEDDERS


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_kiosk_that_is_killed_at_any_instant_loses_and_doubles_no_announced_punch() -> None:
    """`kill -9` of forty kiosks, some of them in the middle of punches: database and log agree with what was told."""
    report = kills.measure(40)
    assert report.while_punching > 0, "no kiosk was killed while it punched: the test showed nothing"
    assert report.clean, report


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
def test_tokens_are_used_once_and_previews_change_nothing_with_several_workers(tmp_path: Path) -> None:
    """Of clients that confirm at the same instant one succeeds, whichever worker it met."""
    with running(tmp_path, workers=2) as server:
        tokens = web.measure_tokens(server, tokens=10, clients=4)
        previews = web.measure_previews(server, times=10)
    assert tokens.clean, tokens
    assert sum(tokens.statuses.values()) == 40
    assert previews.clean, previews


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_rotation_of_the_key_that_is_killed_leaves_everything_readable(tmp_path: Path) -> None:
    """`kill -9` in the middle of sealing anew: each row opens with the old key or the new one."""
    report = seals.measure_kills(tmp_path, kills=4)
    assert report.in_the_middle > 0, "no rotation was killed in the middle: the test showed nothing"
    assert report.broken == 0, report


def test_what_a_seal_costs_is_measured_on_the_same_rows(tmp_path: Path) -> None:
    """Read with and without opening them, and the trained model made of them."""
    cost = seals.measure_cost(tmp_path, count=20, rounds=1)
    assert cost.templates == 20
    assert min(cost.sealed_s, cost.unsealed_s, cost.model_s) > 0


def test_strangers_pass_as_often_as_the_formula_says_where_comparisons_are_independent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Random directions have nothing in common: what real faces do beyond that is what the bench shows."""
    monkeypatch.setattr(gallery_size, "FMRS", (1e-3,))
    monkeypatch.setattr(gallery_size, "PEOPLE", (10, 60))
    vectors = np.random.default_rng(0).normal(size=(900, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for each in gallery_size.simulate(vectors, np.repeat(np.arange(450), 2)):
        assert each.observed.trials == 10 * 2 * (450 - each.people)
        assert each.observed.share == pytest.approx(each.formula, rel=0.25)


def test_the_pipeline_knows_where_each_backend_calls_its_runtime() -> None:
    """A detector or embedder that is added must say which of its calls are the model's own time."""
    backends = {*DETECTORS.names(), *EMBEDDERS.names()} - {"fake"}
    assert set(RAW_CALLS) == backends


def test_a_stand_in_times_one_method_and_passes_the_others_on() -> None:
    """The timed method answers and is counted also when it raises; the rest is the runtime's own."""

    class Runtime:
        size = 3

        def run(self, value: int) -> int:
            return 10 // value

    watch, runtime = Stopwatch(), Runtime()
    proxy = Proxy(runtime, "run", watch.timed("raw", runtime.run))
    assert (proxy.run(2), proxy.size) == (5, 3)
    before = watch.ns["raw"]
    with pytest.raises(ZeroDivisionError):
        proxy.run(0)
    assert watch.ns["raw"] > before > 0


def test_the_table_of_the_pipeline_has_a_cell_for_each_column() -> None:
    """Every line has as many cells as the head, and the ratio stands in the last one."""
    timing = Timing(
        engine="openvino",
        detector="retail",
        matcher="knn",
        scene="film",
        frames=3,
        faces=1.0,
        steps_ms=dict.fromkeys(STEPS, 2.0),
        total_ms=12.0,
        raw_steps_ms=dict.fromkeys(RAW_STEPS, 1.5),
        raw_ms=10.0,
        observe_ratio=1.1,
        ratio=1.2,
    )
    head, rule, line = as_markdown([timing]).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line.endswith("| 12.00 | 10.00 | 1.100 | 1.200 |")


@pytest.mark.shared
@pytest.mark.slow
def test_who_walks_up_to_a_watched_kiosk_is_greeted(
    shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the watch of a live camera and the model of liveness, whatever time the machine takes."""
    monkeypatch.setattr(greeting, "PATIENCE_S", 300.0)
    people = gallery_photos(shared_dir)[:2]
    flags = {"home": str(tmp_path), "engine": "openvino", "models_dir": str(shared_dir / "models")}
    with SmartAbsen.open(flags={**flags, "liveness.threshold": "0.0"}) as app:
        for number, photos in enumerate(people):
            app.enrol(f"Contoh {number}", photos[:4], code=f"E{number}", consent=True)
        app.train()
        (greeted,) = greeting.measure(app, [[cv2.resize(read(people[0][4]), (380, 380))]], watched=True)
    assert greeted.greeted == 1


@pytest.mark.shared
@pytest.mark.slow
def test_the_steps_of_the_pipeline_add_up(shared_dir: Path) -> None:
    """On each kind of frame the faces are found, and the model's own time is less than the step around it."""
    timings = measure("openvino", matcher="exact", shared=shared_dir, frames=2, rounds=1)
    faces = {one.scene: one.faces for one in timings}
    assert faces["five faces"] >= 4 > faces["one face"] >= 1 > faces["nobody"]
    for one in timings:
        assert 1.0 < one.observe_ratio < one.ratio
        assert 0 < one.raw_steps_ms["detect"] < one.steps_ms["detect"]
        assert one.raw_steps_ms["embed"] <= one.steps_ms["embed"]


def test_parts_are_named_in_a_list() -> None:
    """Unknown names are refused with those that exist."""
    assert parse_names("kills, startup") == ("kills", "startup")
    with pytest.raises(argparse.ArgumentTypeError, match=r"no such part: speed\. Known: startup"):
        parse_names("kills,speed")


def test_each_part_is_a_module_with_a_command_line() -> None:
    """Every part can be run as `python -m bench.NAME`."""
    folder = Path(kills.__file__).parent
    assert [part.name for part in PARTS if not (folder / f"{part.name}.py").is_file()] == []


def test_a_part_without_its_photos_is_skipped_and_fails(tmp_path: Path) -> None:
    """A report without a part must not look like a whole one."""
    section = run(Part("accuracy", "Accuracy", needs_shared=True), quick=True, shared=tmp_path)
    assert section == Section(
        "## Accuracy\n\n**Skipped: there are no weights and photos in ../shared (or BENCH_SHARED).**\n", passed=False
    )


def test_a_part_that_fails_says_so(tmp_path: Path) -> None:
    """Its exit code stands in the report, and the whole run fails."""
    section = run(Part("kills", "Kills", quick=("--no-such-option",)), quick=True, shared=tmp_path)
    assert not section.passed
    assert "**Failed with exit code 2.**" in section.text


@pytest.mark.rehearse
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize("kind", slow_clients.KINDS)
@pytest.mark.parametrize("workers", [2, 8])
def test_honest_requests_take_less_than_a_second_beside_a_hundred_slow_clients(
    workers: int, kind: str, https: bool
) -> None:
    """On the defaults of a server in production, from the same address; and SIGTERM ends it within ten seconds."""
    found = slow_clients.measure(kind, workers=workers, slow=100, requests=40, https=https)
    assert (found.failed, found.slowest_s < 1.0, found.ended_s < 10.0) == (0, True, True), found


@pytest.mark.rehearse
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
@pytest.mark.parametrize("workers", [2, 8])
def test_eight_logins_at_once_are_all_answered_and_starve_no_page(tmp_path: Path, workers: int) -> None:
    """200 logins on SQLite: none is told that the server is busy."""
    with running(tmp_path, workers=workers) as server:
        found = logins.measure(server, logins=8, seconds=3600, count=200)
    assert found.login_statuses == {302: 200} and set(found.page_statuses) == {200}, found
    assert logins.percentile(found.pages_s, 0.95) < 1.0


@pytest.mark.rehearse
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads the memory of processes as Linux tells")
def test_the_memory_of_a_server_does_not_grow_in_two_hours(tmp_path: Path) -> None:
    """Flat after the first half hour of sign-ins and bursts."""
    home, bursts = web.make_home(tmp_path)
    with running(home, workers=2) as server:
        looks = endurance.measure(server, bursts, minutes=120)
    assert endurance.growth_mib(looks) < 10, looks


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn")
def test_slow_clients_and_logins_are_measured() -> None:
    """A few of each; how long anything takes is no matter here."""
    found = slow_clients.measure("body", workers=1, slow=20, requests=2)
    assert (found.failed, len(found.took_s)) == (0, 2)


def test_growth_is_told_after_the_first_quarter() -> None:
    """What is taken at the start is no growth."""
    looks = [endurance.Look(minute, 100.0 if minute > 30 else 50.0 + minute, 0, 0) for minute in range(1, 121)]
    assert endurance.growth_mib(looks) == 0
    assert endurance.growth_mib([endurance.Look(minute, float(minute), 0, 0) for minute in range(1, 121)]) > 50
