"""A .env file is UTF-8; any other is named in one line."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from sift_dashboard.environment import values_in


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_has_a_value_is_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_text("SIFT_ACCOUNT_ID=Zoë\nSIFT_AUTH_TOKEN=\n", encoding=encoding)
    assert values_in(file) == {"SIFT_ACCOUNT_ID": "Zoë"}


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_text("SIFT_ACCOUNT_ID=Zoë\n", encoding=encoding)
    with pytest.raises(ImproperlyConfigured, match="is not text in UTF-8"):
        values_in(file)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_refused_too(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes("A=b\n".encode(encoding))
    with pytest.raises(ImproperlyConfigured, match="is not text in UTF-8"):
        values_in(file)


def test_no_file_is_no_setting(tmp_path: Path) -> None:
    assert values_in(tmp_path / ".env") == {}
