"""The newest state of a match, pushed or asked for, and which of both counts now. For any thread.

What is believed is decided by `continuity.py`; what is believed is handed on at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from scoring.continuity import Continuity
from scoring.scoreboard import Scoreboard

OLDEST_PUSH_S = 24 * 3600.0
PUSH, SCORER = "push", "scorer"


class Newest:
    """`hand_on` gets each state, when it was heard, and from when it is, by the clock.

    A push silences all other sources for `push_hold_s`. `overs_limit` is that of a feed that does not say it.
    """

    def __init__(
        self,
        hand_on: Callable[[Scoreboard, float, float], None],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        push_hold_s: float,
        overs_limit: int | None,
    ) -> None:
        self._hand_on = hand_on
        self._clock = clock
        self._wall_clock = wall_clock
        self._push_hold_s = push_hold_s
        self._overs_limit = overs_limit
        self._continuity = Continuity()
        self._lock = threading.Lock()  # of what pushes and polls both set
        self._pushed: Scoreboard | None = None
        self._pushed_at: float | None = None
        self.board: Scoreboard | None = None
        self.source: str | None = None

    @property
    def is_pushed(self) -> bool:
        """True while the last push is fresh."""
        if self._pushed_at is None:
            return False
        return self.source == SCORER or self._clock() - self._pushed_at < self._push_hold_s

    @property
    def state(self) -> tuple[Scoreboard, str] | None:
        """The scoreboard and where it is from: `api`, a feed's name, `push` or `scorer`; None while there is none."""
        with self._lock:
            return None if self.board is None or self.source is None else (self.board, self.source)

    def start_anew(self, push_hold_s: float) -> None:
        """Another source counts from now on: what it says needs no proof, and the last push holds nothing up."""
        with self._lock:
            self._push_hold_s = push_hold_s
            self._continuity = Continuity()
            self._pushed = self._pushed_at = None

    def push(self, board: Scoreboard, at: float | None, source: str = PUSH) -> bool:
        """Take a scoreboard that was not asked for; False when it is older than what is shown.

        `at` is when it came, by the clock, if that was not now. What a scorer says holds until somebody goes back.
        """
        board = replace(self._completed(board), by_hand=True) if source == SCORER else self._completed(board)
        with self._lock:
            at = self._clock() if at is None else at
            board = self._continuity.admit(board, at, is_pushed=True)
            is_older = board is self.board
            self._pushed, self._pushed_at, self.board, self.source = board, at, board, source
            self._hand_on(board, at, self._as_of(board, at))
        return not is_older

    def confirm(self) -> bool:
        """The scorer is there, and the score still holds, unless something else counts meanwhile.

        False if no score is known at all: a stream that has begun anew wants it again.
        """
        with self._lock:
            if self.source == SCORER and self.board is not None and self._pushed_at is not None:
                now = self._pushed_at = self._clock()
                self._hand_on(self.board, now, now)
            return self.board is not None

    def take(self, board: Scoreboard, source: str = "api") -> None:
        """Take what the match API or a feed says, unless a push is fresher: come since, or of a later time.

        Raises FeedError (kind `malformed`) for what cannot be right.
        """
        board = self._completed(board)
        with self._lock:
            now = self._clock()
            if not self.is_pushed and not self._is_older_than_the_push(board):
                board = self._continuity.admit(board, now)
                self._pushed, self.board, self.source = None, board, source
                self._hand_on(board, now, self._as_of(board, now))

    def give_way(self, show: Callable[[], None]) -> None:
        """Show something else than a scoreboard, unless a push is fresher."""
        with self._lock:
            if not self.is_pushed:
                self._pushed = None
                show()

    def _as_of(self, board: Scoreboard, heard_at: float) -> float:
        """When the state was what it is, by its own `updated_at`; a push from days ago is a sample with an old date."""
        if board.updated_at is None:
            return heard_at
        age_s = max(0.0, self._wall_clock() - board.updated_at)
        if self.source in (PUSH, SCORER) and age_s > OLDEST_PUSH_S:
            return heard_at
        return min(heard_at, self._clock() - age_s)

    def _is_older_than_the_push(self, board: Scoreboard) -> bool:
        if self._pushed is None or self._pushed.updated_at is None:
            return False
        return board.updated_at is not None and board.updated_at < self._pushed.updated_at

    def _completed(self, board: Scoreboard) -> Scoreboard:
        shape = board.format
        if self._overs_limit is None or board.sport != "cricket" or (shape.overs, shape.balls) != (None, None):
            return board
        return replace(board, format=replace(shape, overs=self._overs_limit))
