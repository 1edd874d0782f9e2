"""What the tests of commands share."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from operate.publish import publish
from operate.state import project_fingerprint, remember
from tests.conftest import Build


@pytest.fixture
def standing(company: Build, tmp_path: Path) -> Build:
    """A copy of the company that a test may spoil, built by this version of the project; readers have what is old."""
    build = replace(company, folder=tmp_path)
    shutil.copy(company.warehouse, build.warehouse)
    shutil.copytree(company.folder / "target", tmp_path / "target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PII_KEY", build.pii_key)
        remember(build.warehouse, {"project": project_fingerprint({})})
    publish(build.warehouse, tmp_path / "published.duckdb", built_from="what was before")
    return build
