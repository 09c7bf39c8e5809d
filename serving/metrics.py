"""What an operator watches: how much is asked, how long it takes, what is refused, and how old the last head is. Never a patient.

Labels are our own words: routes as the application knows them, methods, statuses, the model's digest. Nobody's name, no path that
is no route, nothing that was given. Of several workers whichever is asked tells the sum of all, by files they share
(PROMETHEUS_MULTIPROC_DIR, which `serving.workers` sets before any of them begins).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from models.artifact import Artifact
from serving.receipts.record import Signed

TYPE = "text/plain; version=0.0.4; charset=utf-8"  # of the text format of Prometheus
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # read by the library when it is imported
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 4000)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each that says when its counting began


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._own = own = CollectorRegistry()
        words = ["method", "route", "status"]
        self._requests = Counter("lymphorisk_requests", "Requests answered", words, registry=own)
        self._seconds = Histogram("lymphorisk_request_seconds", "Until the answer", ["route"], buckets=_SECONDS, registry=own)
        self._scores = Counter("lymphorisk_scores", "Patients scored, each with a durable receipt", registry=own)
        self._refused = Counter("lymphorisk_patients_refused", "Patients not scored", ["why"], registry=own)
        self._unknown = Counter("lymphorisk_sign_ins_refused", "Requests of whom nobody knows (401)", registry=own)
        self._early = Counter("lymphorisk_refused_early", "Refused before a route was reached", ["status"], registry=own)
        self._records = Histogram("lymphorisk_receipts_group", "Records of a group", buckets=_RECORDS, registry=own)
        self._durable = Histogram("lymphorisk_receipts_group_seconds", "Until durable", buckets=_SECONDS, registry=own)
        self._under_way = self._gauge("lymphorisk_under_way", "Requests being answered")
        self._connections = self._gauge("lymphorisk_connections", "Open connections")

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; the words are ours."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)
        if status == 401:
            self._unknown.inc()

    def scored(self, scores: int, refused: Iterable[str]) -> None:
        """Patients were scored and recorded, others refused for these reasons (`serving.refused.Why`)."""
        if scores:
            self._scores.inc(scores)
        for why in refused:
            self._refused.labels(why).inc()

    def recorded(self, records: int, seconds: float) -> None:
        """A group of receipts became durable."""
        self._records.observe(records)
        self._durable.observe(seconds)

    def refused_early(self, status: int, times: int) -> None:
        """So many requests were refused before a route was reached."""
        self._early.labels(status).inc(times)

    def at_present(self, under_way: int, connections: int) -> None:
        """What this process has to do now."""
        self._under_way.set(under_way)
        self._connections.set(connections)

    def text(self, artifact: Artifact, head: Signed | None) -> bytes:
        """Everything in the text format of Prometheus, with the model that answers and the time of the last head."""
        counted = self._own
        if os.environ.get(SHARED):
            MultiProcessCollector(counted := CollectorRegistry())  # type: ignore[no-untyped-call]  # the library has no types here
        standing = CollectorRegistry()
        standing.register(_Standing(artifact, head))
        return generate_latest(counted) + generate_latest(standing)

    def _gauge(self, name: str, said: str) -> Gauge:
        return Gauge(name, said, registry=self._own, multiprocess_mode="livesum")


class _Standing(Collector):
    """What is so now, and not counted: the same in every process."""

    def __init__(self, artifact: Artifact, head: Signed | None):
        self._artifact, self._head = artifact, head

    def collect(self) -> Iterator[Metric]:
        model = GaugeMetricFamily("lymphorisk_model_info", "The model that answers", labels=["name", "digest"])
        model.add_metric([self._artifact.model.name, self._artifact.digest], 1)
        yield model
        if self._head is not None:
            time = datetime.fromisoformat(self._head.time).timestamp()
            yield GaugeMetricFamily("lymphorisk_last_head_time_seconds", "When the last head was signed, Unix time", value=time)
