"""The pages about employees, their phones, users, the audit trail and the system."""

from __future__ import annotations

import io
import re
import time
from html import unescape

import cv2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from smartabsen import ModelMissingError, Role, SmartAbsen
from smartabsen.app.bootstrap import Services
from smartabsen.gallery import enrolments
from smartabsen.gallery.training_job import JobState

from ...installation import picture
from ..pages import csrf_of, post


def photo(person: int, shade: int = 90, **kwargs: object) -> tuple[io.BytesIO, str]:
    data = cv2.imencode(".jpg", picture(person, shade=shade, **kwargs))[1].tobytes()  # type: ignore[arg-type]
    return io.BytesIO(data), f"../../photo {shade}.jpg"


def send_pictures(browser: FlaskClient, *files: tuple[io.BytesIO, str]) -> str:
    token = csrf_of(browser.get("/admin/employees/1").text)
    answer = browser.post(
        "/admin/employees/1/pictures", data={"csrf_token": token, "pictures": list(files)}, follow_redirects=True
    )
    assert answer.status_code == 200
    return answer.text


def test_an_employee_is_added_edited_and_deactivated(library: SmartAbsen, admin: FlaskClient) -> None:
    """Each with a word on the next page, and in the audit trail with what was before."""
    page = admin.get("/admin/employees/new").text
    added = post(admin, "/admin/employees/new", page, code="E7", name="Citra Contoh", position="Kasir")
    assert "Citra Contoh was added." in admin.get(added.location).text
    post(admin, added.location, page, name="Citra Dewi", position="Gudang")
    post(admin, f"{added.location}/active", page, active="0")
    person = library.get_employee("E7")
    assert (person.name, person.position, person.active) == ("Citra Dewi", "Gudang", False)
    admin.get("/admin/")
    assert "Citra" not in admin.get("/admin/employees").text
    assert "Citra" in admin.get("/admin/employees?inactive=1&search=citra").text
    trail = unescape(admin.get("/admin/audit?action=employee.&subject=E7").text)
    assert "Employee edited" in trail and "name before</span> Citra Contoh" in trail and "Employee deactivated" in trail


def test_a_code_of_somebody_else_is_told_on_the_form(admin: FlaskClient) -> None:
    """The form comes back with the reason."""
    page = admin.get("/admin/employees/new").text
    answer = post(admin, "/admin/employees/new", page, code="e001", name="Somebody Else")
    assert answer.location == "/admin/employees/new"
    assert "belongs to Ani Contoh" in admin.get("/admin/employees/new").text


def test_uploaded_pictures_get_a_verdict_each(library: SmartAbsen, admin: FlaskClient) -> None:
    """Good ones become templates; names of files are shown without their folders and lead nowhere."""
    page = unescape(
        send_pictures(admin, photo(1), photo(1, 120), photo(1, 70, size_px=30), (io.BytesIO(b"no picture"), "x.jpg"))
    )
    assert "2 of 4 pictures accepted." in page
    assert "photo 90.jpg" in page and "../" not in page
    assert page.count("Accepted.") == 2 and "The face is too small." in page and "Train now" in page
    assert library.get_employee("E001").templates == 2
    assert not list(library.settings.home.rglob("*.jpg"))


def test_without_an_engine_the_page_says_what_the_operator_has_to_fetch(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new installation before “models pull”: the line, and no crash."""
    missing = ModelMissingError("There is no engine yet.", hint="Get one: smartabsen models pull {pack}", pack="sface")
    monkeypatch.setattr(Services, "engine", property(lambda _: (_ for _ in ()).throw(missing)))
    token = csrf_of(admin.get("/admin/employees/1").text)
    answer = admin.post("/admin/employees/1/pictures", data={"csrf_token": token, "pictures": [photo(1)]})
    assert answer.status_code == 503
    assert "smartabsen models pull sface" in unescape(answer.text)


def test_the_face_of_somebody_else_is_named_to_administrators(library: SmartAbsen, admin: FlaskClient) -> None:
    """They are the ones who can find out whose picture it is; a tick takes it all the same."""
    send_pictures(admin, photo(1))
    token = csrf_of(admin.get("/admin/employees/2").text)
    data = {"csrf_token": token, "pictures": [photo(1, 120)]}
    page = unescape(admin.post("/admin/employees/2/pictures", data=data).text)
    assert "Looks like Ani Contoh (E001)." in page and library.get_employee("E002").templates == 0
    data = {"csrf_token": token, "pictures": [photo(1, 120)], "allow_duplicate": "1"}
    assert "1 of 1 pictures accepted." in admin.post("/admin/employees/2/pictures", data=data).text


def test_what_the_picker_does_not_offer_is_not_decoded(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that nobody needs is nothing to be reached from a browser; the page says what is taken."""
    monkeypatch.setattr(enrolments, "examine_bytes", lambda *_, **__: pytest.fail("it was decoded"))
    bitmap = cv2.imencode(".bmp", picture(1))[1].tobytes()
    page = unescape(send_pictures(admin, (io.BytesIO(bitmap), "a.jpg")))
    assert "Only JPEG, PNG and WebP are taken here." in page
    offered = re.search(r'accept="([^"]+)"', admin.get("/admin/employees/1").text)
    assert offered is not None
    assert offered[1].split(",") == [f"image/{name}" for name in enrolments.UPLOAD_FORMATS]


def test_too_many_or_too_large_pictures_are_refused(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of them is decoded: one by one, and the form as a whole."""
    monkeypatch.setattr(enrolments, "MAX_PICTURE_BYTES", 500)
    assert "Choose 1 to 10 pictures." in send_pictures(admin)
    assert "Choose 1 to 10 pictures." in send_pictures(admin, *[photo(1, 60 + n) for n in range(11)])
    page = send_pictures(admin, photo(1))
    assert "The picture has more than" in page
    huge = {"data": b"0" * 51_000_000, "content_type": "multipart/form-data; boundary=x"}
    assert admin.post("/admin/employees/1/pictures", **huge).status_code == 413


def test_a_phone_is_paired_by_the_qr_on_the_page(web: Flask, library: SmartAbsen, admin: FlaskClient) -> None:
    """The page that waits shows the phone; revoking ends it."""
    waiting = admin.get("/admin/employees/1/phones/part")
    made = post(admin, "/admin/employees/1/phones", admin.get("/admin/employees/1").text)
    assert (made.status_code, made.location) == (303, "/admin/employees/1/phones")
    page = admin.get(made.location).text
    assert "<svg" in page
    assert "Phone invited" in admin.get("/admin/audit").text
    pairing = library.phones.start_pairing("E001")
    phone = web.test_client()
    form = phone.get(pairing.url[pairing.url.index("/pair") :]).text
    post(phone, "/pair", form, token=pairing.token)
    assert len(library.phones.list_phones("E001")) == 1
    after = admin.get("/admin/employees/1/phones/part", headers={"If-None-Match": waiting.headers["ETag"]})
    assert after.status_code == 200 and "Revoke" in after.text
    post(admin, "/admin/employees/1/phones/1/revoke", page)
    assert library.phones.list_phones("E001") == ()


def test_loading_the_pairing_page_again_makes_no_invitation(library: SmartAbsen, admin: FlaskClient) -> None:
    """It shows the same one, with its address, and says when phones cannot open it; of nobody else."""
    post(admin, "/admin/employees/1/phones", admin.get("/admin/employees/1").text)
    pages = [admin.get("/admin/employees/1/phones").text for _ in range(2)]
    addresses = {re.search(r"http://127\.0\.0\.1:5001/pair\?token=[\w-]{64}", page)[0] for page in pages}  # type: ignore[index]
    assert len(addresses) == 1
    assert "it works on this computer only" in pages[0]
    assert admin.get("/admin/audit").text.count("Phone invited") == 1
    assert admin.get("/admin/employees/2/phones").location == "/admin/employees/2"
    library.phones.start_pairing("E001")
    assert admin.get("/admin/employees/1/phones").location == "/admin/employees/1"


def test_a_pin_is_set_and_removed_and_never_shown(library: SmartAbsen, admin: FlaskClient) -> None:
    """A weak one is refused on the page."""
    page = admin.get("/admin/employees/1").text
    post(admin, "/admin/employees/1/pin", page, pin="123456")
    assert "too easy" in admin.get("/admin/employees/1").text
    post(admin, "/admin/employees/1/pin", page, pin="284617")
    shown = admin.get("/admin/employees/1").text
    assert library.phones.has_pin("E001") and "284617" not in shown and "A PIN is set." in shown
    post(admin, "/admin/employees/1/pin/remove", page)
    assert not library.phones.has_pin("E001")


def test_users_are_added_and_changed(library: SmartAbsen, admin: FlaskClient) -> None:
    """With two passwords that agree; the last administrator stays."""
    page = admin.get("/admin/users").text
    new = {"name": "Tini", "role": "admin", "password": "lima kuda makan rumput", "repeated": "lima kuda makan rumput"}
    post(admin, "/admin/users", page, **{**new, "repeated": "other"})
    assert "differ" in admin.get("/admin/users").text
    post(admin, "/admin/users", page, **new)
    assert library.users.get("tini").role is Role.ADMIN
    post(admin, "/admin/users/tini/role", page, role="viewer")
    post(admin, "/admin/users/tini/active", page, active="0")
    user = library.users.get("tini")
    assert (user.role, user.active) == (Role.VIEWER, False)
    post(admin, "/admin/users/siti/active", page, active="0")
    assert "last administrator" in admin.get("/admin/users").text
    assert post(admin, "/admin/users", page, **{**new, "role": "root"}).status_code == 400


def test_a_password_is_nowhere_in_the_trail(library: SmartAbsen, admin: FlaskClient) -> None:
    """Neither its text nor its hash."""
    page = admin.get("/admin/users").text
    secret = "sembilan gajah menari"
    post(admin, "/admin/users/budi/password", page, password=secret, repeated=secret)
    trail = admin.get("/admin/audit").text
    assert "Password set" in trail and secret not in trail and "$2b$" not in trail


def test_the_trail_is_filtered_and_continued(library: SmartAbsen, admin: FlaskClient) -> None:
    """By who, what, whom and day; older entries follow on the next page."""
    for number in range(60):
        library.rename_employee("E002", f"Bayu {number}")
    page = admin.get("/admin/audit?action=employee.&subject=E002").text
    assert page.count("Employee renamed") == 50
    older = re.search(r'href="([^"]*before=\d+)"', page)
    assert older is not None
    rest = admin.get(unescape(older[1])).text
    assert rest.count("Employee renamed") == 10 and "Newest" in rest
    assert "Nothing was found." in admin.get("/admin/audit?actor=nobody").text
    assert admin.get("/admin/audit?before=x&from=nonsense").status_code == 200


def test_the_button_trains_and_the_page_says_so(library: SmartAbsen, admin: FlaskClient) -> None:
    """The training works in the background; its state is on the page and in the part that is polled."""
    send_pictures(admin, photo(1), photo(1, 120))
    page = admin.get("/admin/system").text
    assert "none yet" in page
    post(admin, "/admin/system/training", page)
    deadline = time.monotonic() + 20
    while library.trainings.find().state is JobState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "Trained with 2 pictures of 1 people, and in use." in admin.get("/admin/system/training").text
    assert "none yet" not in admin.get("/admin/system").text


def test_the_checks_of_doctor_are_shown(admin: FlaskClient) -> None:
    """Each row with what mends it."""
    page = admin.get("/admin/system").text
    assert "python" in post(admin, "/admin/system/checks", page).text


@pytest.mark.parametrize(
    "path", ["/admin/employees/1", "/admin/attendance/2026-11-02/1", "/admin/leave", "/admin/system"]
)
def test_a_viewer_sees_no_button_that_they_may_not_press(viewer: FlaskClient, path: str) -> None:
    """The only form of theirs is the way out."""
    page = viewer.get(path).text
    assert re.findall(r'method="post" action="([^"]+)"', page) == ["/admin/logout"]
    assert "/admin/audit" not in page and "/admin/users" not in page
