"""``smartabsen privacy``."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ...kernel.i18n import _
from .. import privacy_view
from ..answer import Answer
from ..command import command, make_noun
from ..output import Output
from ..parameters import Code, Reason, ReasonIfAny
from ..session import Session

app = make_noun(
    "privacy",
    help=_("Consents, copies for people, erasure, retention periods."),
    example="smartabsen privacy export E001 --output for-siti",
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help=_("Do not ask."))]


@command(
    app,
    "consent-text",
    help=_("Print the text that people agree to.")
    + "\n\n"
    + _("The files consent.id.txt and consent.en.txt in the home replace it."),
    example="smartabsen privacy consent-text --language id",
)
def print_consent_text(session: Session) -> Answer:
    """Print the text in force in the language of messages."""
    with session.open() as app:
        text = app.privacy.consent_text()
    facts = {"language": text.language, "version": text.version, "sha256": text.sha256, "text": text.text}
    version = _("Version {version}, SHA-256 {sha256}", version=text.version, sha256=text.sha256)

    def show(out: Output) -> None:
        out.block(text.text)
        out.note(version)

    return Answer(data=facts, show=show)


@command(
    app,
    "consent",
    help=_("Record that somebody agreed to face recognition."),
    example="smartabsen privacy consent E001",
)
def record_consent(session: Session, code: Code) -> Answer:
    """Record a consent to the text in force."""
    with session.open() as app:
        app.privacy.record_consent(code)
        consents, zone = app.privacy.consents(code), ZoneInfo(app.settings.site.zone)
    return Answer(
        data={"consents": [privacy_view.consent(each) for each in consents]},
        show=lambda out: privacy_view.show_consents(out, consents, zone),
    )


@command(
    app,
    "export",
    help=_("Write everything that is kept about one person, and nothing about others.")
    + "\n\n"
    + _("JSON and CSV, kept faces as pictures. Give the directory to that person only, and delete it then."),
    example="smartabsen privacy export E001 --output for-siti",
)
def export(
    session: Session,
    code: Code,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help=_("A new directory; CODE-export by default."))
    ] = None,
    reason: ReasonIfAny = "",
) -> Answer:
    """Export."""
    with session.open() as app:
        done = app.privacy.export(code, output or Path(f"{Path(code).name}-export"), reason=reason)
        if done.faces_missing:
            session.out.warn(_("Embeddings and kept faces are not among it: their key is missing or a seal is broken."))
    return Answer(data=privacy_view.exported(done), show=lambda out: privacy_view.show_export(out, done))


@command(
    app,
    "erase",
    help=_("Erase a person, or only the face.")
    + "\n\n"
    + _(
        "Templates, kept faces, the trained model, phones, PIN and consents go; attendance is pseudonymised or "
        "deleted, as privacy.attendance_after_erasure says. Running kiosks follow within 5 seconds, and "
        "whom a restored backup brings back is erased again. The reason stays in the record of who did what: it must "
        "not name the person."
    ),
    example="smartabsen privacy erase E001 --dry-run\n"
    "smartabsen privacy erase E001 --face-only --reason 'withdrew consent' --yes",
)
def erase(
    session: Session,
    code: Code,
    face_only: Annotated[
        bool, typer.Option("--face-only", help=_("Only face and consent; the person stays and punches by hand."))
    ] = False,
    reason: Reason = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be erased."))] = False,
    yes: Yes = False,
) -> Answer:
    """Erase, after a question."""
    with session.open() as app:
        plan = app.privacy.plan_erasure(code, scope="face" if face_only else "all")
        if dry_run:
            return Answer(
                data=privacy_view.erasure_plan(plan), show=lambda out: privacy_view.show_erasure_plan(out, plan)
            )
        question = _("{name} ({code}) is erased for good. Go on?", name=plan.employee.name, code=plan.employee.code)
        why = session.ask_reason(reason)
        privacy_view.confirm(session, question, yes=yes)
        done = app.privacy.erase(code, scope=plan.scope, reason=why)
    return Answer(data=privacy_view.erased(done), show=lambda out: privacy_view.show_erased(out, done))


@command(
    app,
    "apply",
    help=_("Erase again whom an older backup has brought back, and complete what was cut off."),
    example="smartabsen privacy apply",
)
def apply(session: Session) -> Answer:
    """Apply the tombstones."""
    with session.open() as app:
        count = app.privacy.apply_tombstones()
    return Answer(
        data={"applied": count}, show=lambda out: out.line(_("{count} erasures were carried out.", count=count))
    )


@command(
    app,
    "purge",
    help=_("Delete what is kept longer than the retention periods of the settings say."),
    example="smartabsen privacy purge --dry-run\nsmartabsen privacy purge --yes",
)
def purge(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be deleted."))] = False,
    yes: Yes = False,
) -> Answer:
    """Purge, after a question."""
    with session.open() as app:
        found = app.privacy.purge(dry_run=True)
        if not dry_run and not found.empty:
            if not yes and session.out.can_ask():
                privacy_view.show_purged(session.out, found)
            privacy_view.confirm(session, _("All of this is deleted for good. Go on?"), yes=yes)
            found = app.privacy.purge(dry_run=False)
    return Answer(data=privacy_view.purged(found), show=lambda out: privacy_view.show_purged(out, found))
