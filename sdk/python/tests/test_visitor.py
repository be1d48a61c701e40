"""A visitor against a server in memory: connecting, sending, receiving, reconnecting."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fake import EPOCH, FakeServer, TestCase, body, entry, position, said, settle
from frontdesk import Answer, Frontdesk, FrontdeskError, HandshakeRefused, HttpError, MalformedFrame, Pending, Refused, Stopped

EMPTY: dict[str, Any] = {"opened": [{"position": {"epoch": EPOCH}}], "self": {"kind": "ACTOR_KIND_VISITOR", "id": "v1"}}


class Store:
    def __init__(self, *kept: Pending) -> None:
        self.kept, self.log = kept, list[str]()

    def load(self) -> tuple[Pending, ...]:
        return self.kept

    def put(self, message: Pending) -> None:
        self.log.append(message.content["text"]["body"])

    def remove(self, client_msg_id: str) -> None:
        self.log.append(client_msg_id)


class VisitorTest(TestCase):
    async def live(self, **options: Any) -> None:
        self.server = server = FakeServer()
        self.visitor = server.frontdesk(**options).visitor("KEY")
        self.got: list[tuple[int, str]] = []
        self.visitor.on("message", lambda message: self.got.append((message.seq, message.text)))
        self.visitor._link.start()
        self.hello = await server.welcome(EMPTY)
        self.assertEqual(self.visitor.state, "live")

    def seq(self) -> int:
        assert self.visitor.position is not None
        return int(self.visitor.position["seq"])

    def sends(self) -> list[Any]:
        return [frame["send"] for frame in self.server.socket.take("send")]

    async def test_a_ticket_then_a_hello_with_it(self) -> None:
        await self.live()
        asked = self.server.requests[0]
        self.assertEqual(asked.url, "http://desk.example/base/api/v1/tickets")
        self.assertEqual((body(asked)["kind"], body(asked)["inbox_key"]), ("visitor", "KEY"))
        socket = self.server.socket
        self.assertEqual((socket.url, socket.subprotocol), ("ws://desk.example/base/ws/v1", "frontdesk.v1.json"))
        self.assertEqual((self.hello["ticket"], self.hello["canRejoin"]), ("t1", True))
        self.assertEqual((self.visitor.token, self.visitor.conversation_id), ("v1.token", "c1"))

    async def test_a_message_waits_for_its_ack_and_goes_again_with_its_id_after_a_drop(self) -> None:
        await self.live()
        one, two = self.visitor.send("one"), self.visitor.send("two")
        (first,) = self.sends()
        self.assertEqual(first["content"]["text"]["body"], "one", "the second waits for the ack of the first")
        await self.server.socket.end(1006)
        await self.server.clock.advance(0.5)
        hello = await self.server.welcome(EMPTY)
        self.assertEqual((hello["resumeToken"], hello["held"]), ("r1", [{"position": {"epoch": EPOCH}}]))
        (again,) = self.sends()
        self.assertEqual(again["clientMsgId"], first["clientMsgId"])
        await self.server.socket.push({"ack": {"clientMsgId": again["clientMsgId"], "position": position(1), "id": "e1"}})
        self.assertEqual((await one).seq, 1)
        # The second was stored and its ack lost: the entry says so.
        (second,) = self.sends()
        self.assertGreater(second["clientMsgId"], first["clientMsgId"], "ids rise")
        own = said(2, "two")
        own["entry"]["clientMsgId"] = second["clientMsgId"]
        await self.server.socket.push({"entries": {"epoch": EPOCH, "items": [own]}})
        self.assertEqual(((await two).seq, self.visitor.pending), (2, 0))

    async def test_a_refused_message_is_not_passed_by_the_next_or_is_given_up(self) -> None:
        await self.live()
        one = self.visitor.send("one")
        self.visitor.send("two")
        (first,) = self.sends()
        limited = {"code": "rate_limited", "retryAfterMs": 700, "clientMsgId": first["clientMsgId"]}
        await self.server.socket.push({"refusal": limited})
        await self.server.clock.advance(0.69)
        self.assertEqual(self.sends(), [])
        await self.server.clock.advance(0.02)
        self.assertEqual(self.sends()[0]["clientMsgId"], first["clientMsgId"])
        await self.server.socket.push({"refusal": {"code": "message.refused", "clientMsgId": first["clientMsgId"]}})
        await self.fails(one, Refused, "message.refused")
        self.assertEqual(self.sends()[0]["content"]["text"]["body"], "two")

    async def test_the_outbox_is_bounded_and_a_message_without_an_ack_in_time_is_given_up(self) -> None:
        server = FakeServer()
        visitor = server.frontdesk(outbox_max=2, send_timeout=1.0).visitor("KEY")
        acks = [visitor.send("a"), visitor.send("b")]
        await self.fails(visitor.send("c"), FrontdeskError, "outbox.full")
        await server.clock.advance(1.0)
        for ack in acks:
            await self.fails(ack, FrontdeskError, "timeout")
        self.assertEqual(visitor.pending, 0)

    async def test_what_a_store_kept_is_sent_first_with_its_id(self) -> None:
        kept = Pending("AaDELZwAAAH//v38ABAgMA==", "", {"text": {"body": "from before"}})
        store = Store(kept)
        await self.live(store=store)
        self.visitor.send("new")
        (send,) = self.sends()
        self.assertEqual((send["clientMsgId"], send["content"]["text"]["body"]), (kept.client_msg_id, "from before"))
        await self.server.socket.push({"ack": {"clientMsgId": kept.client_msg_id, "position": position(1)}})
        self.assertEqual(store.log, ["new", kept.client_msg_id])

    async def test_close_codes_a_resume_token_a_new_ticket_at_once_a_stop(self) -> None:
        await self.live()
        server = self.server
        await server.socket.end(3000)
        await server.clock.advance(0.5)
        self.assertEqual(server.socket.take("hello")[0]["hello"]["resumeToken"], "r1")
        await server.socket.end(3400)
        self.assertEqual(len(server.requests), 2, "a token the server knows no more costs no wait")
        self.assertEqual((await server.welcome(EMPTY))["ticket"], "t2")
        waiting = self.visitor.send("never")
        await server.socket.end(3500)
        await self.fails(waiting, Stopped, "client.stopped")
        await self.fails(self.visitor.send("later"), Stopped, "client.stopped")
        await server.clock.advance(120)
        self.assertEqual(len(server.sockets), 3)

    async def test_a_live_connection_that_needs_a_new_ticket_waits_a_random_time_for_it(self) -> None:
        await self.live()
        await self.server.socket.end(3403)
        self.assertEqual((self.visitor.state, len(self.server.requests)), ("waiting", 1))
        await self.server.clock.advance(0.5)
        self.assertEqual((await self.server.welcome(EMPTY))["ticket"], "t2")

    async def test_before_the_welcome_a_close_drops_the_resume_token(self) -> None:
        await self.live()
        server = self.server
        await server.socket.end(1006)
        await server.clock.advance(0.5)
        self.assertEqual(server.socket.take("hello")[0]["hello"]["resumeToken"], "r1")
        await server.socket.end(1011)
        await server.clock.advance(1.0)
        self.assertEqual((await server.welcome(EMPTY))["ticket"], "t2")

    async def test_a_server_that_is_too_busy_is_waited_for_as_long_as_it_says_and_a_random_time(self) -> None:
        server = FakeServer()
        answer = server.answer
        server.answer = lambda _: Answer(503, {"code": "overloaded"}, 3.0)
        visitor = server.frontdesk().visitor("KEY")
        visitor._link.start()
        await settle()
        server.answer = answer
        server.refuse_dial = HandshakeRefused(2.0)
        await server.clock.advance(3.24)
        self.assertEqual(len(server.requests), 1)
        await server.clock.advance(0.02)
        self.assertEqual(len(server.requests), 2)
        await server.clock.advance(2.47)
        self.assertEqual(server.sockets, [])
        await server.clock.advance(0.03)
        await server.welcome(EMPTY)
        # Nothing is left of the attempts that failed.
        for _ in range(4):
            await server.clock.advance(20)
            await server.socket.push({"ping": {}})
        self.assertEqual(visitor.state, "live")

    async def test_a_request_that_can_only_fail_again_stops_the_client(self) -> None:
        server = FakeServer()
        server.answer = lambda _: Answer(404, {"code": "inbox.unknown"})
        await self.fails(server.frontdesk().visitor("KEY").start(), HttpError, "inbox.unknown")

    async def test_go_away_says_when_to_come_back(self) -> None:
        await self.live()
        await self.server.socket.push({"goAway": {"reconnectAfterMs": 1_500}})
        await self.server.socket.end(3000)
        await self.server.clock.advance(1.74)
        self.assertEqual(len(self.server.sockets), 1)
        await self.server.clock.advance(0.02)
        self.assertEqual(len(self.server.sockets), 2)

    async def test_rejoin_hello_again_on_the_same_socket_then_what_had_no_ack(self) -> None:
        await self.live()
        self.visitor.send("one")
        (first,) = self.sends()
        await self.server.socket.push({"rejoin": {"afterMs": 350}})
        self.visitor.send("two")
        await self.server.clock.advance(0.34)
        self.assertEqual(self.server.socket.sent, [], "nothing is said meanwhile")
        await self.server.clock.advance(0.02)
        hello = await self.server.welcome(EMPTY)
        self.assertEqual((hello["resumeToken"], "ticket" in hello, len(self.server.sockets)), ("r1", False, 1))
        self.assertEqual(self.sends()[0]["clientMsgId"], first["clientMsgId"])

    async def test_pings_are_answered_and_silence_is_asked_about_then_ends_the_connection(self) -> None:
        await self.live()
        socket = self.server.socket
        await socket.push({"ping": {}})
        self.assertEqual(len(socket.take("pong")), 1)
        await self.server.clock.advance(25)
        self.assertEqual(len(socket.take("ping")), 1)
        await socket.push({"pong": {}})
        await self.server.clock.advance(34)
        self.assertIsNone(socket.closed_with)
        await self.server.clock.advance(3.5)
        self.assertEqual(socket.closed_with, 3009)

    async def test_every_40_s_the_position_is_checked(self) -> None:
        await self.live()
        socket = self.server.socket
        await socket.push({"entries": {"epoch": EPOCH, "items": [entry(1, "a")]}})
        for _ in range(3):
            for _ in range(2):
                await self.server.clock.advance(20)
                await socket.push({"ping": {}})
            (asked,) = socket.take("sync")
            self.assertEqual(asked["sync"]["held"], [{"position": position(1)}])
            await socket.push({"ref": asked["ref"], "done": {}})

    async def test_a_hole_is_asked_about_repeats_are_dropped_order_is_kept(self) -> None:
        await self.live()
        socket = self.server.socket
        await socket.push({"entries": {"epoch": EPOCH, "items": [entry(1, "a"), entry(1, "a")]}})
        await socket.push({"entries": {"epoch": EPOCH, "items": [entry(4, "d")]}})
        await self.server.clock.advance(0.5)
        self.assertEqual(socket.take("sync")[0]["sync"]["held"], [{"position": position(1)}])
        await socket.push({"entries": {"epoch": EPOCH, "items": [entry(2, "b"), entry(3, "c"), entry(4, "d")]}})
        self.assertEqual(self.got, [(1, "a"), (2, "b"), (3, "c"), (4, "d")])

    async def test_too_much_missed_is_read_over_http_each_once(self) -> None:
        await self.live()
        server = self.server
        reloads: list[Any] = []
        self.visitor.on("reload", lambda messages, missed: reloads.append(([one.seq for one in messages], missed)))
        await server.socket.push({"entries": {"epoch": EPOCH, "items": [entry(1, "1")]}})
        answer = server.answer

        def pages(request: Any) -> Any:
            if "/entries" not in request.url:
                return answer(request)
            self.assertEqual(request.headers["Authorization"], "Visitor v1.token")
            after = int(parse_qs(urlsplit(request.url).query)["after"][0])
            return {"epoch": EPOCH, "items": [entry(after + 1, "x"), entry(after + 2, "y")]}

        server.answer = pages
        await server.socket.end(1006)
        await server.clock.advance(0.5)
        page = {"position": position(7), "items": [entry(6, "6"), entry(7, "7")], "moreBefore": True}
        await server.welcome({**EMPTY, "opened": [page]})
        self.assertEqual([seq for seq, _ in self.got], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(reloads, [([6, 7], False)])

    async def test_another_epoch_drops_everything_held_and_tells(self) -> None:
        await self.live()
        server = self.server
        reloads: list[Any] = []
        self.visitor.on("reload", lambda messages, missed: reloads.append((len(messages), missed)))
        await server.socket.push({"entries": {"epoch": EPOCH, "items": [entry(1, "a")]}})
        await server.socket.push({"entries": {"epoch": "77", "items": [entry(2, "b")]}})
        await server.clock.advance(0.5)
        restored = {"position": {"epoch": "77", "seq": "1"}, "items": [entry(1, "restored")]}
        hello = await server.welcome({**EMPTY, "opened": [restored]})
        self.assertNotIn("held", hello)
        self.assertEqual((reloads, self.visitor.position), ([(1, True)], {"epoch": "77", "seq": "1"}))

    async def test_a_reader_that_is_far_behind_is_bounded_and_misses_nothing(self) -> None:
        await self.live(inbox_max=4)
        socket = self.server.socket
        messages = self.visitor.messages()
        items = [entry(seq, str(seq)) for seq in range(1, 11)]
        await socket.push({"entries": {"epoch": EPOCH, "items": items}})
        read: list[int] = []
        while len(read) < 10:
            self.assertEqual(self.seq(), len(read), "what was not read was not given")
            read.append((await anext(messages)).seq)
            await settle()
            for asked in socket.take("sync"):
                after = int(asked["sync"]["held"][0]["position"].get("seq", 0))
                missing = {"entries": {"epoch": EPOCH, "items": items[after:]}}
                await socket.push(missing, {"ref": asked["ref"], "done": {}})
        self.assertEqual(read, list(range(1, 11)))
        self.visitor.close()
        with self.assertRaises(StopAsyncIteration):
            await anext(messages)

    async def test_choices_and_forms_are_answered_as_the_protocol_wants_it(self) -> None:
        await self.live()
        seen: list[Any] = []
        self.visitor.on("message", seen.append)
        choices = {"choices": {"body": "Which?", "choices": [{"id": "a", "label": "Apples"}]}}
        fields = [{"id": "n", "label": "Name", "kind": "FORM_FIELD_KIND_TEXT"}, {"id": "x", "label": "X"}]
        form = {"form": {"title": "Who?", "fields": fields}}
        items = [entry(1, "", content=choices), entry(2, "", content=form)]
        await self.server.socket.push({"entries": {"epoch": EPOCH, "items": items}})
        self.visitor.choose(seen[0], "a")
        (picked,) = self.sends()
        self.assertEqual(picked["content"], {"text": {"body": "Apples"}, "quoteSeq": "1", "choice": "a"})
        await self.server.socket.push({"ack": {"clientMsgId": picked["clientMsgId"], "position": position(3)}})
        self.visitor.submit(seen[1], {"n": "Li Na"})
        filled = {"formReply": {"values": [{"id": "n", "label": "Name", "value": "Li Na"}]}, "quoteSeq": "2"}
        self.assertEqual(self.sends()[0]["content"], filled)
        await self.fails(self.visitor.choose(seen[0], "b"), FrontdeskError, "request.invalid")

    async def test_a_command_whose_answer_was_lost_with_the_connection_is_given_again(self) -> None:
        await self.live()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.visitor.end_session())
            await settle()
            self.assertEqual(len(self.server.socket.take("command")), 1)
            await self.server.socket.end(1006)
            await self.server.clock.advance(0.5)
            await self.server.welcome(EMPTY)
            (again,) = self.server.socket.take("command")
            await self.server.socket.push({"ref": again["ref"], "refusal": {"code": "session.closed"}})

    async def test_close_ends_everything_at_once(self) -> None:
        await self.live()
        ack = self.visitor.send("one")
        self.visitor.close()
        self.assertEqual(self.server.socket.closed_with, 1000)
        await self.fails(ack, FrontdeskError, "client.closed")
        await self.fails(self.visitor.send("two"), FrontdeskError, "client.closed")
        self.assertEqual(self.server.clock.timers, [], "no timer is left")

    async def test_what_no_server_takes_fails_at_once_and_is_not_in_the_way_of_the_next_message(self) -> None:
        await self.live()
        number: Any = 42
        await self.fails(self.visitor.send(number), MalformedFrame, "frame.malformed")
        await self.fails(self.visitor.send("x" * 1_100_000), FrontdeskError, "frame.too_large")
        self.assertEqual(self.visitor.pending, 0)
        # Of halves that came one by one, those that belong together are one character.
        self.visitor.send("\ud83d" + "\ude42" + " cut in the middle of \ud83d")
        self.assertEqual(self.sends()[0]["content"]["text"]["body"], "🙂 cut in the middle of \ufffd")

    async def test_messages_goes_on_after_a_loop_that_was_left_and_ends_where_the_client_has_ended(self) -> None:
        await self.live()
        read: list[int] = []

        async def loop() -> None:
            async for message in self.visitor.messages():
                read.append(message.seq)
                if message.seq == 1:
                    break

        first = asyncio.create_task(loop())
        await settle()
        items = [entry(seq, "a") for seq in (1, 2, 3)]
        await self.server.socket.push({"entries": {"epoch": EPOCH, "items": items}})
        await first
        self.assertEqual((read, self.seq()), ([1], 1))
        self.visitor.close()
        await loop()
        self.assertEqual((read, self.seq()), ([1, 2, 3], 3))
        other = self.server.frontdesk().visitor("KEY")
        other.close()
        async with asyncio.timeout(1):
            self.assertEqual([message async for message in other.messages()], [])

    async def test_a_listener_that_fails_at_once_or_later_is_told_and_ends_nothing(self) -> None:
        await self.live()
        errors: list[str] = []
        self.visitor.on("error", lambda error: errors.append(str(error)))

        def now(_: Any) -> None:
            raise ValueError("at once")

        async def later(_: Any) -> None:
            raise ValueError("later")

        self.visitor.on("entry", now)
        self.visitor.on("entry", later)
        await self.server.socket.push({"entries": {"epoch": EPOCH, "items": [entry(1, "a")]}})
        self.assertEqual((self.got, errors), ([(1, "a")], ["at once", "later"]))

    async def test_a_store_that_fails_the_message_fails_or_the_error_is_told(self) -> None:
        class Broken(Store):
            def put(self, message: Pending) -> None:
                if message.content["text"]["body"] == "full":
                    raise OSError("no room")

            def remove(self, client_msg_id: str) -> None:
                raise OSError("no disk")

        await self.live(store=Broken())
        errors: list[str] = []
        self.visitor.on("error", lambda error: errors.append(str(error)))
        with self.assertRaisesRegex(OSError, "no room"):
            await self.visitor.send("full")
        ack = self.visitor.send("a")
        (send,) = self.sends()
        await self.server.socket.push({"ack": {"clientMsgId": send["clientMsgId"], "position": position(1)}})
        self.assertEqual(((await ack).seq, errors), (1, ["no disk"]))

    async def test_unsent_text_goes_only_to_an_inbox_that_wants_to_see_it(self) -> None:
        await self.live()
        self.visitor.typing(True, "I would li")
        self.assertEqual([one["draft"] for one in self.server.socket.take("draft")], [{"typing": True}])
        await self.server.socket.end(1006)
        await self.server.clock.advance(0.5)
        await self.server.welcome({**EMPTY, "drafts": True})
        self.visitor.typing(True, "I would like")
        wanted = [{"typing": True, "text": "I would like"}]
        self.assertEqual([one["draft"] for one in self.server.socket.take("draft")], wanted)
        # Neither text nor typing is wanted.
        plain = self.server.answer
        self.server.answer = lambda request: {**plain(request), "inbox": {"typing": False}}
        await self.server.socket.end(3400)
        await self.server.clock.advance(1.0)
        await self.server.welcome(EMPTY)
        self.visitor.typing()
        self.assertEqual(self.server.socket.take("draft"), [])

    async def test_who_cannot_connect_is_told_why(self) -> None:
        server = FakeServer()
        plain = server.answer

        def refused(_: Any) -> Any:
            raise ConnectionRefusedError("refused by 127.0.0.1")

        async def no_session() -> str:
            raise ValueError("no session")

        async def silent() -> str:
            await asyncio.Event().wait()
            return ""

        server.answer = refused
        visitor = server.frontdesk().visitor("KEY")
        states: list[Any] = []
        errors: list[str] = []
        visitor.on("state", lambda state, error: states.append((state, error and error.code)))
        visitor.on("error", lambda error: errors.append(str(error)))
        started = asyncio.create_task(visitor.start(0.1))
        await server.clock.advance(0.1)
        with self.assertRaisesRegex(FrontdeskError, "timeout.*connection.lost: refused by 127.0.0.1"):
            await started
        self.assertEqual(states, [("connecting", None), ("waiting", "connection.lost")])
        # Later the program fails, and then does not answer at all.
        server.answer = plain
        visitor._identity_token = no_session
        await server.clock.advance(1)
        self.assertEqual(set(errors), {"no session"})
        visitor._identity_token = silent
        await server.clock.advance(1)
        self.assertEqual(visitor.state, "connecting")
        visitor._identity_token = "jwt"
        await server.clock.advance(60)
        self.assertEqual(body(server.requests[-1])["identity_token"], "jwt")
        visitor.close()

    async def test_run_serves_until_close_and_raises_why_it_was_stopped(self) -> None:
        await self.live()
        running = asyncio.create_task(self.visitor.run())
        await settle()
        await self.server.socket.end(3500)
        await self.fails(running, Stopped, "client.stopped")
        await self.live()
        running = asyncio.create_task(self.visitor.run())
        await settle()
        self.visitor.close()
        await running
        alone = FakeServer()
        alone.answer = lambda _: Answer(502, None)
        never = alone.frontdesk().visitor("KEY")
        running = asyncio.create_task(never.run())
        await alone.clock.advance(30)
        with self.assertRaisesRegex(FrontdeskError, "timeout.*http.502"):
            await running
        self.assertEqual((never.state, alone.clock.timers), ("closed", []))

    async def test_cancelling_run_or_entering_closes_the_client(self) -> None:
        await self.live()
        running = asyncio.create_task(self.visitor.run())
        await settle()
        running.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await running
        self.assertEqual((self.visitor.state, self.server.socket.closed_with), ("closed", 1000))
        other = FakeServer().frontdesk().visitor("KEY")

        async def enter() -> None:
            async with other:
                pass

        entering = asyncio.create_task(enter())
        await settle()
        entering.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await entering
        self.assertEqual(other.state, "closed")

    async def test_a_wait_that_no_clock_can_count_is_cut(self) -> None:
        server = FakeServer()
        plain = server.answer
        server.answer = lambda _: Answer(503, {}, float("inf"))
        server.frontdesk().visitor("KEY")._link.start()
        await settle()
        server.answer = plain
        await server.clock.advance(3_600.5)
        await server.welcome(EMPTY)

    def test_an_address_that_is_none_is_refused(self) -> None:
        for address in ("", "desk.example", "localhost:8080", "ftp://desk.example", "http://"):
            with self.assertRaises(ValueError, msg=address):
                Frontdesk(address)

    async def test_a_listener_to_the_state_may_close_the_client(self) -> None:
        for when, code in (("waiting", 1006), ("connecting", 1006), ("live", 1006), ("stopped", 3500)):
            await self.live()
            visitor, server = self.visitor, self.server

            def close(state: str, _: Any, when: str = when) -> None:
                if state == when:
                    visitor.close()

            visitor.on("state", close)
            await server.socket.end(code)
            await server.clock.advance(0.5)
            if when == "live":
                await server.welcome(EMPTY)
            await server.clock.advance(120)
            left = (visitor.state, server.clock.timers, len(server.sockets))
            self.assertEqual(left, ("closed", [], 2 if when == "live" else 1), when)
