"""What sealing costs, and what a rotation of the key that is killed leaves behind.

python -m bench.seals --templates 3000 --kills 20

The cost is a ratio within one run: the gallery is read from the same database with its seals opened, and by the same
code with an `open` that only takes the ciphertext apart. Kills: a program seals everything with a new key, one row in
each transaction, and gets SIGKILL after a random time; after each, every row must open and the next run must finish.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from smartabsen import SmartAbsen
from smartabsen.gallery import template_rows as templates
from smartabsen.gallery.model_file import load_model, make_trained_model, save_model
from smartabsen.kernel.domain import ModelIdentity, Quality, Template
from smartabsen.people import employee_rows
from smartabsen.store.database import Database, Session
from smartabsen.trust.active_key import ring_for_writing
from smartabsen.trust.sealing import KeyRing

DIMENSION: Final = 512
MODEL: Final = ModelIdentity("fake", "ab" * 32, DIMENSION)
QUALITY: Final = Quality(120.0, 128.0, 300.0, 0.0, 0.99)
WORKER: Final = """
import sys
from smartabsen import SmartAbsen
from smartabsen.privacy import resealing_rows as resealing
resealing._BATCH = 1
with SmartAbsen.open(flags={"home": sys.argv[1], "engine": "fake"}) as app:
    print("ready", flush=True)
    while True:
        app.keys.rotate(on_progress=lambda done, total: print(done, flush=True))
"""


class OpenSeals(KeyRing):
    """A ring that takes a seal apart and opens nothing: what reading the same rows costs without AES-GCM."""

    def open(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """Return as many bytes as were sealed, of a unit vector."""
        del bound_to
        return _UNIT[: len(sealed) - 48]


_UNIT: Final = np.eye(1, DIMENSION, dtype="<f4").tobytes()


@dataclass(frozen=True, slots=True)
class Cost:
    """Median seconds of reading a gallery, opened and not, and of reading the trained model."""

    templates: int
    sealed_s: float
    unsealed_s: float
    model_s: float


@dataclass(frozen=True, slots=True)
class Kills:
    """What was found after each kill: rotations that were cut off in the middle, and installations that were broken."""

    kills: int
    in_the_middle: int
    broken: int


def fill(app: SmartAbsen, count: int, *, per_person: int = 5) -> None:
    """Store random templates of made-up people, and a trained model of them."""
    rng = np.random.default_rng(7)
    app.services.ensure_key()

    def work(session: Session) -> None:
        ring = ring_for_writing(session, app.services.key_chain)
        for number in range(-(-count // per_person)):
            person = employee_rows.add(session, code=f"C{number}", name=f"Contoh {number}")
            vectors = rng.normal(size=(per_person, DIMENSION))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            made = [
                Template(0, person.id, vector.astype(np.float32), MODEL, QUALITY, f"{place}.jpg", f"{number}-{place}")
                for place, vector in enumerate(vectors)
            ]
            templates.add_many(session, made, ring=ring)

    app.services.database.run_write(work)
    with app.services.database.read() as session:
        ring = app.services.key_chain.ring()
        gallery = templates.gallery(session, MODEL, ring=ring)
    trained = make_trained_model(
        model=MODEL, matcher="exact", k=0, threshold=0.5, margin=0.05, leave_one_out_accuracy=None,
        trained_at=datetime.now(UTC),
        embeddings=gallery.embeddings, employee_ids=gallery.employee_ids, template_ids=gallery.template_ids,
        people=gallery.people,
    )  # fmt: skip
    save_model(app.settings.assets_dir, trained, ring)


def measure_cost(home: Path, *, count: int, rounds: int = 9) -> Cost:
    """Measure what opening the seals of a gallery adds to reading it; both in turn, medians."""
    with SmartAbsen.open(flags={"home": str(home), "engine": "fake"}) as app:
        fill(app, count)
        ring = app.services.key_chain.ring()
        stub = OpenSeals(ring.active, ring.place, ring.ciphers, ring.signers)
        database = app.services.database
        times: dict[str, list[float]] = {"sealed": [], "unsealed": [], "model": []}
        for _ in range(rounds):
            times["sealed"].append(_timed(lambda: _read(database, ring)))
            times["unsealed"].append(_timed(lambda: _read(database, stub)))
            times["model"].append(_timed(lambda: load_model(app.settings.assets_dir, ring)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return Cost(count, medians["sealed"], medians["unsealed"], medians["model"])


def measure_kills(home: Path, *, kills: int, rows: int = 60, seed: int = 1) -> Kills:
    """Kill rotations at random moments and look at what they leave."""
    rng = random.Random(seed)
    flags = {"home": str(home), "engine": "fake"}
    with SmartAbsen.open(flags=flags) as app:
        fill(app, rows)
    in_the_middle = broken = 0
    for number in range(kills):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(home)], stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        worker.stdout.readline()
        if number % 2:  # a slow machine, too, ends some of them in the middle
            for _ in range(rng.randrange(1, rows // 2)):
                worker.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.01))
        else:
            time.sleep(rng.uniform(0.01, 0.6))
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        with SmartAbsen.open(flags=flags) as app:
            found = app.keys.check()
            in_the_middle += len(found.templates) > 1
            broken += not found.intact or sum(found.templates.values()) != rows
    with SmartAbsen.open(flags=flags) as app:
        app.keys.rotate()
        found = app.keys.check()
        broken += not found.intact or len(found.templates) != 1
    return Kills(kills, in_the_middle, broken)


def _read(database: Database, ring: KeyRing) -> None:
    with database.read() as session:
        templates.gallery(session, MODEL, ring=ring)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(prog="python -m bench.seals", description=__doc__)
    parser.add_argument("--templates", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        cost = measure_cost(Path(directory) / "cost", count=options.templates)
        print(f"Gallery of {cost.templates} templates of {DIMENSION} numbers, medians of 9 rounds:\n")
        print("| | ms | ratio |\n|---|---|---|")
        print(f"| read, seals taken apart only | {1000 * cost.unsealed_s:.1f} | 1 |")
        print(f"| read, seals opened | {1000 * cost.sealed_s:.1f} | {cost.sealed_s / cost.unsealed_s:.2f} |")
        print(f"| trained model opened and checked | {1000 * cost.model_s:.1f} | |\n")
        if os.name == "posix" and options.kills:
            kills = measure_kills(Path(directory) / "kills", kills=options.kills)
            print(
                f"{kills.kills} rotations killed, {kills.in_the_middle} of them with both keys in use; "
                f"installations that did not open: {kills.broken}."
            )
            if kills.broken:
                sys.exit(1)


if __name__ == "__main__":
    main()
