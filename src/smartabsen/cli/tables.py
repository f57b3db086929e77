"""What people see of each result. Tables fit a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from ..kernel import domain
from ..kernel.domain import CheckLevel, ImportVerdict, Outcome, Status
from ..kernel.i18n import N_, _
from ..kernel.messages import (
    CHECK_LEVELS,
    ENROL_ADVICE,
    IMPORT_VERDICTS,
    LICENCE_CLASSES,
    STATUSES,
    describe_outcome,
    describe_verdict,
    fill,
    tell_bystanders,
    tell_turned,
)
from .output import Cell, Column, Output, yes_no

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ..gallery.duplicates import DuplicateReport

MODEL_STATES: Final[Mapping[str, str]] = {
    "installed": N_("installed"),
    "missing": N_("missing"),
    "different": N_("not the published files"),
    "bundled": N_("comes with an installed package"),
}
_LEVEL_STYLES: Final = {CheckLevel.OK: "green", CheckLevel.WARN: "yellow", CheckLevel.FAIL: "red",
                                     CheckLevel.SKIP: "dim"}  # fmt: skip
_STATUS_STYLES: Final = {Status.PRESENT: "green", Status.LATE: "yellow"}
_VERDICT_STYLES: Final = {
    ImportVerdict.IMPORTED: "green",
    ImportVerdict.UPDATED: "green",
    ImportVerdict.REJECTED: "red",
    ImportVerdict.PENDING: "yellow",
}


def show_enrolment(out: Output, report: domain.EnrolReport) -> None:
    """Print the result of enrolling one person."""
    columns = (Column(_("Photo")), Column(_("Verdict")), Column(_("Face"), number=True), Column(_("What to do")))
    if report.verdicts:
        out.table(columns, [_photo_row(verdict) for verdict in report.verdicts])
    out.line(enrolment_sentence(report))
    for each in report.advice:
        out.line(_(ENROL_ADVICE[each]))


def enrolment_sentence(report: domain.EnrolReport) -> str:
    """Return the result of enrolling one person in one line."""
    if not report.verdicts:
        text = N_("{name} ({code}) is added without a face, and punches by hand: smartabsen punch {code}")
        return _(text, name=report.employee.name, code=report.employee.code)
    return _(
        "{name} ({code}): photos accepted: {accepted} of {count}; templates: {templates}.",
        name=report.employee.name,
        code=report.employee.code,
        accepted=report.accepted,
        count=len(report.verdicts),
        templates=report.employee.templates,
    )


def show_import(out: Output, report: domain.ImportReport) -> None:
    """Print what was taken for what, the verdict of each row, and how many of each there are."""
    taken = ", ".join(_("{column} from “{title}”", column=name, title=title) for name, title in report.reading.columns)
    where = _("sheet “{sheet}”, titles in row {line}", sheet=report.reading.sheet, line=report.reading.header_line)
    if not report.reading.sheet:
        where = _("titles in line {line}", line=report.reading.header_line)
    if taken:
        out.note(_("Read: {taken} ({where}).", taken=taken, where=where))
    columns = (
        Column(_("Line"), number=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Photos"), number=True),
        Column(_("Verdict"), whole=True),
        Column(_("Reason")),
    )
    rows = [
        (
            str(row.line),
            row.code,
            row.name,
            f"{sum(photo.accepted for photo in row.photos)}/{len(row.photos)}",
            Cell(_(IMPORT_VERDICTS[row.verdict]), _VERDICT_STYLES.get(row.verdict, "")),
            fill(row.detail, row.params),
        )
        for row in report.rows
    ]
    out.table(columns, rows, empty=_("The file has no rows."))
    counts = [
        f"{_(text)} {report.count(verdict)}" for verdict, text in IMPORT_VERDICTS.items() if report.count(verdict)
    ]
    if counts:
        out.line(", ".join(counts) + ".")
    for row in report.rows:
        for photo in (each for each in row.photos if each.accepted):
            if said := " ".join(filter(None, (tell_bystanders(photo), tell_turned(photo)))):
                out.note(f"{row.code}, {photo.photo}: {said}")
    if any(photo.unlike_others is not None for row in report.rows for photo in row.photos):
        out.line(_(ENROL_ADVICE[domain.EnrolAdvice.MIXED]))
    if report.dry_run:
        out.note(_("Nothing was written: this was a dry run."))
    elif any(photo.accepted for row in report.rows for photo in row.photos):
        out.note(_("Next: smartabsen train"))


def show_employees(out: Output, employees: Sequence[domain.Employee]) -> None:
    """Print a list of employees."""
    columns = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Position")),
        Column(_("Active"), whole=True),
        Column(_("Templates"), number=True),
    )
    rows = [(each.code, each.name, each.position, yes_no(each.active), str(each.templates)) for each in employees]
    out.table(columns, rows, empty=_("No employees."))


def show_employee(out: Output, employee: domain.Employee, templates: Sequence[domain.TemplateFacts]) -> None:
    """Print one employee and the photos the templates come from."""
    show_employees(out, (employee,))
    out.line()
    columns = (
        Column(_("Template"), number=True),
        Column(_("Source")),
        Column(_("Model"), whole=True),
        Column(_("Face"), number=True),
        Column(_("Sharpness"), number=True),
    )
    rows = [
        (str(t.id), t.source, str(t.model), f"{t.quality.face_px:.0f} px", f"{t.quality.sharpness:.0f}")
        for t in templates
    ]
    out.table(columns, rows, empty=_("No templates."))


def show_photos(out: Output, photos: Sequence[domain.EnrolledPhoto], zone: tzinfo) -> None:
    """Print the photos that somebody was enrolled with; times are those of the site."""
    columns = (
        Column(_("Number"), number=True),
        Column(_("Source")),
        Column(_("Enrolled"), whole=True),
        Column(_("Face"), number=True),
        Column(_("Engines"), whole=True),
        Column(_("Face kept"), whole=True),
    )
    rows = [
        (
            str(photo.number),
            photo.source,
            f"{photo.enrolled_at.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{photo.quality.face_px:.0f} px",
            ", ".join(photo.engines),
            yes_no(photo.has_picture),
        )
        for photo in photos
    ]
    out.table(columns, rows, empty=_("No photos."))


def show_phones(out: Output, phones: Sequence[domain.PairedPhone], zone: tzinfo) -> None:
    """Print paired phones; times are those of the site."""
    columns = (
        Column(_("Number"), number=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("Phone")),
        Column(_("Paired"), whole=True),
        Column(_("Last used"), whole=True),
    )
    rows = [
        (
            str(each.id),
            each.employee.code,
            each.employee.name,
            each.label,
            f"{each.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
            f"{each.last_used_at.astimezone(zone):%Y-%m-%d %H:%M}" if each.last_used_at else "",
        )
        for each in phones
    ]
    out.table(columns, rows, empty=_("No paired phones."))


def show_images(out: Output, images: Sequence[domain.ImageResult]) -> None:
    """Print who is in each picture."""
    columns = (
        Column(_("Picture")),
        Column(_("Box"), whole=True),
        Column(_("Outcome")),
        Column(_("Employee")),
        Column(_("Similarity"), number=True),
        Column(_("Margin"), number=True),
    )
    rows: list[Sequence[str | Cell]] = []
    for image in images:
        if image.outcome is not None or not image.faces:
            detail = fill(image.detail, image.params)
            outcome = Cell(detail, "red") if detail else _outcome(image.outcome or image.hidden_by or Outcome.NO_FACE)
            rows.append((image.image, "", outcome, "", "", ""))
        for face in image.faces:
            box = ",".join(f"{side:.0f}" for side in face.face.box_xyxy)
            who = f"{face.employee.name} ({face.employee.code})" if face.employee else ""
            rows.append((image.image, box, _outcome(face.outcome), who, _cosine(face.similarity), _cosine(face.margin)))
    out.table(columns, rows)


def show_report(out: Output, report: domain.Report) -> None:
    """Print the days and the totals of a report."""
    columns = (
        Column(_("Date"), whole=True),
        Column(_("Code"), whole=True),
        Column(_("Name")),
        Column(_("In"), whole=True),
        Column(_("Out"), whole=True),
        Column(_("Status"), whole=True),
        Column(_("Late"), number=True),
        Column(_("Worked"), number=True),
    )
    rows = [
        (
            day.work_date.isoformat(),
            day.code,
            day.name,
            _clock(day.clock_in),
            _clock(day.clock_out),
            Cell(_(STATUSES[day.status]), _STATUS_STYLES.get(day.status, "")) if day.status else _("Absent"),
            _duration(day.late_minutes),
            _duration(day.worked_minutes),
        )
        for day in report.days
    ]
    period = _("No attendance from {first} to {last}.", first=report.first, last=report.last)
    out.table(columns, rows, empty=period)
    if not report.totals:
        return
    out.line()
    sums = (
        Column(_("Code"), whole=True),
        Column(_("Name")),
        *(Column(_(STATUSES[status]), number=True) for status in Status),
        Column(_("Absent"), number=True),
        Column(_("Time late"), number=True),
        Column(_("Worked"), number=True),
    )
    totals = [
        (
            total.code,
            total.name,
            *(str(days) for days in (total.present, total.late, total.excused, total.sick, total.absent)),
            _duration(total.late_minutes),
            _duration(total.worked_minutes),
        )
        for total in report.totals
    ]
    out.table(sums, totals)


def show_models(out: Output, models: Sequence[domain.ModelStatus]) -> None:
    """Print the model packs: state, licence, where from, and the digest of each file that is there."""
    styles = {"missing": "dim", "different": "red"}
    for each in models:
        state = _(MODEL_STATES.get(each.state, each.state))
        licence = " - ".join(filter(None, (each.licence, _(LICENCE_CLASSES[each.licence_class]))))
        out.line(f"{each.name}: {state}", styles.get(each.state, "green"))
        out.line(f"    {_(each.purpose)}; {licence}")
        out.line(f"    {each.source if each.state == 'missing' else each.path}")
        for name, digest, published in each.compared_files():
            if digest and published not in ("", digest):
                out.line("    " + _("{name} is not the published file:", name=name), "red")
                out.line("        " + _("expected SHA-256 {digest}", digest=published))
                out.line("        " + _("found    SHA-256 {digest}", digest=digest))
            elif digest:
                out.line(f"    {name}  SHA-256 {digest[:16]}…")
            elif any(found for _name, found in each.files):
                out.line("    " + _("{name} is not there.", name=name), "red")


def show_users(out: Output, users: Sequence[domain.User], zone: tzinfo, *, now: datetime) -> None:
    """Print users of the dashboard; times are those of the site."""

    def row(user: domain.User) -> tuple[str | Cell, ...]:
        locked = user.locked_until is not None and user.locked_until > now
        state = Cell(_("locked"), "yellow") if locked else Cell(_("active"), "green")
        if user.must_change_password and not locked:
            state = Cell(_("given password"), "yellow")
        last = f"{user.last_login_at.astimezone(zone):%Y-%m-%d %H:%M}" if user.last_login_at else ""
        second = _("yes") if user.has_totp else _("no")
        return user.name, user.role.value, state if user.active else Cell(_("disabled"), "red"), second, last

    columns = (
        Column(_("User")),
        Column(_("Role")),
        Column(_("State")),
        Column(_("Second factor")),
        Column(_("Last sign-in"), whole=True),
    )
    out.table(columns, map(row, users), empty=_("There is no user yet: “smartabsen user setup” makes the first one."))


def show_sessions(out: Output, sessions: Sequence[domain.OpenSession], zone: tzinfo) -> None:
    """Print the sessions of a user; times are those of the site."""

    def row(each: domain.OpenSession) -> tuple[str, ...]:
        began, seen = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (each.began_at, each.last_seen_at))
        return each.id, each.address, each.label, began, seen

    columns = (
        Column(_("Session"), whole=True),
        Column(_("Address")),
        Column(_("Browser")),
        Column(_("Since"), whole=True),
        Column(_("Last seen"), whole=True),
    )
    out.table(columns, map(row, sessions), empty=_("Nobody is signed in under this name."))


def show_checks(out: Output, checks: Sequence[domain.Check]) -> None:
    """Print the rows of doctor, each with what mends it."""
    for each in checks:
        detail = fill(each.detail, each.params)
        out.line(f"{_(CHECK_LEVELS[each.level])}  {each.name}: {detail}", _LEVEL_STYLES[each.level])
        if each.fix:
            out.line(f"    {fill(each.fix, each.params)}")


def show_settings(out: Output, settings: Sequence[domain.SettingValue]) -> None:
    """Print each setting with its value and origin, and what it means."""
    for each in settings:
        value = "" if each.value is None else str(each.value)
        line = f"{each.name} = {value}  [{each.origin}]" if each.origin else each.name
        out.line(line, "" if each.origin == "default" else "bold")
        out.line(f"    {_(each.about)}", "dim")


def show_duplicates(out: Output, report: DuplicateReport, zone: ZoneInfo) -> None:
    """Print codes that are perhaps one person, and when that was searched for."""
    if report.pairs:
        columns = (
            Column(_("Perhaps one person")),
            Column(_("Code"), whole=True),
            Column(_("Cosine"), number=True),
            Column(_("Active"), whole=True),
        )
        rows = [
            (
                f"{a.name} / {b.name}",
                f"{a.code} / {b.code}",
                f"{each.similarity:.3f}",
                f"{yes_no(a.active)} / {yes_no(b.active)}",
            )
            for each in report.pairs
            for a, b in [(each.employee, each.other)]
        ]
        out.table(columns, rows)
        out.note(
            _("Look at the pictures of each pair. One person: smartabsen employee deactivate CODE. Two people: "
              "smartabsen employee different CODE OTHER")
        )  # fmt: skip
    elif report.searched_at is not None:
        out.line(_("Nobody looks like enrolled under two codes."))
    if report.searched_at is None:
        out.line(_("Nothing was compared yet."))
    else:
        out.note(_("Searched: {at}.", at=f"{report.searched_at.astimezone(zone):%Y-%m-%d %H:%M}"))
        if not report.complete:
            out.warn(_("Not everybody was compared yet: the same command goes on."))


def percent(share: float) -> str:
    """Return a share as a percentage that never rounds a miss away: 100 % only where it is all."""
    return f"{min(share * 100, 99.99) if share < 1 else 100:.4g} %"


def _photo_row(verdict: domain.PhotoVerdict) -> tuple[str | Cell, ...]:
    sentence, next_step = describe_verdict(verdict)
    face = f"{verdict.quality.face_px:.0f} px" if verdict.quality else ""
    style = "red" if not verdict.accepted else "green" if verdict.unlike_others is None else "yellow"
    return verdict.photo, Cell(sentence, style), face, next_step


def _outcome(outcome: Outcome) -> Cell:
    return Cell(describe_outcome(outcome)[0], "green" if outcome is Outcome.RECOGNIZED else "yellow")


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _clock(value: datetime | None) -> str:
    return "" if value is None else f"{value:%H:%M}"


def _duration(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes else ""
