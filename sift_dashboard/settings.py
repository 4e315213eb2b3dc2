"""Settings, read from the environment or a .env file; each is described in README.md."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from whitenoise.compress import Compressor

from sift_dashboard.broker import broker_url
from sift_dashboard.environment import Environment, values_in, wrong

BASE_DIR = Path(__file__).resolve().parent.parent
for name, value in values_in(BASE_DIR / ".env").items():
    os.environ.setdefault(name, value)
env = Environment()

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.required("SECRET_KEY", "a long random text that stays the same")
DATA_DIR = BASE_DIR / env.text("DATA_DIR", ".data")
PUBLIC_URL = env.http_url("PUBLIC_URL")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if PUBLIC_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_URL).hostname or "")
    CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))]
# Where Sift sends callbacks; without a public address, only this machine can reach it.
CALLBACK_URL = PUBLIC_URL or env.http_url("LOCAL_URL", "http://localhost:8000")
# The web server trusts X-Forwarded-* only from these, for example to detect https.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# Sift
SIFT_API_URL = env.http_url("SIFT_API_URL", "https://api.gridspace.com/v0")
SIFT_ACCOUNT_ID = env.text("SIFT_ACCOUNT_ID")
SIFT_AUTH_TOKEN = env.text("SIFT_AUTH_TOKEN")
if SIFT_ACCOUNT_ID and not SIFT_AUTH_TOKEN:
    raise wrong("SIFT_AUTH_TOKEN", "", f"the auth token of account {SIFT_ACCOUNT_ID}")
SIFT_SANDBOX = env.flag("SIFT_SANDBOX")
SYNC_INTERVAL_SECONDS = env.whole_number("SYNC_INTERVAL_SECONDS", 15, 1, 3600)
# None: no limit.
SIFT_REQUESTS_PER_SECOND = env.number("SIFT_REQUESTS_PER_SECOND", 0.1, 1000)
DEFAULT_COUNTRY = env.country("DEFAULT_COUNTRY", "US")

# Days after which growing tables are trimmed; 0 keeps everything
UNEVENTFUL_WALKS_DAYS = env.whole_number("UNEVENTFUL_WALKS_DAYS", 7, 0, 36_500)
CALLBACK_BODIES_DAYS = env.whole_number("CALLBACK_BODIES_DAYS", 0, 0, 36_500)

# The first administrator
ADMIN_USERNAME = env.text("ADMIN_USERNAME", "admin")
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "pgtrigger",
    "connections_app",
]

MIDDLEWARE = [
    "connections_app.health.middleware.AnyHostMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "connections_app.people.middleware.SignInRequiredMiddleware",
    "connections_app.people.middleware.IdleLimitMiddleware",
    "connections_app.people.middleware.TimeZoneMiddleware",
    "connections_app.people.middleware.BusyMiddleware",
    "connections_app.people.middleware.RedirectGetMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "connections_app.web.invisible_characters.InvisibleCharactersMiddleware",
]

ROOT_URLCONF = "sift_dashboard.urls"
ASGI_APPLICATION = "sift_dashboard.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "connections_app.sync.context_processors.freshness",
            ],
        },
    },
]

# PostgreSQL
# `prepare` grants this role access to the tables, if they belong to the role that it runs as.
APPLICATION_ROLE = env.text("APPLICATION_ROLE")
_database = env.postgresql("DATABASE_URL")
DATABASES = {
    "default": {
        "ENGINE": "connections_app.engines.postgresql",
        "NAME": _database.pop("dbname"),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # A remote server that disappears without closing the connection is noticed within 20 s.
            "connect_timeout": "5",
            "tcp_user_timeout": "20000",
            "keepalives_idle": "10",
            "keepalives_interval": "5",
            "keepalives_count": "2",
            **_database,
            # For pages; callbacks have their own connections. With short pauses between attempts to connect,
            # a server that is back is found at once.
            "pool": {"min_size": 0, "max_size": 12, "timeout": 4, "max_idle": 60, "reconnect_timeout": 2},
            "application_name": "sift_dashboard",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Valkey or Redis, as broker and for announcements
REDIS_URL = env.redis("REDIS_URL")

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"sift:{DATABASES['default']['NAME']}:",
    # A hanging Valkey is noticed; no reply that a worker waits for takes longer.
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "short"
CELERY_TASK_ROUTES = {
    "connections_app.sync.tasks.walk_everything": {"queue": "long"},
    "connections_app.sync.tasks.delete_old_rows": {"queue": "long"},
    "connections_app.tags.tasks.tag_calls": {"queue": "long"},
    "connections_app.exports.tasks.make_export": {"queue": "long"},
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sync": {
        "task": "connections_app.sync.tasks.sync",
        "schedule": SYNC_INTERVAL_SECONDS,
        "options": {"expires": SYNC_INTERVAL_SECONDS},
    },
    "watch placed calls": {
        "task": "connections_app.control.tasks.watch_calls",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "tag calls": {
        "task": "connections_app.tags.tasks.queue_unfinished_tagging",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "make exports": {
        "task": "connections_app.exports.tasks.queue_unfinished_exports",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "forget old exports": {
        "task": "connections_app.exports.tasks.delete_old_exports",
        "schedule": crontab(minute="41"),
    },
    "forget old walks and bodies": {
        "task": "connections_app.sync.tasks.delete_old_rows",
        "schedule": crontab(hour="4", minute="23"),
    },
    "walk everything each night": {
        "task": "connections_app.sync.tasks.request_full_walk",
        "schedule": crontab(hour="3", minute="17"),
    },
}

# People
AUTH_USER_MODEL = "connections_app.Operator"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "board"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "connections_app.people.hashing.Argon2Hasher",
    "connections_app.people.hashing.PBKDF2Hasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_ENGINE = "connections_app.people.sessions"
SESSION_COOKIE_AGE = 60 * env.whole_number("SESSION_IDLE_MINUTES", 720, 5, 43_200)

# What a browser may do with our pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
# A routine of a hundred commands, each with fifty answers, is one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PUBLIC_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 30 * 24 * 60 * 60

# Language and time; each person's own zone is activated for each request
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "sift_dashboard.formats"

# Static files: our own, and the files we use of the packages in package-lock.json
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Only developer tools read them, and they are slow to compress.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "sift_dashboard.staticfiles.PackageFilesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "sift_dashboard.staticfiles.StaticFiles"},
}
if DEBUG:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    WHITENOISE_USE_FINDERS = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {
        "without_tokens": {"()": "sift_dashboard.logs.WithoutTokens"},
        "once_a_minute": {"()": "sift_dashboard.logs.OnceAMinute"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["once_a_minute", "without_tokens"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},
        "celery": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "psycopg.pool": {"level": "ERROR"},
    },
}
