"""Bulk enrolment from a table of people and their photos.

Everything is checked first. Photos are examined on all cores; each person is stored in one transaction as soon as
their photos are done, so an interrupted import has whole people, and the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

from ..app.bootstrap import Services
from ..kernel.domain import (
    Employee,
    EnrolAdvice,
    EnrolReport,
    ImportReport,
    ImportRow,
    ImportVerdict,
    Outcome,
    TableReading,
)
from ..kernel.errors import ConflictError, ConsentMissingError, InvalidInputError, NotFoundError
from ..kernel.i18n import N_, Message
from ..kernel.messages import OUTCOMES, fill
from ..kernel.reading import refuse_odd
from ..people import employee_rows
from ..people.employee_rows import code_key
from ..people.people_file import PhotoFolder, PlannedRow, people_rows, plan_rows, rounded_codes
from ..store.files import require_directory
from ..store.sheet_writer import Sheet, write_csv, write_xlsx
from ..store.sheets import NO_CHOICE, PEOPLE_COLUMNS, Ask, Table, TableChoice, read_table
from .enrol import Enroller, Progress, check_consent
from .photo_pool import PhotoPool
from .photos import PhotoExam

OnConflict = Literal["skip", "update", "fail"]

_SHOWN_CODES: Final = 5
_SHOWN_FILES: Final = 20
_AT_ONCE: Final = 200
"""People without photos that are stored in one transaction: one for each takes ten times as long."""
_REASONS: Final = ("verdict", "reason", "detail")


def import_people(
    services: Services,
    people_file: Path,
    *,
    photos_dir: Path | None,
    dry_run: bool,
    on_conflict: OnConflict,
    allow_duplicate: bool,
    workers: int | None,
    consent: bool = False,
    choice: TableChoice = NO_CHOICE,
    ask: Ask | None = None,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Import people.

    Args:
        people_file: CSV or XLSX with the columns code, name, position, photos.
        photos_dir: Where photos lie; None takes the directory of the file.
        dry_run: Examine and judge everything, write nothing.
        on_conflict: What becomes of a row whose code exists: left alone, updated (name, position, further photos), or
            the whole import is refused. Somebody who has no template yet gets the photos also when left alone.
        workers: Processes that examine photos; None chooses.
        consent: Everybody in the file agreed to face recognition, but those whose cell says no; otherwise the column
            ``consent`` says who did.
        choice: The sheet and the columns that are meant, instead of those that are found.
        ask: Asks a person where the file can be read in several ways.

    Returns:
        The verdict of each row. After Ctrl-C those that were not reached are PENDING.

    Raises:
        NotFoundError: The file or the directory does not exist.
        InvalidInputError: The file cannot be read as a table of people.
        ConflictError: ``on_conflict`` is ``fail`` and a code exists; nothing was written.
    """
    table = read_table(people_file, choice=choice, ask=ask)
    if photos_dir is not None:
        refuse_odd(photos_dir)
        if not photos_dir.is_dir():
            raise NotFoundError(N_("There is no directory {path}."), path=photos_dir)
    if on_conflict not in ("skip", "update", "fail"):
        raise InvalidInputError(N_("on_conflict is skip, update or fail, not {value}."), value=on_conflict)
    active = services.active_model()
    with services.database.read(long=True) as session:
        existing = {code_key(person.code): person for person in employee_rows.find_all(session, model=active)}
    rows, passed = people_rows(table)
    folder = PhotoFolder(photos_dir or people_file.parent, {*existing, *(row.values["code"] for row in rows)} - {""})
    plan = [
        _checked_consent(services, row, existing.get(code_key(row.person.code)))
        for row in plan_rows(
            table,
            rows,
            folder=folder,
            existing=existing,
            now=services.instant(),
            zone=ZoneInfo(services.settings.site.zone),
            all_consent=consent,
        )
    ]
    if on_conflict == "fail":
        _refuse_conflicts(plan)
    unclaimed = _unclaimed(folder, plan, is_given=photos_dir is not None)
    reading = replace(table.reading, passed_lines=passed, unused=_unused(table))
    _remark_oddities(services, reading, plan)
    _remark_photos(services, folder, plan, unclaimed, is_given=photos_dir is not None)
    wanted = [row for row in plan if not row.reason and not _is_left_alone(row, on_conflict)]
    answers: dict[int, ImportRow] = {}
    interrupted = False
    try:
        for answer in _stored(
            services,
            wanted,
            dry_run=dry_run,
            update=on_conflict == "update",
            allow_duplicate=allow_duplicate,
            workers=workers,
            on_progress=on_progress,
        ):
            answers[answer.line] = answer
    except KeyboardInterrupt:
        interrupted = True
    return ImportReport(
        tuple(answers.get(row.line) or _unreached(row, on_conflict) for row in plan),
        dry_run=dry_run,
        interrupted=interrupted,
        source=table.format,
        reading=reading,
        unclaimed_files=unclaimed,
    )


def table_choice(sheet: str, columns: Mapping[str, str]) -> TableChoice:
    """Return what somebody says of a file of people. Raises InvalidInputError for a column that an import has not."""
    titles = {}
    for given, title in columns.items():
        name = next((column.name for column in PEOPLE_COLUMNS if given.casefold() in column.known), None)
        if name is None:
            known = ", ".join(column.name for column in PEOPLE_COLUMNS)
            raise InvalidInputError(
                N_("An import has no column “{column}”: it has {known}."), column=given, known=known
            )
        titles[name] = title
    return TableChoice(sheet, titles)


def write_rejects(report: ImportReport, path: Path, *, separator: str) -> None:
    """Write the rows that were rejected or not reached, with the reason: mend them there and import that file.

    They have the columns of their source, and a CSV its separator and encoding, so that the same program opens it well.

    Args:
        separator: For a CSV of rows that come from a workbook.

    Raises:
        StorageError: The file cannot be written.
        InvalidInputError: It is named neither .csv nor .xlsx.
    """
    require_directory(path.parent)
    # The file may itself be one of rejects. The reasons stand first: cells beyond the last title stay where they were.
    kept = [place for place, title in enumerate(report.source.header) if title not in _REASONS]
    header = (*_REASONS, *(report.source.header[place] for place in kept))
    rows = [
        (row.verdict.value, row.reason, fill(row.detail, row.params), *_kept_cells(row, kept, report.source.header))
        for row in report.rows
        if row.verdict in (ImportVerdict.REJECTED, ImportVerdict.PENDING)
    ]
    if path.suffix.lower() == ".xlsx":
        write_xlsx(path, Sheet("rejects", header, rows))
    elif path.suffix.lower() == ".csv":
        source = report.source
        write_csv(path, header, rows, separator=source.separator or separator, encoding=source.encoding)
    else:
        raise InvalidInputError(N_("{path} must end with .csv or .xlsx."), path=path)


def _checked_consent(services: Services, row: PlannedRow, known: Employee | None) -> PlannedRow:
    if row.reason or not row.photos:
        return row
    try:
        check_consent(services, row.person, known)
    except ConsentMissingError as exc:
        return replace(row, reason="no_consent", detail=exc.message_id, params=exc.text_params)
    return row


def _kept_cells(row: ImportRow, kept: Sequence[int], header: Sequence[str]) -> Iterator[str]:
    for place in kept:
        yield row.cells[place] if place < len(row.cells) else ""
    yield from row.cells[len(header) :]


def _unused(table: Table) -> tuple[str, ...]:
    # The file may itself be one of rejects.
    return tuple(title for title in table.reading.unused if title not in _REASONS)


def _remark_oddities(services: Services, reading: TableReading, plan: Sequence[PlannedRow]) -> None:
    """Say what is probably not as it was meant: a misspelt column, hidden rows, rounded numbers."""
    if reading.unused:
        known = ", ".join(f"{column.name} ({column.titles[0]})" for column in PEOPLE_COLUMNS)
        remark = N_("These columns are not used: {titles}. The columns of an import are {known}.")
        services.remark(remark, titles=", ".join(reading.unused), known=known)
    if reading.hidden_lines:
        remark = N_(
            "Rows that the sheet hides, as by a filter, are imported like the others ({count}; rows {lines}). If they "
            "are not meant, delete them from the file, or copy the visible rows to a new one."
        )
        services.remark(remark, count=len(reading.hidden_lines), lines=_some(map(str, reading.hidden_lines)))
    if reading.passed_lines:
        remark = N_("Rows that are no people were passed over (totals, further titles, notes at the end): {lines}.")
        services.remark(remark, lines=_some(map(str, reading.passed_lines)))
    if rounded := rounded_codes(plan):
        remark = N_(
            "All codes of 16 digits and more end in 0, as {codes}: a spreadsheet keeps 15 digits of a number and puts "
            "0 for the rest. Compare them with the cards of these people before you go on."
        )
        services.remark(remark, codes=_some(rounded))


def _unclaimed(folder: PhotoFolder, plan: Sequence[PlannedRow], *, is_given: bool) -> tuple[str, ...]:
    """Return the files that no row claims. Beside the list lies anything, unless photos of its people lie there too."""
    if not is_given and not any(row.photos for row in plan):
        return ()
    return folder.unclaimed(below=is_given)


def _remark_photos(
    services: Services,
    folder: PhotoFolder,
    plan: Sequence[PlannedRow],
    unclaimed: Sequence[str],
    *,
    is_given: bool,
) -> None:
    if unclaimed:
        remark = N_(
            "Files in {folder} that no row claims ({count}): {names}. Photos are named CODE.jpg, CODE_2.jpg or "
            "“CODE (3).jpg”, or lie in a folder named CODE."
        )
        services.remark(remark, folder=folder.directory, count=len(unclaimed), names=_some(unclaimed, _SHOWN_FILES))
    if not plan or any(row.photos or row.named_photos or row.has_face for row in plan):
        return
    if is_given:
        remark = N_("No photo in {folder} belongs to a row, so nobody can be recognised.")
        services.remark(remark, folder=folder.directory)
    else:
        services.remark(
            N_(
                "No row has a photo, so nobody can be recognised: name photos in the column “photos”, or the folder "
                "that has them with --photos DIR, and import the file again."
            )
        )


def _some(names: Iterable[str], most: int = _SHOWN_CODES) -> str:
    """Return names as a list that ends in a sign where there are more."""
    listed = tuple(names)
    return ", ".join(listed[:most]) + (" …" if len(listed) > most else "")


def _is_left_alone(row: PlannedRow, on_conflict: OnConflict) -> bool:
    return row.exists and on_conflict == "skip" and not row.completes


def _stored(
    services: Services,
    wanted: Sequence[PlannedRow],
    *,
    dry_run: bool,
    update: bool,
    allow_duplicate: bool,
    workers: int | None,
    on_progress: Progress | None,
) -> Iterator[ImportRow]:
    """Store the rows and give the answer to each. Rows without photos are many to a transaction."""
    enroller = Enroller(services, dry_run=dry_run)
    for exist in (False, True):
        faceless = [row for row in wanted if not row.photos and row.exists is exist]
        for first in range(0, len(faceless), _AT_ONCE):
            batch = faceless[first : first + _AT_ONCE]
            if enroller.store_faceless([row.person for row in batch], exist=exist):
                yield from (_without_photos(row) for row in batch)
            else:
                yield from (_stored_row(enroller, row, [], allow_duplicate=False, update=exist) for row in batch)
    others = [row for row in wanted if row.photos]
    for row, exams in _examined(services, others, workers=workers, on_progress=on_progress):
        yield _stored_row(enroller, row, exams, allow_duplicate=allow_duplicate, update=update and row.exists)


def _stored_row(
    enroller: Enroller, row: PlannedRow, exams: Sequence[PhotoExam], *, allow_duplicate: bool, update: bool
) -> ImportRow:
    try:
        report = enroller.store(row.person, exams, allow_duplicate=allow_duplicate, update=update)
    except (InvalidInputError, ConflictError, NotFoundError) as exc:
        # Something changed since the rows were checked: this one is refused, the others go on.
        return row.answer(ImportVerdict.REJECTED, reason=exc.code, detail=exc.message_id, params=exc.text_params)
    return _verdict(row, report, update=update)


def _examined(
    services: Services, rows: Sequence[PlannedRow], *, workers: int | None, on_progress: Progress | None
) -> Iterator[tuple[PlannedRow, list[PhotoExam]]]:
    photos = [photo for row in rows for photo in row.photos]
    exams = PhotoPool(services, photos=len(photos), workers=workers).examine(photos)
    done = 0
    for row in rows:
        own = []
        for _ in row.photos:
            own.append(next(exams))
            done += 1
            if on_progress is not None:
                on_progress(done, len(photos))
        yield row, own


def _verdict(row: PlannedRow, report: EnrolReport, *, update: bool) -> ImportRow:
    if not row.photos:
        return _without_photos(row)
    refused = [each for each in report.verdicts if not each.accepted]
    if not row.exists and not report.created and all(each.outcome is Outcome.DUPLICATE_PHOTO for each in refused):
        # Another import of the same file was faster.
        return row.answer(ImportVerdict.SKIPPED, reason="exists", detail=N_("The code exists meanwhile."))
    if row.exists and (update or report.accepted):
        verdict = ImportVerdict.UPDATED
        refused = [each for each in refused if each.outcome is not Outcome.DUPLICATE_PHOTO]
    else:
        verdict = ImportVerdict.IMPORTED if report.accepted else ImportVerdict.REJECTED
    if report.unlike:
        unlike = (("photos", ", ".join(Path(each.photo).name for each in report.unlike)),)
        detail = N_("Some photos look like another person than the others of this code: {photos}")
        return row.answer(verdict, reason=EnrolAdvice.MIXED, detail=detail, params=unlike, photos=report.verdicts)
    if not refused:
        return row.answer(verdict, photos=report.verdicts)
    first = refused[0]
    if first.similar_to is not None:
        params = (("name", first.similar_to.name), ("code", first.similar_to.code))
        detail = N_("The face looks like {name} ({code}).")
        return row.answer(verdict, reason=first.outcome, detail=detail, params=params, photos=report.verdicts)
    if first.detail and len(refused) == 1:
        return row.answer(
            verdict, reason=first.outcome, detail=first.detail, params=first.params, photos=report.verdicts
        )
    names = ", ".join(Path(each.photo).name for each in refused if each.outcome is first.outcome)
    detail = N_("{problem} ({photos})")
    params = (("problem", Message(OUTCOMES[first.outcome].sentence)), ("photos", names))
    return row.answer(verdict, reason=first.outcome, detail=detail, params=params, photos=report.verdicts)


def _without_photos(row: PlannedRow) -> ImportRow:
    if row.has_face:
        return row.answer(ImportVerdict.UPDATED)
    detail = N_("No photo: this person cannot be recognised, and punches by hand.")
    verdict = ImportVerdict.UPDATED if row.exists else ImportVerdict.IMPORTED
    return row.answer(verdict, reason="no_photos", detail=detail)


def _unreached(row: PlannedRow, on_conflict: OnConflict) -> ImportRow:
    if row.reason:
        return row.answer(ImportVerdict.REJECTED)
    if _is_left_alone(row, on_conflict):
        detail = N_("The code exists; --on-conflict update would change it.")
        return row.answer(ImportVerdict.SKIPPED, reason="exists", detail=detail)
    return row.answer(ImportVerdict.PENDING, reason="not_reached", detail=N_("Not reached."))


def _refuse_conflicts(plan: Sequence[PlannedRow]) -> None:
    codes = [row.person.code for row in plan if row.exists]
    if codes:
        raise ConflictError(
            N_("Codes that exist already ({count}): {codes}. Nothing was imported."),
            hint=N_("--on-conflict skip leaves them alone, --on-conflict update changes them."),
            count=len(codes),
            codes=_some(codes),
        )
