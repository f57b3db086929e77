"""What can be set: one frozen section for each subject, every setting with its default, range and meaning."""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from ..kernel.i18n import N_
from .problems import SettingRefusedError, read_clock
from .zones import DEFAULT_ZONE

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_NEAR = "127.0.0.0/8, ::1/128, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7, fe80::/10"
"""Loopback and the ranges of private networks."""
_HOST_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise SettingRefusedError(
            N_("The setting {name} (from {origin}) is not usable: “{value}” is no time zone."),
            hint=N_("Indonesia has Asia/Jakarta (WIB), Asia/Makassar (WITA) and Asia/Jayapura (WIT)."),
            value=name,
        ) from exc
    return name


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(name.strip()) for name in text.split(",") if name.strip())


def _joined(value: object) -> object:
    # TOML has lists, the environment has not.
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _known_networks(text: str) -> str:
    try:
        parse_networks(text)
    except ValueError as exc:
        raise SettingRefusedError(
            N_("The setting {name} (from {origin}) is not usable: “{value}” is no list of networks."),
            hint=N_("Write networks separated by commas, as 192.168.0.0/16, 10.0.0.0/8."),
            value=text,
        ) from exc
    return text


def _base_url(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
        usable = plain and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # A port that is no number, or half a bracket.
        usable = False
    if not usable:
        raise SettingRefusedError(
            N_("The setting {name} (from {origin}) is not usable: it is no address of a server."),
            hint=N_("It looks like https://absen.example.com, without a path."),
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _known_hosts(text: str) -> str:
    for name in _listed(text):
        if not _HOST_NAME.fullmatch(name):
            raise SettingRefusedError(
                N_("The setting {name} (from {origin}) is not usable: “{value}” is no name of a server."),
                hint=N_("Write names without https:// and port, separated by commas, as absen.kantor.lan, 10.0.0.5."),
                value=name,
            )
    return text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


ClockTime = Annotated[time, BeforeValidator(read_clock)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Hosts = Annotated[str, BeforeValidator(_joined), AfterValidator(_known_hosts)]
Networks = Annotated[str, BeforeValidator(_joined), AfterValidator(_known_networks)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Cosine = Annotated[float, Field(gt=-1.0, lt=1.0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SiteSettings(_Section):
    """Where this installation stands."""

    name: str = Field("", max_length=100, description=N_("Name of the site, shown to people."))
    zone: ZoneName = Field(
        DEFAULT_ZONE,
        description=N_(
            "IANA time zone: Asia/Jakarta, Asia/Makassar, Asia/Jayapura ...; unset, the machine's at the first start."
        ),
    )
    kiosk: str = Field("", max_length=100, description=N_("Name of this kiosk; empty takes the machine's name."))


class AttendanceSettings(_Section):
    """The rules that turn punches into days."""

    start: ClockTime = Field(time(8, 0), description=N_("Start of work, local time."))
    grace_minutes: int = Field(0, ge=0, le=240, description=N_("Minutes after the start that are not late yet."))
    day_starts_at: ClockTime = Field(
        time(4, 0), description=N_("A punch before this local time belongs to the day before.")
    )
    cooldown_s: int = Field(
        60, ge=0, le=86_400, description=N_("A second punch within so many seconds writes nothing.")
    )
    clock_tolerance_s: int = Field(
        60,
        ge=5,
        le=3_600,
        description=N_("A clock that differs by more seconds from the database server's marks its punches."),
    )
    min_work_minutes: int = Field(
        60, ge=0, le=1_440, description=N_("A departure is a punch at least so many minutes after the arrival.")
    )


class RecognitionSettings(_Section):
    """How faces are found and compared."""

    detector: str = Field(
        "auto", description=N_("Detector in front of the engine: auto, haar, hog, scrfd, yunet, retail.")
    )
    matcher: str = Field(
        "auto",
        description=N_("auto (by the size of the gallery), knn (scikit-learn), exact (NumPy) or binary (faiss)."),
    )
    threshold: Cosine | None = Field(
        None, description=N_("Cosine a recognition needs; empty takes the engine's measured one.")
    )
    margin: Fraction | None = Field(
        None, description=N_("Distance to the second-best person; empty takes the engine's measured one.")
    )
    target_fpir: float = Field(
        0.001,
        ge=0.0001,
        le=0.05,
        description=N_(
            "Share of strangers that may be taken for somebody: “train” chooses the threshold that keeps it for the "
            "number of people, and never goes below the engine's own."
        ),
    )
    detect_px: int = Field(
        1_280,
        ge=160,
        le=8_000,
        description=N_("Longer side of a photo that detection works on; larger finds smaller faces."),
    )
    min_face_px: int = Field(60, ge=20, le=1_000, description=N_("Faces with a shorter side are too small."))
    max_turn_deg: int | None = Field(
        None,
        ge=10,
        le=90,
        description=N_("Largest turn of the head in degrees; empty takes 44 for enrolment and 49 for recognition."),
    )
    threads: int = Field(
        0, ge=0, le=256, description=N_("Threads of runtimes, OpenCV and linear algebra; 0 lets smartabsen choose.")
    )
    runtime: Literal["auto", "onnxruntime", "onnxruntime-rewritten", "openvino"] = Field(
        "auto",
        description=N_(
            "What runs ONNX models: auto (the fastest one here), onnxruntime, onnxruntime-rewritten (with operators "
            "that it runs faster) or openvino."
        ),
    )
    device: Literal["auto", "cpu", "cuda", "coreml"] = Field(
        "auto", description=N_("Where ONNX models run: auto, cpu, cuda or coreml; “doctor” shows the one really used.")
    )


class EnrolmentSettings(_Section):
    """What enrolment accepts."""

    max_photos: int = Field(30, ge=1, le=200, description=N_("Templates kept of one person."))
    min_accuracy: Fraction = Field(
        0.99,
        description=N_(
            "Share below which a training is not activated: of those recognised at the threshold that comes into use, "
            "or of leave-one-out accuracy where nobody chose that threshold."
        ),
    )
    keep_crops: bool = Field(
        True,
        description=N_("Keep the enrolled faces, sealed, so that the engine can be changed without new photos."),
    )


class KioskSettings(_Section):
    """The recognition session at a camera."""

    camera: str = Field(
        "0", description=N_("Device number, rtsp://..., a video file or a folder of pictures."), repr=False
    )
    sound: Literal["off", "beep", "voice"] = Field(
        "beep", description=N_("How a decision is heard: off, beep or voice.")
    )
    votes: int = Field(3, ge=1, le=15, description=N_("Frames that must agree before a decision."))
    detect_px: int | None = Field(
        None,
        ge=160,
        le=3_840,
        description=N_(
            "Longer side of the frame that detection works on; empty: as large as recognition.min_face_px needs."
        ),
    )
    refusals_days: int = Field(
        30, ge=0, le=365, description=N_("How many days “smartabsen why” remembers refusals; 0 remembers none.")
    )


class PrivacySettings(_Section):
    """Consent, erasure, and how long what is kept."""

    consent: Literal["record", "require"] = Field(
        "require",
        description=N_(
            "require: no face is enrolled without a recorded consent; record: consent is noted where given."
        ),
    )
    attendance_after_erasure: Literal["pseudonymise", "delete"] = Field(
        "pseudonymise", description=N_("What becomes of the attendance of somebody who is erased.")
    )
    face_days_after_leaving: int = Field(
        30,
        ge=0,
        le=36_500,
        description=N_("“privacy purge” deletes the face of somebody deactivated for so many days; 0 keeps it."),
    )
    crop_days: int = Field(
        0, ge=0, le=36_500, description=N_("“privacy purge” deletes kept faces older than so many days; 0 keeps them.")
    )
    attendance_months: int = Field(
        0,
        ge=0,
        le=1_200,
        description=N_("“privacy purge” deletes attendance older than so many months; 0 keeps it."),
    )
    log_copy_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description=N_("“privacy purge” deletes replaced copies of log files after so many days; 0 keeps them."),
    )
    security_log_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description=N_("The security log is deleted after so many days; 0 keeps it until it is too large."),
    )


class DatabaseSettings(_Section):
    """What the address of a database server does not say."""

    password: str = Field("", description=N_("Password of the database's user, beside the address."), repr=False)
    password_file: Path | None = Field(
        None, description=N_("File whose first line is that password, as a service manager provides it.")
    )
    tls_ca: Path | None = Field(
        None, description=N_("Authority (PEM) of the database server's certificate; the connection is then TLS.")
    )
    tls_cert: Path | None = Field(None, description=N_("Certificate (PEM) that this machine shows to the database."))
    tls_key: Path | None = Field(None, description=N_("Key (PEM) of that certificate."))


class BackupSettings(_Section):
    """Backups."""

    directory: Path | None = Field(
        None, description=N_("Directory of the backups; empty takes “backups” in the home. Another disk is better.")
    )
    recipient: str = Field(
        "", description=N_("Public key (age1...) that backups are encrypted to; empty leaves them readable.")
    )
    keep: int = Field(0, ge=0, le=10_000, description=N_("How many backups stay when a new one was made; 0 keeps all."))


class ServerSettings(_Section):
    """The web server."""

    host: str = Field("127.0.0.1", min_length=1, description=N_("Address to listen on; 0.0.0.0 lets the network in."))
    port: int = Field(5001, ge=0, le=65_535, description=N_("Port to listen on; 0 takes a free one, which it says."))
    public_url: BaseUrl = Field(
        "", description=N_("Address that QR codes carry, as https://absen.example.com; empty takes this machine's own.")
    )
    hosts: Hosts = Field(
        "",
        description=N_(
            "Further names by which browsers ask for the server, separated by commas, as absen.lan; the public "
            "address, the certificate and this machine are known."
        ),
    )
    proxies: int = Field(
        0, ge=0, le=5, description=N_("Trusted proxies in front of the server; 1 behind a Cloudflare Tunnel or nginx.")
    )
    secret_key: str = Field(
        "",
        description=N_("Secret of the server, at least 32 random characters; empty keeps one in the home."),
        repr=False,
    )
    production: bool = Field(
        False, description=N_("A server for real use: several worker processes, and nothing starts without a secret.")
    )
    workers: int = Field(2, ge=1, le=32, description=N_("Worker processes of a production server."))
    threads: int = Field(8, ge=1, le=64, description=N_("Threads of each worker."))
    recognitions: int = Field(
        0,
        ge=0,
        le=64,
        description=N_(
            "Faces that each process recognises at once, each with models of its own in memory; 0 takes its share of "
            "the cores."
        ),
    )
    tls_cert: Path | None = Field(None, description=N_("Certificate file (PEM) to answer on https with."))
    tls_key: Path | None = Field(None, description=N_("Key file (PEM) of the certificate."))

    @property
    def https(self) -> bool:
        """Whether this server itself answers on https."""
        return self.tls_cert is not None

    @property
    def host_list(self) -> tuple[str, ...]:
        """The further names, in lower case."""
        return _listed(self.hosts)


class SignInSettings(_Section):
    """Who may sign in, from where, and with which phones."""

    phone: Literal["any", "paired"] = Field(
        "any", description=N_("Phones that may confirm: any, or only the paired one of each employee.")
    )
    allowed_networks: Networks = Field(
        _NEAR,
        description=N_("Networks whose computers may show the sign-in page, separated by commas."),
    )
    waiting_per_address: int = Field(
        20,
        ge=1,
        le=1_000,
        description=N_(
            "Sign-ins at one address that wait for a phone at once; more where many computers share one address."
        ),
    )

    @property
    def networks(self) -> tuple[Network, ...]:
        """The allowed networks."""
        return parse_networks(self.allowed_networks)


class LivenessSettings(_Section):
    """Whether a person stands in front of the camera, or a picture of one."""

    require: Literal["auto", "off", "passive", "active", "both"] = Field(
        "auto",
        description=N_(
            "What a punch by face needs: auto (where a model is installed it looks at the picture, and where it is not "
            "sure the person makes one movement), off, passive (the model alone decides), active (movements on "
            "request) or both."
        ),
    )
    backend: str = Field("auto", description=N_("Model of the passive check: auto, minifasnet or insightface."))
    threshold: Fraction | None = Field(
        None, description=N_("Probability the passive check needs; empty takes the model's own.")
    )
    unsure_from: Fraction | None = Field(
        None,
        description=N_(
            "With auto: from this probability up to the one that is needed, the person is asked for one movement; "
            "below it is a picture. Empty takes the model's own."
        ),
    )
    actions: int = Field(2, ge=1, le=4, description=N_("Movements that are asked for in one attempt."))
    action_timeout_s: float = Field(10.0, ge=3.0, le=60.0, description=N_("Seconds for each movement."))
    attempts: int = Field(5, ge=1, le=50, description=N_("Failed attempts of a person before the pause."))
    pause_s: int = Field(300, ge=10, le=86_400, description=N_("Seconds of that pause."))
    mirrored: bool = Field(False, description=N_("The camera gives mirrored pictures: left and right are exchanged."))


class DeskSettings(_Section):
    """Signing in to the dashboard."""

    idle_minutes: int = Field(30, ge=1, le=1_440, description=N_("A dashboard session ends after so long without use."))
    session_hours: int = Field(12, ge=1, le=168, description=N_("A dashboard session ends after so long in any case."))
    login_tries: int = Field(5, ge=1, le=100, description=N_("Wrong passwords in a row that lock an account."))
    lock_minutes: int = Field(15, ge=1, le=1_440, description=N_("How long an account stays locked."))
    confirm_minutes: int = Field(
        10,
        ge=1,
        le=1_440,
        description=N_("For so long after the password, users, roles, phones and PINs change without it being asked."),
    )
    second_factor: Literal["optional", "admins", "everybody"] = Field(
        "optional",
        description=N_(
            "Who logs in with a second factor: optional (who wants to), admins or everybody; who has none is led to "
            "set it up."
        ),
    )
    contact: str = Field(
        "", max_length=200, description=N_("Whom to ask after a forgotten password; shown at the login.")
    )
    allowed_networks: Networks = Field(
        _NEAR, description=N_("Networks whose computers may open the dashboard, separated by commas.")
    )

    @property
    def networks(self) -> tuple[Network, ...]:
        """The allowed networks."""
        return parse_networks(self.allowed_networks)


class ReportSettings(_Section):
    """Files of reports."""

    csv_separator: Literal["auto", ",", ";"] = Field(
        "auto",
        description=N_("Between the cells of a CSV for people; auto takes “;” with Indonesian, as Excel does there."),
    )

    def separator(self, language: str) -> str:
        """Return the separator of a CSV for people who read ``language``."""
        if self.csv_separator != "auto":
            return self.csv_separator
        return ";" if language == "id" else ","


class Settings(_Section):
    """All settings, frozen. Make one with :func:`load_settings`."""

    home: Path = Field(description=N_("Directory of everything: database, models, trained model, attendance log."))
    engine: str = Field("auto", description=N_("Recognition engine: auto, open, sface, openvino, insightface or dlib."))
    pack: str = Field(
        "auto",
        description=N_("InsightFace pack: a name below models_dir/insightface, or a folder; auto takes the best."),
    )
    models_dir: Path = Field(description=N_("Directory of the model files."))
    database_url: str = Field("", description=N_("SQLAlchemy URL; empty takes SQLite in the home."), repr=False)
    keys: str = Field(
        "",
        description=N_("The keys of the biometric data themselves, as docs/privacy.md says; empty takes a file."),
        repr=False,
    )
    keys_file: Path | None = Field(
        None,
        description=N_("File of these keys; empty takes a systemd credential, else secrets/keys.json in the home."),
    )
    redis_url: str = Field(
        "",
        description=N_("redis://... for sessions and limits of several servers; empty keeps them in the database."),
        repr=False,
    )
    language: Literal["auto", "id", "en"] = Field("auto", description=N_("Language for people: auto, id or en."))
    accept_noncommercial: bool = Field(
        False,
        description=N_("You have read that InsightFace packs are for non-commercial research only, and may use them."),
    )
    site: SiteSettings = SiteSettings()
    attendance: AttendanceSettings = AttendanceSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    kiosk: KioskSettings = KioskSettings()
    report: ReportSettings = ReportSettings()
    liveness: LivenessSettings = LivenessSettings()
    database: DatabaseSettings = DatabaseSettings()
    backup: BackupSettings = BackupSettings()
    server: ServerSettings = ServerSettings()
    signin: SignInSettings = SignInSettings()
    desk: DeskSettings = DeskSettings()
    privacy: PrivacySettings = PrivacySettings()

    @property
    def database_address(self) -> str:
        """The URL in force: the one set, or that of the embedded SQLite."""
        return self.database_url or f"sqlite:///{self.home / 'smartabsen.db'}"

    @property
    def assets_dir(self) -> Path:
        """Where the trained model lies."""
        return self.home / "assets"

    @property
    def keys_path(self) -> Path:
        """The key file in force."""
        return self.keys_file or self.home / "secrets" / "keys.json"

    @property
    def csv_dir(self) -> Path:
        """Where the attendance log lies, one file a work date."""
        return self.home / "Attendance"
