"""What the tests of commands share."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from operate.publish import publish
from operate.state import stamp
from tests.conftest import Build


@pytest.fixture
def built(company: Build, tmp_path: Path) -> Build:
    """A copy of the company that a test may spoil, known to be built and to have passed."""
    build = replace(company, folder=tmp_path)
    # With the time at which it was last written to, by which it is known to be as it was built.
    shutil.copy2(company.warehouse, build.warehouse)
    shutil.copy(stamp(company.warehouse), stamp(build.warehouse))
    shutil.copytree(company.folder / "target", tmp_path / "target")
    return build


@pytest.fixture
def standing(built: Build) -> Build:
    """Such a copy, of which readers have what was before."""
    publish(built.warehouse, built.folder / "published.duckdb", built_from="what was before")
    return built
