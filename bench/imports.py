"""Photos per second of ``import``, with one worker and with two: the people of gallery.txt, five photos each."""

from __future__ import annotations

import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import ENGINES, SHARED
from smartabsen import SmartAbsen

PHOTOS_EACH = 5


@dataclass(frozen=True)
class Import:
    """One import: start of the workers, decoding, detection, embedding and storing included."""

    engine: str
    workers: int
    photos: int
    accepted: int
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Photos given, not only those accepted."""
        return self.photos / self.seconds


def measure(engine: str, workers: int) -> Import:
    """Import into a fresh home."""
    lfw = SHARED / "faces" / "lfw"
    with tempfile.TemporaryDirectory() as folder:
        people = Path(folder, "people.csv")
        photos = 0
        with people.open("w", newline="", encoding="utf-8") as sink:
            writer = csv.writer(sink)
            writer.writerow(["code", "name", "photos"])
            for number, name in enumerate((lfw / "gallery.txt").read_text().split(), start=1):
                files = sorted((lfw / name).glob("*.jpg"))[:PHOTOS_EACH]
                photos += len(files)
                writer.writerow([f"E{number:03d}", name.replace("_", " "), "|".join(map(str, files))])
        flags = {"home": str(Path(folder, "home")), "models_dir": str(SHARED / "models"), "engine": engine}
        with SmartAbsen.open(flags=flags) as app:
            start = time.perf_counter()
            report = app.import_people(people, workers=workers)
            seconds = time.perf_counter() - start
    accepted = sum(verdict.accepted for row in report.rows for verdict in row.photos)
    return Import(engine, workers, photos, accepted, seconds)


def main() -> None:
    """Print the figures as Markdown."""
    print("| engine | workers | photos | accepted | photos/s | ratio to one worker |\n|---|---|---|---|---|---|")
    for engine in ENGINES:
        single = measure(engine, 1)
        for result in (single, measure(engine, 2)):
            ratio = result.photos_per_second / single.photos_per_second
            print(
                f"| {engine} | {result.workers} | {result.photos} | {result.accepted} "
                f"| {result.photos_per_second:.1f} | {ratio:.2f} |"
            )


if __name__ == "__main__":
    main()
