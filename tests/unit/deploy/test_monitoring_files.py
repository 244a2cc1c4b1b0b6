"""The metrics, labels and states in the alert rules and in the Grafana board exist."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from media.causes import Cause
from relay.delivery import DeliveryStatus
from relay.registry import Load, NodeLoad, StreamRegistry
from relay.stream_state import LastError, State, StreamStatus
from scoring.source import Polls
from tests.conftest import SettingsFactory
from tests.statuses import LIVE
from web.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
ALERTS = DEPLOY / "alerts.yml"
BOARD = DEPLOY / "grafana-dashboard.json"
# Labels that Prometheus adds to each sample, and values that Grafana puts in place of its variables.
ADDED = {"job": {".*"}, "instance": set[str](), "stream": {".*"}, "le": set[str]()}
OF_PROMETHEUS = {"up"}


def delivery(state: Any) -> DeliveryStatus:
    return DeliveryStatus("rtmp://127.0.0.1/live2/****", state, None, 1, 7)


def status(state: State, end: str) -> StreamStatus:
    return replace(
        LIVE,
        state=state,
        states=(state,),
        attempts=dict.fromkeys(("compositor", "slate", "listener", "examiner", "publisher", "backup publisher"), 1),
        restarts={"compositor": dict.fromkeys(Cause, 1)},
        polls={source: Polls(2, {"timeout": 1}) for source in ("data", "image")},
        last_error=LastError("publisher", "ended", 1.0),
        destination=delivery(end),
        backup=delivery(end),
        node="n1",
    )


@pytest.fixture
def known(settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, set[str]]]:
    """All samples that the service can have, with the values of their labels."""
    monkeypatch.setattr("relay.installed.version", lambda _path: "5.1.9")
    settings = settings_with()

    class Full(StreamRegistry):
        def statuses(self) -> list[StreamStatus]:
            return [status(State.LIVE, "connected")]

        def load(self) -> Load:
            return Load(1, 8, False, (NodeLoad("n1", 8.0, 7.0, 1, 9, 0.5, is_draining=False),))

    metrics = Metrics()
    metrics.watch(Full(settings), settings)
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(metrics.page().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


def check(expression: str, known: dict[str, dict[str, set[str]]]) -> None:
    """Each metric in the expression is known, and so is each label and value."""
    names = re.findall(r"\b(?:streaming|process|python)_\w+|\bup\b", expression)
    assert names
    for name in names:
        assert name in known or name in OF_PROMETHEUS, f"{name} in {expression}"
    for name, selector in re.findall(r"\b(\w+)\{([^}]*)\}", expression):
        labels = ADDED | known.get(name, {})
        for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', selector):
            assert label in labels, f"{label} in {expression}"
            values = known.get(name, {}).get(label, set()) - {"m1"}
            if value.startswith("$") or not values:
                continue
            for one in value.split("|") if operator == "=~" else [value]:
                assert one in values, f"{one} in {expression}"
    for label in itertools.chain(
        *(found.split(", ") for found in re.findall(r"(?:by|without|on) \(([^)]*)\)", expression))
    ):
        assert label in ADDED or any(label in known.get(name, {}) for name in names), f"{label} in {expression}"


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(ALERTS.read_text())
    assert list(document) == ["groups"]
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_each_alert_is_complete_and_says_what_to_do() -> None:
    found = rules()
    names = [rule["alert"] for rule in found]
    assert len(set(names)) == len(names) >= 8
    for rule in found:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
        assert re.fullmatch(r"\d+[sm]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "action"}
        for text in rule["annotations"].values():
            assert len(text) > 20
            assert "\n" not in text.strip()


def test_alerts_use_metrics_that_exist(known: dict[str, dict[str, set[str]]]) -> None:
    for rule in rules():
        check(rule["expr"], known)
        in_texts = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        asked = re.findall(r"\bstreaming_\w+", rule["expr"])
        assert in_texts <= {label for name in asked for label in known[name]}, rule["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus's own checker is not installed")
def test_prometheus_accepts_the_alerts() -> None:
    subprocess.run(["promtool", "check", "rules", str(ALERTS)], check=True, capture_output=True, timeout=30)


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BOARD.read_text())
    return found


def expressions() -> Iterator[str]:
    for panel in board()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def test_the_board_uses_metrics_that_exist(known: dict[str, dict[str, set[str]]]) -> None:
    for expression in expressions():
        check(expression, known)
    for variable in board()["templating"]["list"][1:]:
        metric = re.fullmatch(r"label_values\((\w+)(\{[^}]*\})?, (\w+)\)", variable["query"]["query"])
        assert metric
        assert metric[1] in known
        assert metric[3] in ADDED


def test_the_board_can_be_imported() -> None:
    found = board()
    assert {"uid", "title", "schemaVersion", "time", "refresh", "templating", "panels"} <= set(found)
    assert "id" not in found, "Grafana gives it"
    names = [variable["name"] for variable in found["templating"]["list"]]
    assert names == ["datasource", "job", "stream"]
    ids = [panel["id"] for panel in found["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in found["panels"]:
        assert panel["type"] in ("timeseries", "stat", "gauge", "state-timeline")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == list("ABC"[: len(panel["targets"])])
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert target["legendFormat"]
    used = set(re.findall(r"\$(\w+)", " ".join(expressions())))
    assert used == {"job", "stream", "__rate_interval"}


def test_no_panels_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board()["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
