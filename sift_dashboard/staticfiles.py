"""Serve single files of the installed front-end packages, under `vendor/`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

FILES = {
    "vendor/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
}


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Names files by the hash of their content, also those that our own JavaScript modules import."""

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )


class PackageFilesFinder(BaseFinder):
    """Finds the files in `FILES`; nothing else of node_modules is public."""

    def files(self) -> dict[str, Path]:
        return {public: Path(settings.NODE_MODULES) / private for public, private in FILES.items()}

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = self.files().get(path)
        if found is None or not found.exists():
            return []
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        for public, private in self.files().items():
            yield public, _OneFile(public, private)


class _OneFile(FileSystemStorage):
    """A storage that holds `private` under the name `public`."""

    def __init__(self, public: str, private: Path) -> None:
        super().__init__(location=private.parent)
        self.prefix = ""
        self.public, self.private = public, private

    def path(self, name: str) -> str:
        return str(self.private) if name == self.public else super().path(name)
