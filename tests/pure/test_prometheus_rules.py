"""The rules for Prometheus: existing metrics, and what promtool says of the file."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from migrations.application import caches
from schema_kit.health import report
from schema_kit.plans import check, metrics
from schema_kit.timings import prometheus

pytestmark = pytest.mark.application

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "prometheus-rules.yml"
CACHES = ROOT / "migrations" / "application" / "alerts.yml"


def test_each_metric_is_one_that_is_exported() -> None:
    exported = "".join(inspect.getsource(module) for module in (metrics, report, prometheus))
    named = set(re.findall(r"\b(?:schema_kit|db)_\w+", RULES.read_text("utf-8"))) - {"schema_kit_health", "schema_kit"}
    named = {name.removesuffix("_bucket") for name in named}
    assert len(named) >= 7
    assert not {name for name in named if name not in exported}


def test_each_metric_of_the_caches_is_one_that_they_export() -> None:
    exported = {sample.name for family in REGISTRY.collect() for sample in family.samples} | {"cache_requests_total"}
    named = set(re.findall(r"\bcache_\w+", CACHES.read_text("utf-8")))
    assert {"cache_up", "cache_errors_total"} <= named <= exported
    assert "cache_requests" in {metric.name for metric in caches.REQUESTS.collect()}


def test_each_severity_is_one_that_a_finding_has() -> None:
    named = set(re.findall(r'severity="(\w+)"', RULES.read_text("utf-8")))
    assert named
    assert named <= {severity.value for severity in check.Severity}


def test_promtool_takes_it() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool comes with Prometheus")
    command = [promtool, "check", "rules", str(RULES), str(CACHES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
