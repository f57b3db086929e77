"""What a rotation of the key that is killed leaves behind.

A program seals everything with a new key, one row in
each transaction, and gets SIGKILL after a random time; after each, every row must open and the next run must finish.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from smartabsen import SmartAbsen
from smartabsen.gallery import template_rows as templates
from smartabsen.gallery.model_file import make_trained_model, save_model
from smartabsen.kernel.domain import ModelIdentity, Quality, Template
from smartabsen.people import employee_rows
from smartabsen.store.database import Session
from smartabsen.trust.active_key import ring_for_writing

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
