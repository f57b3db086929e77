"""``smartabsen leave``."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from ...attendance.leave.model import LeaveAsk, RequestState, parse_days
from ...attendance.rules.model import DayStatus, Portion
from ...attendance.rules.ruleset import LeaveKind
from ...kernel.i18n import _
from .. import leave_view
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Code, Reason, ReasonIfAny, read_day
from ..session import Session

app = make_noun(
    "leave",
    help=_("Grant, request, approve and list leave; balances, kinds, attachments."),
    example="smartabsen leave request E001 --kind tahunan --from 2026-12-24 --to 2026-12-31",
)

RequestId = Annotated[int, typer.Argument(metavar="ID", help=_("Number of the request; “leave list” shows it."))]
Kind = Annotated[str, typer.Option("--kind", metavar="KIND", help=_("Kind of leave; “leave kinds” lists all."))]
First = Annotated[str, typer.Option("--from", metavar="DATE", help=_("First day, as 1/11/2026 or 2026-11-01."))]
Last = Annotated[str, typer.Option("--to", metavar="DATE", help=_("Last day."))]
HalfWord: TypeAlias = Literal["morning", "afternoon"]
Half = Annotated[HalfWord | None, typer.Option("--half", help=_("Half of each day only."))]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help=_("Why, or what for."))]
Attach = Annotated[
    Path | None,
    typer.Option("--attach", metavar="FILE", readable=False, help=_("A letter: PDF, JPEG or PNG, stored sealed.")),
]
Days = Annotated[str, typer.Option("--days", metavar="N", help=_("Days: 12 or 0.5."))]
Expires = Annotated[str, typer.Option("--expires", metavar="DATE", help=_("Last day on which they can be taken."))]
StatusWord: TypeAlias = Literal["Cuti", "Izin", "Sakit", "Dinas"]
StateWord: TypeAlias = Literal["requested", "approved", "rejected", "withdrawn"]


@command(
    app,
    "grant",
    help=_("Give an employee days of a kind."),
    example="smartabsen leave grant E001 --kind tahunan --days 12 --expires 2026-12-31",
)
def grant(
    session: Session,
    code: Code,
    kind: Kind,
    days: Days,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="DATE", help=_("Last day on which they can be taken; never by default.")),
    ] = None,
    carried: Annotated[bool, typer.Option("--carried", help=_("They are left over from the year before."))] = False,
    note: Note = "",
) -> Answer:
    """Grant days."""
    until = None if expires is None else read_day(expires, "--expires")
    with session.open() as library:
        balance = library.leave_book.grant(code, kind, parse_days(days), expires=until, carried=carried, note=note)
    return leave_view.balance_answer(code, balance)


@command(
    app,
    "adjust",
    help=_("Add days to a balance, or take some away, with a reason."),
    example="smartabsen leave adjust E001 --kind tahunan --days -1 --reason 'taken before'",
)
def adjust(session: Session, code: Code, kind: Kind, days: Days, reason: Reason = "") -> Answer:
    """Adjust a balance."""
    with session.open() as library:
        why = session.ask_reason(reason)
        balance = library.leave_book.adjust(code, kind, parse_days(days), reason=why)
    return leave_view.balance_answer(code, balance)


@command(
    app,
    "annual",
    help=_("Grant the annual leave that is due after each twelve months of service, once for each year.")
    + "\n\n"
    + _("It expires a year later. Policies: annual_days, and annual_by_night for a server that does it by itself."),
    example="smartabsen leave annual --dry-run\nsmartabsen leave annual --on 2026-12-01",
)
def annual(
    session: Session,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help=_("Due by this day; today by default."))
    ] = None,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what is due, grant nothing."))] = False,
) -> Answer:
    """Grant annual leave."""
    with session.open() as library:
        day = library.today() if on is None else read_day(on, "--on")
        granter = library.annual_leave
        done = granter.due(day, code=employee) if dry_run else granter.grant(day, code=employee)
    return Answer(data=leave_view.annual(done), show=lambda out: leave_view.show_annual(out, done))


@command(
    app,
    "carry",
    help=_("After the end of a year: carry some of what expired over to the next one, once."),
    example="smartabsen leave carry E001 --kind tahunan --year 2026 --expires 31/3/2027",
)
def carry(
    session: Session,
    code: Code,
    kind: Kind,
    year: Annotated[int, typer.Option("--year", min=2000, max=2100, help=_("The year that is over."))],
    expires: Expires,
    most: Annotated[str, typer.Option("--most", metavar="N", help=_("Days that are carried over at most."))] = "366",
) -> Answer:
    """Carry days over."""
    end, until = date(year, 12, 31), read_day(expires, "--expires")
    with session.open() as library:
        balance = library.leave_book.carry_over(code, kind, year_end=end, most=parse_days(most), expires=until)
    return leave_view.balance_answer(code, balance)


@command(
    app,
    "expire",
    help=_("Post what has expired of everybody; a balance that is shown does so by itself."),
    example="smartabsen leave expire",
)
def expire(session: Session) -> Answer:
    """Post expiries."""
    with session.open() as library:
        done = library.leave_book.expire()
    return Answer(data=leave_view.expired(done), show=lambda out: leave_view.show_expired(out, done))


@command(
    app, "balance", help=_("Show what an employee has left, with the ledger."), example="smartabsen leave balance E001"
)
def balance(session: Session, code: Code) -> Answer:
    """Show balances."""
    with session.open() as library:
        employee = library.get_employee(code)
        found = library.leave_book.balances(code)
    return Answer(
        data=leave_view.balances(employee, found), show=lambda out: leave_view.show_balances(out, employee, found)
    )


@command(
    app,
    "request",
    help=_("Ask for leave; days on which the employee does not work are not counted.")
    + "\n\n"
    + _("It needs approvals, each by somebody else; the policy leave_steps says how many."),
    example="smartabsen leave request E001 --kind izin --from 24/12/2026 --to 31/12/2026",
)
def request(
    session: Session,
    code: Code,
    kind: Kind,
    first: First,
    last: Last,
    half: Half = None,
    note: Note = "",
    attach: Attach = None,
) -> Answer:
    """Request leave."""
    with session.open() as library:
        letter = None if attach is None else library.leave_book.read_letter(attach)
        ask = LeaveAsk(kind, *_period(first, last), _portion(half), note, letter)
        return leave_view.request_answer(library.leave_book.request(code, ask))


@command(
    app,
    "add",
    help=_("Enter leave that is approved at once, for an employee or a whole department.")
    + "\n\n"
    + _("In a department, who lacks the days is told, and keeps nobody else from theirs."),
    example="smartabsen leave add E001 --kind sakit --from 2026-12-01 --to 2026-12-02\n"
    "smartabsen leave add --department IT --kind wfh --from 4/1/2027 --to 4/1/2027",
)
def add(
    session: Session,
    kind: Kind,
    first: First,
    last: Last,
    code: Annotated[str | None, typer.Argument(metavar="CODE", help=_("Code of the employee."))] = None,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("The same as CODE."))] = None,
    department: Annotated[
        str | None, typer.Option("--department", metavar="CODE", help=_("Everybody of this department."))
    ] = None,
    half: Half = None,
    note: Note = "",
    attach: Attach = None,
) -> Answer:
    """Add leave."""
    given = [each for each in (code, employee, department) if each is not None]
    if len(given) != 1:
        raise typer.BadParameter(_("Name an employee or a department, one of them."))
    with session.open() as library:
        letter = None if attach is None else library.leave_book.read_letter(attach)
        ask = LeaveAsk(kind, *_period(first, last), _portion(half), note, letter)
        if department is None:
            return leave_view.request_answer(library.leave_book.add(given[0], ask))
        return leave_view.bulk_answer(library.leave_book.add_for_department(department, ask))


@command(
    app,
    "approve",
    help=_("Approve a request: one step of those it needs, as the user of this system."),
    example="smartabsen leave approve 12\nsmartabsen leave approve 12 --in-place-of siti",
)
def approve(
    session: Session,
    request_id: RequestId,
    in_place_of: Annotated[
        str, typer.Option("--in-place-of", metavar="NAME", help=_("Whose approval it is: who delegated theirs."))
    ] = "",
    reason: ReasonIfAny = "",
) -> Answer:
    """Approve."""
    with session.open() as library:
        done = library.leave_book.approve(request_id, in_place_of=in_place_of, reason=reason)
    return leave_view.request_answer(done)


@command(app, "reject", help=_("Refuse a request."), example="smartabsen leave reject 12 --reason 'stocktaking'")
def reject(session: Session, request_id: RequestId, reason: ReasonIfAny = "") -> Answer:
    """Reject."""
    with session.open() as library:
        return leave_view.request_answer(library.leave_book.reject(request_id, reason=reason))


@command(
    app,
    "withdraw",
    help=_("Take a request back; what it took is given back."),
    example="smartabsen leave withdraw 12",
)
def withdraw(session: Session, request_id: RequestId, reason: ReasonIfAny = "") -> Answer:
    """Withdraw."""
    with session.open() as library:
        return leave_view.request_answer(library.leave_book.withdraw(request_id, reason=reason))


@command(app, "show", help=_("Show a request with its steps."), example="smartabsen leave show 12")
def show_request(session: Session, request_id: RequestId) -> Answer:
    """Show one request."""
    with session.open() as library:
        return leave_view.request_answer(library.leave_book.get(request_id))


@command(
    app,
    "list",
    help=_("List requests for leave, with what became of them."),
    example="smartabsen leave list --state requested\nsmartabsen leave list --employee E001",
)
def list_requests(
    session: Session,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))] = None,
    state: Annotated[StateWord | None, typer.Option("--state", help=_("Only these."))] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help=_("First day."))] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help=_("Last day."))] = None,
) -> Answer:
    """List requests."""
    with session.open() as library:
        found = library.leave_book.requests(
            code=employee,
            states=None if state is None else (RequestState(state),),
            first=None if first is None else read_day(first, "--from"),
            last=None if last is None else read_day(last, "--to"),
        )
    return Answer(
        data={"requests": [leave_view.request(each) for each in found]},
        show=lambda out: leave_view.show_requests(out, found),
    )


@command(app, "kinds", help=_("List the kinds of leave: the law's and the firm's."), example="smartabsen leave kinds")
def list_kinds(session: Session) -> Answer:
    """List kinds."""
    with session.open() as library:
        kinds = library.leave_book.kinds()
    return Answer(
        data={"kinds": [leave_view.kind(each) for each in kinds]}, show=lambda out: leave_view.show_kinds(out, kinds)
    )


@command(
    app,
    "add-kind",
    help=_("Add a kind of leave of the firm's own, or change one."),
    example="smartabsen leave add-kind ulang-tahun --name 'Ulang tahun' --most 1",
)
def add_kind(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="KIND", help=_("Short name, as ulang-tahun."))],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help=_("What people call it."))],
    status: Annotated[StatusWord, typer.Option("--status", help=_("What the day is called."))] = "Cuti",
    balance: Annotated[bool, typer.Option("--balance", help=_("Days are granted and taken from a balance."))] = False,
    most: Annotated[int | None, typer.Option("--most", min=1, max=366, help=_("Days of one request at most."))] = None,
    calendar: Annotated[bool, typer.Option("--calendar", help=_("Days off inside it count, too."))] = False,
    work: Annotated[bool, typer.Option("--work", help=_("What it covers counts as worked."))] = False,
    off: Annotated[bool, typer.Option("--off", help=_("It can no longer be asked for."))] = False,
) -> Answer:
    """Add a kind."""
    wanted = LeaveKind(
        code, name, DayStatus(status), account=code.lower() if balance else "", most_days=most, calendar=calendar,
        counts_as_work=work, is_active=not off,
    )  # fmt: skip
    with session.open() as library:
        stored = library.leave_book.put_kind(wanted)
    return Answer(data=leave_view.kind(stored), show=lambda out: leave_view.show_kinds(out, (stored,)))


@command(
    app,
    "recount",
    help=_("Count the days of approved leave again by calendar and roster: what is free is given back.")
    + "\n\n"
    + _("Joint leave that is taken takes a day of annual leave, and gives it back where it is worked after all. A "
        "change of the calendar does this by itself, of a sync from today on, and a server does it every night."),
    example="smartabsen leave recount --from 2026-12-01 --to 2026-12-31",
)  # fmt: skip
def recount(
    session: Session,
    first: First,
    last: Last,
    employee: Annotated[str | None, typer.Option("--employee", metavar="CODE", help=_("Only this employee."))] = None,
) -> Answer:
    """Recount leave."""
    with session.open() as library:
        done = library.leave_by_calendar.follow(*_period(first, last), code=employee)
    return Answer(data=leave_view.recounted(done), show=lambda out: leave_view.show_recounted(out, done))


@command(
    app,
    "delegate",
    help=_("Let somebody approve leave in your place for some days."),
    example="smartabsen leave delegate siti --from 2026-12-24 --to 2026-12-31",
)
def delegate(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("User who approves in your place."))],
    first: First,
    last: Last,
) -> Answer:
    """Delegate approvals."""
    begin, end = _period(first, last)
    with session.open() as library:
        row_id = library.leave_book.delegate(name, begin, end)
    told = _("{name} may approve leave in your place from {first} to {last}.", name=name, first=begin, last=end)
    facts = {"id": row_id, "name": name, "from": begin.isoformat(), "to": end.isoformat()}
    return Answer(data=facts, show=lambda out: out.line(told))


@command(
    app,
    "letters",
    help=_("Write the attachments of a request into a folder, opened; the audit trail is told."),
    example="smartabsen leave letters 12 --to letters",
)
def letters(
    session: Session,
    request_id: RequestId,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", readable=False, help=_("The folder."))],
) -> Answer:
    """Write attachments."""
    with session.open() as library:
        paths = library.leave_book.write_letters(request_id, to)

    def show(out: Output) -> None:
        for path in paths:
            out.line(_("{path} is written.", path=path))

    return Answer(data={"files": [str(path) for path in paths]}, show=show)


def _period(first: str, last: str) -> tuple[date, date]:
    return read_day(first, "--from"), read_day(last, "--to")


def _portion(half: HalfWord | None) -> Portion:
    return Portion.FULL if half is None else Portion(half)
