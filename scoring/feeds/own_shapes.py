"""The two shapes that the service has always read: the project's own, and that of the match API. Pure."""

from __future__ import annotations

from typing import Any

from scoring.feeds.values import inner, json_object


class Own:
    """The project's own shape, as it is pushed."""

    def read(self, content: bytes) -> dict[str, Any]:
        """The answer as it is. Raises ValueError if it is of another shape."""
        answer = json_object(content)
        if answer.get("sport") not in ("cricket", "generic"):
            raise ValueError("`sport` is missing, or is neither cricket nor generic")
        return answer


class CurrScore:
    """An object with `currScore` or `data.currScore`."""

    def read(self, content: bytes) -> dict[str, Any]:
        """The answer as it is. Raises ValueError if it is of another shape."""
        answer = json_object(content)
        if not (inner(answer, "currScore") or inner(inner(answer, "data"), "currScore")):
            raise ValueError("`data.currScore` is missing")
        return answer
