"""The HTTP half: tickets, pages of entries, the list of conversations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from . import wire
from .errors import HttpError
from .platform import Platform, Request

_TIMEOUT_S = 15.0
_PAGE_LIMIT = 200
# Pages of a list that are read at most.
_PAGES_MAX = 100


@dataclass(frozen=True)
class Ticket:
    ticket: str
    node: int | None


class Api:
    def __init__(self, base: str, platform: Platform, headers: dict[str, str]) -> None:
        self.base, self._platform, self._headers = base, platform, headers

    async def request(self, method: str, path: str, authorization: str, body: object = None) -> dict[str, Any]:
        """One request below /api/v1; raises HttpError."""
        headers = {"Accept": "application/json", **self._headers}
        if authorization:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = "application/json"
        text = None if body is None else json.dumps(body)
        try:
            answer = await self._platform.http(
                Request(method, f"{self.base}/api/v1/{path}", headers, text, _TIMEOUT_S)
            )
        except TimeoutError as error:
            raise HttpError("timeout", 0) from error
        except OSError as error:
            raise HttpError("connection.lost", 0, detail=str(error)) from error
        found = answer.body if isinstance(answer.body, dict) else {}
        if 200 <= answer.status < 300:
            return found
        code, detail = found.get("code"), found.get("detail")
        raise HttpError(
            code if isinstance(code, str) else f"http.{answer.status}",
            answer.status,
            answer.retry_after,
            detail if isinstance(detail, str) else "",
        )

    async def entries(
        self, conversation: str, authorization: str, which: str, seq: int
    ) -> tuple[list[wire.TimelineItem], str]:
        """One page of a conversation `after` or `before` a seq, oldest first, and its epoch."""
        path = f"conversations/{quote(conversation, safe='')}/entries?limit={_PAGE_LIMIT}&{which}={seq}"
        page = await self.request("GET", path, authorization)
        return page.get("items") or [], str(page.get("epoch") or "")

    async def mine(self, authorization: str) -> list[wire.Row]:
        """All conversations the caller owns a session of."""
        rows: list[wire.Row] = []
        cursor = ""
        for _ in range(_PAGES_MAX):
            more = f"&cursor={quote(cursor, safe='')}" if cursor else ""
            page = await self.request("GET", f"conversations?view=mine&limit={_PAGE_LIMIT}{more}", authorization)
            rows.extend(page.get("rows") or [])
            cursor = page.get("next") or ""
            if not cursor:
                break
        return rows
