"""The connections of the web server: what to close so that slow or idle callers keep nobody out.

An address, or everybody together, may have so many connections without a whole request. With one
more, the oldest of them is closed: a caller who asks at once is never the oldest for long.

Used on the web server's thread alone.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Protocol

from web.throttle import source_of

MOST_OF_ONE = 100
MOST = 1000
HEAD_LIMIT_S = 10.0
BODY_LIMIT_S = 30.0
IDLE_LIMIT_S = 60.0


class Connection(Protocol):
    """What is known of one. `began_at` is when its present request began, None between two requests."""

    began_at: float | None
    idle_since: float

    @property
    def is_busy(self) -> bool:
        """A whole request has come, and is not answered yet."""
        ...

    @property
    def has_head(self) -> bool:
        """The headers of the present request have come."""
        ...

    def drop(self) -> None: ...


class Crowd:
    """All connections, the oldest first."""

    def __init__(self, clock: Callable[[], float], most_of_one: int = MOST_OF_ONE, most: int = MOST) -> None:
        self._clock = clock
        self._most_of_one = most_of_one
        self._most = most
        self._all: OrderedDict[Connection, str] = OrderedDict()
        self._of: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, address: str) -> None:
        """Take a new connection, and drop an old one if there are too many."""
        source = source_of(address)
        if len(self._of[source]) >= self._most_of_one:
            self._drop_oldest(self._of[source])
        elif len(self._all) >= self._most:
            self._drop_oldest(self._all)
        self._all[connection] = source
        self._of[source][connection] = None

    def remove(self, connection: Connection) -> None:
        source = self._all.pop(connection, None)
        if source is not None:
            self._of[source].pop(connection, None)
            if not self._of[source]:
                del self._of[source]

    def drop_overdue(self) -> None:
        """Drop those whose request does not come to its end, and those that ask nothing."""
        now = self._clock()
        for connection in [one for one in self._all if not one.is_busy]:
            if connection.began_at is None:
                is_overdue = now - connection.idle_since >= IDLE_LIMIT_S
            else:
                limit_s = BODY_LIMIT_S if connection.has_head else HEAD_LIMIT_S
                is_overdue = now - connection.began_at >= limit_s
            if is_overdue:
                self._drop(connection)

    def _drop_oldest(self, connections: OrderedDict[Connection, str] | OrderedDict[Connection, None]) -> None:
        oldest = next((one for one in connections if not one.is_busy), None)
        if oldest is not None:
            self._drop(oldest)

    def _drop(self, connection: Connection) -> None:
        self.remove(connection)
        connection.drop()
