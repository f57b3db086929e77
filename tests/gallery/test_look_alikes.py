"""Does a new face belong to somebody who is enrolled already?"""

import numpy as np

from smartabsen.gallery.look_alikes import KnownFaces

RNG = np.random.default_rng(3)
PEOPLE = np.linalg.qr(RNG.normal(size=(64, 64)))[0].astype(np.float32)[:10]


def photo(person: int, *, noise: float = 0.3) -> np.ndarray:
    vector = PEOPLE[person] + noise * RNG.normal(size=64).astype(np.float32) / 8
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def known(*people: int) -> KnownFaces:
    faces = KnownFaces(np.empty((0, 64), np.float32), np.empty(0, np.int64), [])
    for person in people:
        faces.add([photo(person), photo(person)], 100 + person, [f"{person}-a.jpg", f"{person}-b.jpg"])
    return faces


def test_a_stranger_looks_like_nobody() -> None:
    """Low similarities name nobody."""
    assert known(0, 1).find_look_alikes([photo(5), photo(5)], own_id=None, threshold=0.5) == [None, None]


def test_an_empty_gallery_knows_nobody() -> None:
    """The first person can be enrolled."""
    assert known().find_look_alikes([photo(0)], own_id=None, threshold=0.5) == [None]


def test_a_person_who_is_enrolled_under_another_code_is_named_for_all_photos() -> None:
    """One bad photo among them does not let the person in."""
    found = known(0, 1).find_look_alikes([photo(1), photo(1), photo(7)], own_id=None, threshold=0.5)
    assert found == [101, 101, 101]


def test_each_photo_names_whom_it_looks_like_itself() -> None:
    """A folder with two colleagues mixed up names both, each for the right photo."""
    found = known(0, 1).find_look_alikes([photo(1), photo(1), photo(0)], own_id=None, threshold=0.5)
    assert found == [101, 101, 100]


def test_one_strange_photo_among_ones_own_is_named_alone() -> None:
    """A photo of a colleague in the wrong folder is refused, the others are not."""
    found = known(0).find_look_alikes([photo(4), photo(4), photo(0), photo(4)], own_id=None, threshold=0.5)
    assert found == [None, None, 100, None]


def test_when_half_of_the_photos_are_somebody_elses_only_these_are_named() -> None:
    """Two people mixed half and half: the strange face is not taken for the known one."""
    assert known(0).find_look_alikes([photo(4), photo(0)], own_id=None, threshold=0.5) == [None, 100]


def test_further_photos_of_an_employee_do_not_look_like_themselves() -> None:
    """A person's own templates are no look-alikes."""
    assert known(0, 1).find_look_alikes([photo(1)], own_id=101, threshold=0.5) == [None]


def test_people_who_were_just_added_are_known() -> None:
    """The same face twice in one import is found, also when the gallery had to grow."""
    faces = known(*range(8))
    for person in range(40):
        stranger = RNG.normal(size=64).astype(np.float32)
        faces.add([stranger / np.linalg.norm(stranger)] * 3, 1000 + person, ["a.jpg", "b.jpg", "c.jpg"])
    faces.add([photo(9)], 109, ["a.jpg"])
    assert faces.find_look_alikes([photo(9)], own_id=None, threshold=0.5) == [109]


def test_a_photo_that_is_nearly_an_earlier_one_names_it() -> None:
    """The same picture in another file is told apart from a new photo, whichever came first."""
    faces = known(0)
    first = photo(0, noise=1.0)
    copies = [photo(0, noise=1.0), first, (0.999 * first).astype(np.float32)]
    found = faces.find_copies(copies, ["a.jpg", "b.jpg", "c.jpg"], own_id=None, threshold=0.98)
    assert found == ["", "", "b.jpg"]


def test_a_photo_that_is_nearly_a_stored_one_names_it() -> None:
    """A second enrolment of the same pictures, encoded anew, is noticed; other people's templates do not count."""
    faces = known()
    stored = photo(0)
    faces.add([stored], 100, ["old.jpg"])
    assert faces.find_copies([stored], ["new.jpg"], own_id=100, threshold=0.98) == ["old.jpg"]
    assert faces.find_copies([stored], ["new.jpg"], own_id=101, threshold=0.98) == [""]


def test_a_photo_unlike_the_stored_ones_is_told() -> None:
    """Stored templates count, and only the person's own."""
    faces = known(0, 1)
    own, other = photo(0), photo(1)
    found = faces.find_unlike_others([own, other], own_id=100, threshold=0.5)
    assert found[0] is None and found[1] is not None and found[1] < 0.5
    assert faces.find_unlike_others([other], own_id=None, threshold=0.5) == [None]
