"""Against the real server, which is killed with -9 and restarted in the middle: nothing is lost, doubled or out of order.
FRONTDESK_BIN names the binary.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import unittest
import urllib.request
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from frontdesk import Frontdesk, FrontdeskError, HttpError, Message, Refused, Visitor

ROOT = Path(__file__).parents[1]
COUNT = 200
STEP_S = 120
BIN = os.environ.get("FRONTDESK_BIN")

Found = TypeVar("Found")


async def within(what: str, awaitable: Awaitable[Found]) -> Found:
    try:
        return await asyncio.wait_for(awaitable, STEP_S)
    except TimeoutError:
        raise AssertionError(f"{what} took too long") from None


def text(number: int) -> str:
    """What a text may hold: quotes, other scripts, characters beyond 16 bits, controls, nothing but space."""
    parts = ("你好", '"quoted" \\ back', "🙂\u200d↔️👋", "line\nline\ttab", "e\u0301\u0000\u2028", "   ", "<b>&amp;")
    return f"{number}: {parts[number % 7]} {'x' * number}"


class Program:
    """A program whose standard output is read line by line."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name, self.process = name, process

    @classmethod
    async def start(cls, *words: str | Path, **env: str) -> Program:
        pipe = asyncio.subprocess.PIPE
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **env}
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, env=environment)
        return cls(str(words[1]), process)

    async def line(self) -> str:
        assert self.process.stdout is not None
        line = await within(self.name, self.process.stdout.readline())
        assert line, f"{self.name} ended"
        return line.decode().rstrip("\n")

    async def command(self, line: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        return await self.line()


@unittest.skipIf(BIN is None, "FRONTDESK_BIN is not set")
class Server(unittest.IsolatedAsyncioTestCase):
    maxDiff = 2_000

    async def asyncSetUp(self) -> None:
        harness = ROOT.parent / "harness/server.mjs"
        self.harness = await Program.start("node", harness, BIN or "")
        self.made: dict[str, str] = json.loads(await self.harness.line())
        self.frontdesk = Frontdesk(self.made["url"])

    async def asyncTearDown(self) -> None:
        process = self.harness.process
        assert process.stdin is not None
        process.stdin.close()
        self.assertEqual(await within("the end of the server", process.wait()), 0)

    async def kill(self) -> None:
        self.assertEqual(json.loads(await self.harness.command("kill")), {"event": "restarted"})

    async def with_example(self, name: str, talk: Callable[[Visitor, list[Message]], Awaitable[None]]) -> None:
        """Runs an example, lets `talk` speak with it as a visitor, and ends both."""
        example = await Program.start(
            sys.executable,
            ROOT / f"examples/{name}.py",
            FRONTDESK_URL=self.made["url"],
            FRONTDESK_BOT_KEY=self.made["bot_key"],
            LLM_BASE_URL=self.made["llm_url"],
            LLM_MODEL="echo",
        )
        try:
            self.assertEqual(await example.line(), "ready")
            visitor = self.frontdesk.visitor(self.made["inbox_key"])
            entries: list[Message] = []
            visitor.on("entry", entries.append)
            async with visitor:
                await talk(visitor, entries)
            seqs = [entry.seq for entry in entries]
            self.assertEqual(seqs, sorted(set(seqs)), "seqs rise")
        finally:
            example.process.kill()
            await example.process.wait()

    async def echoed(self, visitor: Visitor, entries: list[Message]) -> None:
        """Sends COUNT texts, kills the server amid the answers, and compares."""
        messages = visitor.messages()
        texts = [text(number) for number in range(COUNT)]
        acks = [visitor.send(one) for one in texts]
        answers = []
        while len(answers) < COUNT:
            answers.append((await within(f"answer {len(answers)}", anext(messages))).text)
            if len(answers) == 60:
                await self.kill()
        self.assertEqual(answers, texts, "the answers, in order, once")
        own = [entry for entry in entries if entry.own]
        self.assertEqual([entry.text for entry in own], texts, "the own messages, in order, once")
        seqs = [(await ack).seq for ack in acks]
        self.assertEqual([entry.seq for entry in own], seqs, "acks and entries agree")

    async def test_r28_the_echo_bot_200_messages_each_way_over_a_kill(self) -> None:
        await self.with_example("echo_bot", self.echoed)

    async def test_r28_the_bot_with_a_language_model_200_messages_each_way_over_a_kill(self) -> None:
        async def talk(visitor: Visitor, entries: list[Message]) -> None:
            drafts: list[str] = []
            visitor.on("draft", lambda draft: drafts.append(draft.text))
            await self.echoed(visitor, entries)
            self.assertTrue(any(drafts), "answers grow")

        await self.with_example("llm_bot", talk)

    async def test_r28_the_order_bot_200_messages_each_way_over_a_kill(self) -> None:
        async def talk(visitor: Visitor, _: list[Message]) -> None:
            messages = visitor.messages()
            for number in range(COUNT // 2):
                if number == 30:
                    await self.kill()
                visitor.send(text(number))
                form = await within("the form", anext(messages))
                self.assertEqual((form.kind, form.fields[0].id), ("form", "order"))
                ack = visitor.submit(form, {"order": f"A-{1_000 + number}"})
                answer = await within("the status", anext(messages))
                status = ("is being packed", "is on its way", "has arrived")[(1_000 + number) % 3]
                self.assertEqual(answer.text, f"Order A-{1_000 + number} {status}.")
                self.assertEqual(answer.quote_seq, (await ack).seq)

        await self.with_example("order_bot", talk)

    async def test_the_order_bot_hands_over_to_people_whom_it_cannot_help(self) -> None:
        async def talk(visitor: Visitor, _: list[Message]) -> None:
            messages = visitor.messages()
            queued = asyncio.Event()
            visitor.send("hello")
            visitor.submit(await within("the form", anext(messages)), {"order": "ABC"})
            choices = await within("the choices", anext(messages))
            visitor.on("session", lambda one: queued.set() if one.get("status") == "SESSION_STATUS_QUEUED" else None)
            visitor.choose(choices, "person")
            await within("the hand over", queued.wait())

        await self.with_example("order_bot", talk)

    async def test_a_second_run_goes_on_where_the_first_one_was(self) -> None:
        async with self.frontdesk.visitor(self.made["inbox_key"]) as first:
            await first.send("one")
        await asyncio.to_thread(self._answer, first.conversation_id, "meanwhile")
        second = self.frontdesk.visitor(self.made["inbox_key"], token=first.token, position=first.position)
        messages = second.messages()
        async with second:
            self.assertEqual((await within("the answer", anext(messages))).text, "meanwhile")

    def _answer(self, conversation: str, message: str) -> None:
        """Writes as the team."""
        headers = {
            "Authorization": f"Bearer {self.made['api_key']}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        url = f"{self.made['url']}/api/v1/conversations/{conversation}/messages"
        asked = urllib.request.Request(url, json.dumps({"text": message}).encode(), headers)
        with urllib.request.urlopen(asked, timeout=15) as answer:
            self.assertEqual(answer.status, 201)

    async def test_errors_of_the_real_server_have_their_codes(self) -> None:
        await self._fails(self.frontdesk.visitor("nobody").start(), HttpError, "inbox.unknown")
        await self._fails(self.frontdesk.bot("fd_wrong").start(), HttpError, "auth.required")
        async with self.frontdesk.visitor(self.made["inbox_key"]) as visitor:
            await self._fails(visitor.send("x" * 70_000), Refused, "message.too_large")
            await self._fails(visitor.rate(5), Refused, "conversation.unknown")
            # The server would stop a client that sent half a character, or a megabyte.
            self.assertEqual((await visitor.send("half \ud83d")).seq, 1)
            await self._fails(visitor.send("x" * 2_000_000), FrontdeskError, "frame.too_large")
            self.assertEqual(visitor.state, "live")

    async def _fails(self, awaitable: Awaitable[Any], kind: type[FrontdeskError], code: str) -> None:
        with self.assertRaises(kind) as raised:
            await awaitable
        self.assertEqual(raised.exception.code, code)
