"""What the tests of commands share."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from operate.publish import publish
from operate.state import data_fingerprint, project_fingerprint, remember, written
from operate.summary import BuildResult
from tests.conftest import Build


@pytest.fixture
def standing(company: Build, tmp_path: Path) -> Build:
    """A copy of the company that a test may spoil, known to be built and to have passed; readers have what is old."""
    build = replace(company, folder=tmp_path)
    shutil.copy(company.warehouse, build.warehouse)
    shutil.copytree(company.folder / "target", tmp_path / "target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PII_KEY", build.pii_key)
        state = {"project": project_fingerprint({}), "data": data_fingerprint(build.warehouse)}
    state |= {"written": written(build.warehouse), "result": BuildResult().as_dict()}
    remember(build.warehouse, state)
    publish(build.warehouse, tmp_path / "published.duckdb", built_from="what was before")
    return build
