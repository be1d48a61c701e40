"""A bot against a server in memory: the feed, handlers, what it may say and do."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fake import EPOCH, FakeServer, TestCase, body, entry, position, said, settle
from frontdesk import Choice, Conversation, Field, Message

BOT = {"kind": "ACTOR_KIND_BOT", "id": "key1", "name": "Echo"}


def session(number: int, version: int, owner: str = "", status: str = "SESSION_STATUS_ASSIGNED") -> dict[str, Any]:
    of: dict[str, Any] = {"id": f"s{number}", "number": number, "version": version, "status": status}
    return {**of, "owner": {"kind": "PARTICIPANT_KIND_BOT", "id": owner}} if owner else of


def row(conversation: str, seq: int, of: dict[str, Any]) -> dict[str, Any]:
    who = {"visitor": "v1", "visitorName": "Li", "language": "zh-CN"}
    return {"conversation": conversation, "position": position(seq), "session": of, **who}


class BotTest(TestCase):
    async def live(self, handlers_max: int = 64, mine: list[Any] | None = None, **options: Any) -> None:
        self.server = server = FakeServer()
        plain = server.answer
        server.answer = lambda one: {"rows": mine or []} if "view=mine" in one.url else plain(one)
        self.bot = server.frontdesk(**options).bot("fd_key", handlers_max=handlers_max)
        self.got: list[tuple[str, int, str]] = []
        self.events: list[str] = []

        @self.bot.on_message
        async def handle(conversation: Conversation, message: Message) -> None:
            self.got.append((conversation.id, message.seq, message.text))

        for name in ("given", "released"):
            self.bot.on(name, lambda conversation, name=name: self.events.append(f"{name} {conversation.id}"))
        self.bot._link.start()
        await server.welcome({"self": BOT, "feed": {"epoch": "7", "number": "12"}})
        self.assertEqual(self.bot.state, "live")

    async def give(self, conversation: str, *items: Any) -> None:
        """Gives the bot a session with these items."""
        of = session(1, 2, "key1")
        change = {"number": "13", "row": row(conversation, len(items), of)}
        await self.server.socket.push({"feed": {"changes": [change]}})
        (asked,) = self.server.socket.take("open")
        self.assertEqual(asked["open"]["conversation"], conversation)
        opened = {"conversation": conversation, "items": list(items), "position": position(len(items)), "session": of}
        await self.server.socket.push({"ref": asked["ref"], "opened": opened})

    async def again(self, **welcome: Any) -> dict[str, Any]:
        """The connection goes and comes back."""
        await self.server.socket.end(3000)
        await self.server.clock.advance(0.5)
        return await self.server.welcome({"self": BOT, **welcome})

    def seqs(self) -> list[int]:
        return [seq for _, seq, _ in self.got]

    async def test_a_ticket_by_the_key_and_the_list_says_what_it_has_already(self) -> None:
        await self.live(mine=[row("c1", 1, session(1, 2, "key1"))])
        self.assertEqual([one.headers["Authorization"] for one in self.server.requests], ["Bearer fd_key"] * 2)
        self.assertEqual(body(self.server.requests[0]), {"kind": "agent"})
        self.assertEqual(self.server.socket.take("open")[0]["open"]["conversation"], "c1")

    async def test_given_a_session_the_bot_answers_what_nobody_has_answered(self) -> None:
        await self.live()
        old = [said(1, "old", "s0"), said(2, "asked"), entry(3, "answered")]
        await self.give("c1", *old, said(4, "new"), said(5, "newer"))
        self.assertEqual(self.got, [("c1", 4, "new"), ("c1", 5, "newer")])
        self.assertEqual(self.events, ["given c1"])
        more = {"conversation": "c1", "epoch": EPOCH, "items": [said(6, "more")]}
        await self.server.socket.push({"entries": more})
        self.assertEqual(self.seqs(), [4, 5, 6])
        conversation = self.bot.conversation("c1")
        self.assertEqual((conversation.language, self.bot.conversations), ("zh-CN", [conversation]))

    async def test_a_message_waits_until_its_session_is_the_bots(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        socket = self.server.socket
        closed = session(1, 3, "key1", "SESSION_STATUS_CLOSED")
        await socket.push({"session": {"conversation": "c1", "session": closed}})
        self.assertEqual(self.events, ["given c1", "released c1"])
        self.assertEqual(len(socket.take("leave")), 1)
        # Somebody else serves the second session, the bot the third: it missed both.
        third = session(3, 1, "key1")
        await socket.push({"feed": {"changes": [{"number": "14", "row": row("c1", 5, third)}]}})
        (asked,) = socket.take("open")
        self.assertEqual(asked["open"]["position"], position(1))
        missed = [said(2, "second", "s2"), entry(3, "by Mei", session="s2"), said(4, "third", "s3"), said(5, "too", "s3")]
        opened = {"conversation": "c1", "recovered": True, "items": missed, "position": position(5), "session": third}
        await socket.push({"ref": asked["ref"], "opened": opened})
        self.assertEqual(self.seqs(), [1, 4, 5])

    async def test_a_message_of_the_next_session_waits_though_the_end_of_the_last_one_was_not_told_yet(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        socket = self.server.socket
        await socket.push({"entries": {"conversation": "c1", "epoch": EPOCH, "items": [said(2, "b", "s2")]}})
        self.assertEqual(self.seqs(), [1])
        await socket.push({"session": {"conversation": "c1", "session": session(2, 2, "key1")}})
        self.assertEqual(self.seqs(), [1, 2])

    async def test_a_long_unanswered_beginning_is_read_back_over_http(self) -> None:
        await self.live()
        plain = self.server.answer

        def pages(request: Any) -> Any:
            if "/entries" not in request.url:
                return plain(request)
            self.assertEqual(parse_qs(urlsplit(request.url).query)["before"], ["4"])
            return {"epoch": EPOCH, "items": [entry(1, "hello"), said(2, "b"), said(3, "c")]}

        self.server.answer = pages
        of = session(1, 2, "key1")
        await self.server.socket.push({"feed": {"changes": [{"number": "13", "row": row("c1", 5, of)}]}})
        (asked,) = self.server.socket.take("open")
        page = {"conversation": "c1", "items": [said(4, "d"), said(5, "e")], "moreBefore": True}
        await self.server.socket.push(
            {"ref": asked["ref"], "opened": {**page, "position": position(5), "session": of}},
            {"entries": {"conversation": "c1", "epoch": EPOCH, "items": [said(6, "f")]}},
        )
        self.assertEqual(self.seqs(), [2, 3, 4, 5, 6])

    async def test_after_a_reconnect_the_hello_names_what_is_held_and_each_message_comes_once(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        hello = await self.again(feed={"epoch": "7", "number": "20"}, feedRecovered=True)
        self.assertEqual(hello["held"], [{"conversation": "c1", "position": position(1)}])
        self.assertEqual(hello["feed"], {"epoch": "7", "number": "13"})
        of = session(1, 2, "key1")
        more = {"conversation": "c1", "recovered": True, "items": [said(2, "b")], "position": position(2), "session": of}
        await self.server.socket.push({"opened": more}, {"feed": {"changes": [{"number": "14", "row": row("c1", 2, of)}]}})
        self.assertEqual(self.seqs(), [1, 2])
        lists = [one for one in self.server.requests if "view=mine" in one.url]
        self.assertEqual(len(lists), 1, "the list was not needed again")

    async def test_a_feed_that_cannot_go_on_is_read_as_a_list(self) -> None:
        await self.live()
        self.server.answer = lambda _: {"rows": [row("c9", 1, session(1, 2, "key1"))]}
        await self.again(feed={"epoch": "8", "number": "1"})
        self.assertEqual(self.server.socket.take("open")[0]["open"]["conversation"], "c9")

    async def test_handlers_run_one_at_a_time_in_a_conversation_and_beside_each_other_in_several(self) -> None:
        await self.live(handlers_max=2)
        log: list[str] = []
        doors: list[asyncio.Event] = []

        @self.bot.on_message
        async def handle(conversation: Conversation, message: Message) -> None:
            log.append(f"{conversation.id}:{message.seq}")
            doors.append(asyncio.Event())
            await doors[-1].wait()

        for id in ("c1", "c2", "c3"):
            await self.give(id, said(1, "a"), said(2, "b"))
        self.assertEqual(log, ["c1:1", "c2:1"])
        while doors:
            doors.pop(0).set()
            await settle()
        for id in ("c1", "c2", "c3"):
            self.assertEqual([line for line in log if line.startswith(id)], [f"{id}:1", f"{id}:2"])

    async def test_a_handler_that_fails_is_told_and_the_next_message_comes(self) -> None:
        await self.live()
        errors: list[str] = []
        self.bot.on("error", lambda error: errors.append(str(error)))

        @self.bot.on_message
        async def handle(_: Conversation, message: Message) -> None:
            if message.seq == 1:
                raise RuntimeError("broken")
            self.got.append(("", message.seq, ""))

        await self.give("c1", said(1, "a"), said(2, "b"))
        self.assertEqual((errors, self.seqs()), (["broken"], [2]))

    async def test_a_handler_that_is_far_behind_is_bounded_and_misses_nothing(self) -> None:
        await self.live(inbox_max=4)
        read: list[int] = []
        turn = asyncio.Semaphore(0)

        @self.bot.on_message
        async def handle(_: Conversation, message: Message) -> None:
            read.append(message.seq)
            await turn.acquire()

        await self.give("c1", said(1, "1"))
        items = [said(seq, str(seq)) for seq in range(1, 13)]
        socket = self.server.socket
        await socket.push({"entries": {"conversation": "c1", "epoch": EPOCH, "items": items}})
        for _ in range(12):
            turn.release()
            await settle()
            for asked in socket.take("sync"):
                missing = items[int(asked["sync"]["held"][0]["position"]["seq"]) :]
                entries = {"conversation": "c1", "epoch": EPOCH, "items": missing}
                await socket.push({"entries": entries}, {"ref": asked["ref"], "done": {}})
        self.assertEqual(read, list(range(1, 13)))

    async def test_replies_choices_forms_and_notes_go_to_their_conversation(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        conversation = self.bot.conversation("c1")
        sources: Any = [{"article": "a1", "title": "Returns", "path": "help/KEY/en/returns"}]
        buttons = [{"id": "a", "label": "a"}, {"id": "b", "label": "B"}]
        field = {"id": "m", "label": "Mail", "kind": "FORM_FIELD_KIND_EMAIL", "required": True}
        table: list[tuple[Any, Any, str]] = [
            (
                lambda: conversation.reply("hi", quote_seq=1, sources=sources),
                {"text": {"body": "hi"}, "quoteSeq": "1", "sources": sources},
                "AUDIENCE_EVERYONE",
            ),
            (
                lambda: conversation.choices("Which?", ["a", Choice("b", "B")]),
                {"choices": {"body": "Which?", "choices": buttons}},
                "AUDIENCE_EVERYONE",
            ),
            (
                lambda: conversation.form("Who?", [Field("m", "Mail", "email", required=True)], "Go"),
                {"form": {"title": "Who?", "fields": [field], "submit": "Go"}},
                "AUDIENCE_EVERYONE",
            ),
            (lambda: conversation.note("hm"), {"text": {"body": "hm"}}, "AUDIENCE_TEAM"),
        ]
        for seq, (say, content, audience) in enumerate(table, 2):
            ack = say()
            send = self.server.socket.take("send")[0]["send"]
            self.assertEqual((send["conversation"], send["content"], send["audience"]), ("c1", content, audience))
            told = {"conversation": "c1", "clientMsgId": send["clientMsgId"], "position": position(seq)}
            await self.server.socket.push({"ack": told})
            self.assertEqual((await ack).seq, seq)

    async def test_a_form_that_was_filled_in_comes_as_values(self) -> None:
        await self.live()
        seen: list[Message] = []

        @self.bot.on_message
        async def handle(_: Conversation, message: Message) -> None:
            seen.append(message)

        content = {"formReply": {"values": [{"id": "order", "label": "Order", "value": "A-17"}]}, "quoteSeq": "3"}
        await self.give("c1", entry(1, "", actor={"kind": "ACTOR_KIND_VISITOR"}, content=content))
        self.assertEqual((seen[0].kind, seen[0].values, seen[0].quote_seq), ("form_reply", {"order": "A-17"}, 3))

    async def test_a_stream_sends_drafts_then_the_message(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        stream = self.bot.conversation("c1").stream()
        stream.write("Hel")
        stream.write("lo")
        await self.server.clock.advance(0.25)
        stream.write(" you")
        ack = stream.end()
        drafts = [frame["draft"]["text"] for frame in self.server.socket.take("draft")]
        self.assertEqual(drafts, ["Hel", "Hello you"])
        send = self.server.socket.take("send")[0]["send"]
        self.assertEqual(send["content"]["text"]["body"], "Hello you")
        told = {"conversation": "c1", "clientMsgId": send["clientMsgId"], "position": position(2)}
        await self.server.socket.push({"ack": told})
        self.assertEqual((await ack).seq, 2)

    async def test_hand_over_to_a_team_with_a_note_or_a_note_and_back_to_the_queue(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        conversation, socket = self.bot.conversation("c1"), self.server.socket
        task = asyncio.create_task(conversation.hand_over("t1", "angry"))
        await settle()
        (first,) = socket.take("command")
        self.assertEqual(first["command"], {"conversation": "c1", "transfer": {"toTeam": "t1", "note": "angry"}})
        await socket.push({"ref": first["ref"], "done": {}})
        await task
        task = asyncio.create_task(conversation.hand_over(note="stuck"))
        await settle()
        send = socket.take("send")[0]["send"]
        self.assertEqual(send["audience"], "AUDIENCE_TEAM")
        told = {"conversation": "c1", "clientMsgId": send["clientMsgId"], "position": position(2)}
        await socket.push({"ack": told})
        self.assertEqual(socket.take("command")[0]["command"], {"conversation": "c1", "requeue": {}})
        # The connection goes before the answer; the server has done it.
        await self.again(feed={"epoch": "7", "number": "13"}, feedRecovered=True)
        (again,) = self.server.socket.take("command")
        await self.server.socket.push({"ref": again["ref"], "refusal": {"code": "session.not_owner"}})
        await task

    async def test_more_conversations_than_may_be_open_are_all_caught_up(self) -> None:
        await self.live()
        for at in range(70):
            await self.give(f"c{at}", said(1, "a"))
        left = [frame["leave"]["conversation"] for frame in self.server.socket.take("leave")]
        self.assertEqual(left, [f"c{at}" for at in range(10)], "the longest unused")
        owned = {"conversation": "c0", "epoch": EPOCH, "items": [said(2, "to the owner")]}
        await self.server.socket.push({"entries": owned})
        self.assertEqual(self.got[-1], ("c0", 2, "to the owner"))
        hello = await self.again(feed={"epoch": "7", "number": "14"}, feedRecovered=True)
        opened = {frame["open"]["conversation"] for frame in self.server.socket.take("open")}
        self.assertEqual(len(opened | {held["conversation"] for held in hello["held"]}), 70)

    async def test_a_conversation_that_may_be_read_no_longer_is_released(self) -> None:
        await self.live()
        await self.give("c1", said(1, "a"))
        await self.server.socket.push({"refusal": {"code": "conversation.unknown", "conversation": "c1"}})
        self.assertEqual(self.events, ["given c1", "released c1"])
        await self.give("c2", said(1, "a"))
        await self.server.socket.push({"feed": {"changes": [{"number": "15", "removed": "c2"}]}})
        self.assertEqual(self.events[-1], "released c2")

    async def test_a_session_whose_open_was_lost_with_the_connection_is_opened_again(self) -> None:
        await self.live()
        of = session(1, 2, "key1")
        await self.server.socket.push({"feed": {"changes": [{"number": "13", "row": row("c1", 1, of)}]}})
        self.assertEqual(len(self.server.socket.take("open")), 1)
        # The feed told of it already.
        await self.again(feed={"epoch": "7", "number": "13"}, feedRecovered=True)
        (asked,) = self.server.socket.take("open")
        opened = {"conversation": "c1", "items": [said(1, "a")], "position": position(1), "session": of}
        await self.server.socket.push({"ref": asked["ref"], "opened": opened})
        self.assertEqual(self.seqs(), [1])

    async def test_an_open_that_is_not_answered_is_given_again(self) -> None:
        await self.live()
        change = {"number": "13", "row": row("c1", 1, session(1, 2, "key1"))}
        await self.server.socket.push({"feed": {"changes": [change]}})
        self.assertEqual(len(self.server.socket.take("open")), 1)
        await self.server.clock.advance(16)
        self.assertEqual(len(self.server.socket.take("open")), 1)

    async def test_pages_that_were_read_for_a_connection_that_is_gone_are_not_given_a_second_time(self) -> None:
        await self.live()
        plain, doors = self.server.answer, list[asyncio.Future[Any]]()

        def answer(request: Any) -> Any:
            if "/entries" not in request.url:
                return plain(request)
            doors.append(asyncio.get_running_loop().create_future())
            return doors[-1]

        self.server.answer = answer
        of = session(1, 2, "key1")
        opened = {
            "conversation": "c1", "items": [said(3, "c")], "moreBefore": True, "position": position(3), "session": of,
        }
        await self.server.socket.push({"feed": {"changes": [{"number": "13", "row": row("c1", 3, of)}]}})
        await self.server.socket.push({"ref": self.server.socket.take("open")[0]["ref"], "opened": opened})
        await self.again(feed={"epoch": "7", "number": "13"}, feedRecovered=True)
        await self.server.socket.push({"ref": self.server.socket.take("open")[0]["ref"], "opened": opened})
        self.assertEqual(len(doors), 2)
        for door in doors:
            if not door.done():
                door.set_result({"epoch": EPOCH, "items": [entry(1, "hello"), said(2, "b")]})
            await settle()
        self.assertEqual(self.seqs(), [2, 3])

    async def test_messages_wait_for_a_handler_that_comes_later(self) -> None:
        await self.live()
        self.bot._handler = None
        await self.give("c1", said(1, "a"))
        # One that need not wait for anything may be a plain function.
        self.bot.on_message(lambda conversation, message: self.got.append((conversation.id, message.seq, message.text)))
        await settle()
        self.assertEqual(self.seqs(), [1])
