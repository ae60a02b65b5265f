"""Settings of every installation; environments differ by variables only."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import env, mail

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.read_text("VAR_DIR", str(BASE_DIR / "var")))

# ---------------------------------------------------------------- mode

# "embedded" keeps everything in VAR_DIR and needs no server; "production" refuses to start without its servers.
MODE = env.read_choice("REGIMEN_MODE", choices=("embedded", "production"), default="embedded")
IS_PRODUCTION = MODE == "production"
DEMO = env.read_flag("DEMO", default=False)
DEBUG = env.read_flag("DEBUG", default=False)

if IS_PRODUCTION:
    env.read_required("DATABASE_URL", reason="production keeps its rows in PostgreSQL.")
    env.read_required("REDIS_URL", reason="production wakes its workers through Redis.")
    env.read_required("BASE_URL", reason="links in messages start with it.")
    if DEMO:
        raise ImproperlyConfigured("DEMO must be off in production: it shows logins and messages to anybody.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off in production: it shows secrets on error pages.")

SECRET_KEY = env.read_secret("SECRET_KEY", embedded_file=None if IS_PRODUCTION else VAR_DIR / "secret_key")
# Former keys, newest first: what they signed or sealed stays readable while they stand here.
SECRET_KEY_FALLBACKS = env.read_list("SECRET_KEY_FALLBACKS")
BASE_URL = env.read_url("BASE_URL", schemes=("http", "https"), default="http://localhost:8000").rstrip("/")
_is_https = BASE_URL.startswith("https://")
ALLOWED_HOSTS = [urlsplit(BASE_URL).hostname or "localhost", *env.read_list("ALLOWED_HOSTS")]
if not IS_PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

# ---------------------------------------------------------------- applications

INSTALLED_APPS = [
    "audit",
    "clinics",
    "clients",
    "courses",
    "reminders",
    "reports",
    "imports",
    "hooks",
    "exports",
    "staff",
    "operators",
    "api",
    "simulation",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "phonenumber_field",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clinics.middleware.CurrentClinicMiddleware",
    "staff.middleware.ReaderMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "staff.context.navigation",
            ],
        },
    },
]

FORM_RENDERER = "config.widgets.TextRenderer"

# ---------------------------------------------------------------- data

DATABASES: dict[str, Any] = {
    "default": env.read_database("DATABASE_URL", embedded_file=VAR_DIR / "regimen.sqlite3")
}
# What ties this database to this installation lies outside it; where no file can be kept, in the variable.
INSTALLATION_FILE = Path(env.read_text("INSTALLATION_FILE", str(VAR_DIR / "installation")))
INSTALLATION_EPOCH = env.read_text("INSTALLATION_EPOCH")
REDIS_URL = env.read_url("REDIS_URL", schemes=("redis", "rediss"))
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A cache that hangs is given up quickly: by default it would be waited for without end.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# ---------------------------------------------------------------- login

AUTH_USER_MODEL = "clinics.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "staff.adapter.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
# Else the name of the host stands in front.
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
# Whether whoever is signed in may found a clinic in the browser; else the operator does, by `manage.py found_clinic`.
ALLOW_NEW_CLINICS = env.read_flag("ALLOW_NEW_CLINICS", default=not IS_PRODUCTION)
# Where superusers with a second step see the installation; empty: nowhere.
OPERATOR_PATH = env.read_text("OPERATOR_PATH", "operator").strip("/")
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Without the library's examples within the fields, and labelled as all pages label.
ACCOUNT_FORMS = {
    "login": "staff.sign_in_forms.StaffLoginForm",
    "reset_password": "staff.sign_in_forms.AskForLinkForm",
    "reset_password_from_key": "staff.sign_in_forms.ChoosePasswordForm",
    "change_password": "staff.sign_in_forms.NextPasswordForm",
    "reauthenticate": "staff.sign_in_forms.ConfirmPasswordForm",
}
MFA_FORMS = {
    "authenticate": "staff.sign_in_forms.SecondStepForm",
    "reauthenticate": "staff.sign_in_forms.ConfirmSecondStepForm",
    "activate_totp": "staff.sign_in_forms.StartSecondStepForm",
}
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False

# ---------------------------------------------------------------- web security

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_NAME = "__Host-session" if _is_https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _is_https else "csrf"
# Remembers for an hour which secret links a client has opened.
CLIENT_COOKIE_NAME = "__Host-client" if _is_https else "client"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
# Proxies of our own in front of the web server: the last so many of X-Forwarded-For can be believed.
PROXY_COUNT = env.read_number("PROXY_COUNT", default=1 if IS_PRODUCTION else 0, least=0, most=9)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_SSL_REDIRECT = _is_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_https else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _is_https
SECURE_HSTS_PRELOAD = _is_https
# Not "no-referrer": with it browsers send "Origin: null" along with forms, which the CSRF check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# ---------------------------------------------------------------- language and time

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
PHONENUMBER_DB_FORMAT = "E164"

# ---------------------------------------------------------------- static files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

# ---------------------------------------------------------------- mail

# Without a server or a provider the messages are kept in the database and shown at /demo/mailbox/.
EMAIL_HOST = env.read_text("EMAIL_HOST")
EMAIL_PORT = env.read_number("EMAIL_PORT", default=587 if EMAIL_HOST else 25, least=1, most=65_535)
EMAIL_HOST_USER = env.read_text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.read_text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.read_flag("EMAIL_USE_TLS", default=EMAIL_PORT == 587)
EMAIL_USE_SSL = env.read_flag("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_TIMEOUT = 15
_mail = mail.read_mail(timeout=EMAIL_TIMEOUT)
EMAIL_BACKEND = _mail.backend
# The "user:password" with which the provider's reports come.
EMAIL_WEBHOOK_SECRET = env.read_text("EMAIL_WEBHOOK_SECRET")
ANYMAIL = {**_mail.options, "WEBHOOK_SECRET": [EMAIL_WEBHOOK_SECRET] if EMAIL_WEBHOOK_SECRET else []}
DEFAULT_FROM_EMAIL = env.read_text("DEFAULT_FROM_EMAIL", "regimen@localhost")

# ---------------------------------------------------------------- queue

# The rows are the truth: a message only wakes a worker, so publishing fails fast and is never waited for.
IS_QUEUE_REMOTE = bool(REDIS_URL)
# Where senders note what they are doing, for the case that they are killed: on the host that they run on.
JOURNAL_DIR = Path(env.read_text("JOURNAL_DIR", str(VAR_DIR / "senders")))
# Messages a minute that one clinic may send over a channel; an account of its own may say another number.
CHANNEL_RATES = {"email": 30_000, "sms": 120, "telegram": 600, "whatsapp": 120, "webhook": 1200}
# Whether a clinic may choose to keep messages in the database instead of sending them: nowhere that is real.
KEEPS_MESSAGES = not IS_PRODUCTION
# Hosts, each as "name" or "name:port", that web hooks may reach although they are not public or speak plain HTTP.
EGRESS_ALLOWED_HOSTS = env.read_list("EGRESS_ALLOWED_HOSTS")
TICK_SECONDS_EMBEDDED = 5
# Called after every minute's tick: whoever waits there notices when it stays away.
HEARTBEAT_URL = env.read_url("HEARTBEAT_URL", schemes=("https",))
CELERY_BROKER_URL = REDIS_URL or "memory://localhost"
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE = True
CELERY_TASK_ACKS_ON_TIMEOUT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "max_retries": 1,
        "interval_start": 0,
    }
    if REDIS_URL
    else {}
)
CELERY_VISIBILITY_TIMEOUT = 900
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_ETA_TASK_LIMIT = 100
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "reminders.send_*": {"queue": "send"},
    "hooks.send_*": {"queue": "hooks"},
    "reports.*": {"queue": "export"},
}

# ---------------------------------------------------------------- background jobs

# Each kind with the function that does one step of it; see clinics/jobs.py.
JOB_KINDS: dict[str, str] = {
    "plan_disruption": "courses.services.disrupting.plan_step",
    "apply_disruption": "courses.services.rebooking.apply_step",
    "undo_disruption": "courses.services.restoring.undo_step",
    "imports.check": "imports.services.step",
    "imports.apply": "imports.services.step",
    "imports.undo": "imports.services.step",
    "exports.make": "exports.making.step",
}

# Kinds whose work waits in a queue of its own, with a worker of its own: a large file must not delay the tick.
JOB_QUEUES = {"exports.make": "export"}
# Files of exports, for the web servers that hand them out and the workers that make them; never below a served folder.
EXPORT_DIR = VAR_DIR / "exports"

# ---------------------------------------------------------------- planning

# In steps of about half a microsecond: no page and no request of the API keeps a worker for longer than a few seconds.
PLAN_MOST_STEPS = 4_000_000

# ---------------------------------------------------------------- API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "user": "600/min",
        "assess": "1200/min",
        "plan": "300/min",
        "token": "600/min",
    },
    # Else whoever writes another address into a header is counted as another one.
    "NUM_PROXIES": PROXY_COUNT,
    "EXCEPTION_HANDLER": "api.errors.answer_error",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Regimen API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "What a clinic's own programs read and do. All of it is JSON; every refusal has one shape.",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Words of the domain stand where they are used: those that are equal today need not stay so.
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "TAGS": [
        {"name": name}
        for name in (
            "Clinic",
            "Clients",
            "Protocols",
            "Courses",
            "Sessions",
            "Pauses",
            "Flags",
            "Reminders",
            "Reports",
            "Exchange",
            "Calculations",
        )
    ],
}

# ---------------------------------------------------------------- logs

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": "structlog.processors.JSONRenderer",
        },
    },
    "filters": {"secret_paths": {"()": "config.logs.SecretPaths"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secret_paths"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "loggers": {
        # They would write whom a message went to, what it said and the addresses that hold a bot's token.
        "apprise": {"handlers": ["nowhere"], "propagate": False},
        "urllib3": {"level": "WARNING"},
    },
    "root": {
        "handlers": ["console"],
        "level": env.read_text("LOG_LEVEL", "INFO" if IS_PRODUCTION else "WARNING"),
    },
}
