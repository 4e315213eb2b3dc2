"""Read settings from the environment; errors name the setting and what was expected."""

import ipaddress
import os
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import phonenumbers
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from sift_dashboard.broker import broker_url

UTF_8 = "utf-8-sig"  # without a byte order mark in the first name


def values_in(file: Path) -> dict[str, str]:
    """Return the settings in a .env file that have a value; none if there is no file.

    Raises `ImproperlyConfigured` for a file that is not UTF-8.
    """
    try:
        text = file.read_text(encoding=UTF_8)
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ImproperlyConfigured(f"{file} is not text in UTF-8; save it in that encoding.")
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value}


TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class Environment:
    """The process environment as typed settings; an empty value counts as unset.

    Each method returns the setting `name`, and raises `ImproperlyConfigured` if its value is wrong.
    """

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def required(self, name: str, expected: str) -> str:
        value = self.text(name)
        if not value:
            raise ImproperlyConfigured(f"{name} is not set; expected {expected}.")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value not in TRUE | FALSE:
            raise wrong(name, value, "true or false")
        return value in TRUE

    def whole_number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise wrong(name, value, f"a whole number from {least} to {most}")
        return int(value)

    def number(self, name: str, least: float, most: float) -> float | None:
        """Return a number such as 5 or 0.5; None if unset."""
        value = self.text(name)
        if not value:
            return None
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) or not least <= float(value) <= most:
            raise wrong(name, value, f"a number from {least:g} to {most:g}, such as 5 or 0.5")
        return float(value)

    def names(self, name: str) -> list[str]:
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def http_url(self, name: str, default: str = "") -> str:
        """Return an absolute http(s) URL without query, fragment, credentials or a slash at its end."""
        value = self.text(name, default)
        if not value:
            return ""
        expected = "an http(s) URL such as https://api.example.com/v0, without user, query or fragment"
        try:
            parts = urlsplit(value)
            well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise wrong(name, value, expected) from None
        if not well_formed or "@" in parts.netloc or parts.query or parts.fragment:
            shown = value if "@" not in value else "a URL with credentials in it"
            raise wrong(name, shown, expected)
        return value.rstrip("/")

    def country(self, name: str, default: str) -> str:
        value = self.text(name, default).upper()
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise wrong(name, value, "a two-letter country code such as US")
        return value

    def networks(self, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        try:
            return [ipaddress.ip_network(part) for part in self.names(name)]
        except ValueError as error:
            raise wrong(name, self.text(name), "addresses or networks such as 10.0.0.0/8") from error

    def postgresql(self, name: str) -> dict[str, str]:
        """Return the parameters of a libpq connection URL (dbname, user, password, host, port, …)."""
        expected = "a URL such as postgresql://user:password@host:5432/name"
        value = self.required(name, expected)
        if not value.startswith(("postgresql://", "postgres://")):
            raise ImproperlyConfigured(f"{name} is not understood; expected {expected}.")
        try:
            parameters = conninfo_to_dict(value)
        except ProgrammingError:
            raise ImproperlyConfigured(f"{name} is not understood; expected {expected}.") from None
        if not parameters.get("dbname"):
            raise ImproperlyConfigured(f"{name} names no database; expected {expected}.")
        return {key: str(parameter) for key, parameter in parameters.items()}

    def redis(self, name: str) -> str:
        expected = (
            "a URL such as redis://user:password@host:6379/0 or unix://:password@/path/to/valkey.sock?db=0"
        )
        value = self.required(name, expected)
        try:
            broker_url(value)
        except (ValueError, KeyError):
            raise ImproperlyConfigured(f"{name} is not understood; expected {expected}.") from None
        return value


def wrong(name: str, value: str, expected: str) -> ImproperlyConfigured:
    """Return the error for setting `name`, to be raised."""
    return ImproperlyConfigured(f"{name} is {value[:100]!r}; expected {expected}.")
