#!/usr/bin/env python3
"""A visitor's chat client for Frontdesk, written from docs/protocol.md alone.

    python client.py http://127.0.0.1:8080 INBOX_KEY              chat: type a line, press Enter
    python client.py http://127.0.0.1:8080 INBOX_KEY --send 10    send ten messages, then leave

It prints one JSON object a line: "welcome", "ack", "entry", "lost", and at the end of --send "done"
with everything it holds. A message it sends is in `pending` until the ack; after every welcome all
pending ones are sent again with the same ids, so nothing is lost or stored twice.
"""
import argparse, base64, json, os, queue, random, sys, threading, time
import urllib.error, urllib.request
from contextlib import contextmanager

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

SYNC_EVERY_S = 40


class Stop(Exception):
    """Trying again is pointless until a person acts."""


class Lost(Exception):
    """The connection is gone; the argument is the close code, 1006 without one."""


@contextmanager
def losing():
    try:
        yield
    except ConnectionClosed as closed:
        raise Lost(closed.rcvd.code if closed.rcvd else 1006) from closed
    except (OSError, InvalidHandshake) as error:
        raise Lost(1006) from error


def say(event, **fields):
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


def span(item):
    low, high = ("fromSeq", "toSeq") if "skip" in item else ("seq", "seq")
    return tuple(int((item.get("skip") or item["entry"])[name]) for name in (low, high))


class Timeline:
    """Everything up to `held`, dense. What comes early waits; what comes twice is dropped."""

    def __init__(self, opened=None):
        items = (opened or {}).get("items", [])
        position = (opened or {}).get("position", {})
        self.epoch = position.get("epoch")
        self.first = span(items[0])[0] if items else int(position.get("seq", 0)) + 1
        self.held, self.entries, self.early = self.first - 1, {}, {}

    def position(self):
        return {"epoch": self.epoch, "seq": str(self.held)} if self.epoch else None

    def take(self, items):
        """Takes items in; returns the new entries in order. `early` not empty shows a hole."""
        for item in items:
            low, entry = span(item)[0], item.get("entry", {})
            if low > self.held:
                self.early[low] = item
            elif "tombstone" in entry:
                self.entries[low] = entry
        new = []
        while self.held + 1 in self.early:
            item = self.early.pop(self.held + 1)
            self.held = span(item)[1]
            if "entry" in item:
                self.entries[int(item["entry"]["seq"])] = item["entry"]
                gone = self.entries.get(int(item["entry"].get("retraction", {}).get("seq", 0)), {})
                gone.pop("content", None)
                new.append(item["entry"])
        return new


class Visitor:
    def __init__(self, base, inbox_key, token=None, window=1):
        self.base, self.inbox_key, self.token, self.window = base.rstrip("/"), inbox_key, token, window
        self.conversation = self.resume_token = self.socket = None
        self.timeline = Timeline()
        self.pending, self.flying, self.acks = {}, set(), {}  # pending: client_msg_id -> text, oldest first
        self.id_ms = self.id_counter = self.ref = 0
        self.not_before = self.heard = self.asked = 0.0
        self.ping_s, self.synced = 25, None

    def http(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {"Authorization": f"Visitor {self.token}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers), timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503, 504):
                raise Stop(f"{path}: {error.code} {error.read()[:200]!r}") from error
            self.not_before = time.monotonic() + float(error.headers.get("Retry-After", 1))
            raise Lost(1006) from error
        except OSError as error:
            raise Lost(1006) from error

    def ticket(self):
        body = {"kind": "visitor", "inbox_key": self.inbox_key, "language": "en"}
        answer = self.http("/api/v1/tickets", {**body, **({"visitor_token": self.token} if self.token else {})})
        self.token, self.conversation = answer["visitor_token"], answer["conversation_id"]
        return answer["ticket"]

    def load_older(self):
        """Everything before the newest page."""
        while self.timeline.first > 1:
            path = f"/api/v1/conversations/{self.conversation}/entries"
            items = self.http(f"{path}?limit=200&before={self.timeline.first}")["items"]
            self.timeline.entries |= {span(item)[0]: item["entry"] for item in items if "entry" in item}
            self.timeline.first = span(items[0])[0] if items else 1

    def send_frame(self, **frame):
        self.socket.send(json.dumps(frame))

    def receive(self, timeout):
        """The next frame, or None after the timeout."""
        try:
            frame = json.loads(self.socket.recv(timeout=timeout))
        except TimeoutError:
            return None
        self.heard = time.monotonic()
        return frame

    def dial(self):
        url = "ws" + self.base.removeprefix("http") + "/ws/v1"
        try:
            return connect(url, subprotocols=["frontdesk.v1.json"], compression=None, max_size=1 << 21,
                           open_timeout=10, close_timeout=2, ping_interval=None)
        except InvalidStatus as error:
            if error.response.status_code in (429, 503):  # too many at once
                self.not_before = time.monotonic() + float(error.response.headers.get("Retry-After", 1))
            raise

    def hello(self, who):
        held = [{"position": self.timeline.position()}] if self.timeline.position() else []
        self.heard = self.asked = time.monotonic()
        self.flying.clear()
        self.send_frame(ref=1, hello={**who, "held": held, "client": "python-example/1.0", "language": "en"})
        frame = self.receive(10)
        while frame and "welcome" not in frame:
            frame = self.receive(10)  # an error; the close that follows tells what to do
        if not frame:
            raise Lost(1006)
        welcome, self.synced = frame["welcome"], None
        self.resume_token, self.ping_s = welcome["resumeToken"], welcome["limits"]["pingIntervalMs"] / 1000
        self.window = min(self.window, welcome["limits"]["inFlightMax"])
        opened = welcome["opened"][0]
        say("welcome", recovered=opened.get("recovered", False), position=opened.get("position"))
        self.opened(opened)

    def opened(self, opened):
        if not opened.get("recovered"):
            self.timeline = Timeline(opened)
        self.show(self.timeline.take(opened.get("items", [])))

    def handle(self, frame):
        if "ping" in frame:
            self.send_frame(pong={})
        elif "ack" in frame:
            mine, seq = frame["ack"]["clientMsgId"], frame["ack"]["position"]["seq"]
            text = {"text": {"body": self.acked(mine, int(seq))}}
            entry = {"seq": seq, "clientMsgId": mine, "actor": {"kind": "ACTOR_KIND_VISITOR"}, "content": text}
            self.show(self.timeline.take([{"entry": entry}]))
        elif "refusal" in frame:
            refusal = frame["refusal"]
            mine = refusal.get("clientMsgId")
            self.flying.discard(mine)
            self.not_before = time.monotonic() + refusal.get("retryAfterMs", 0) / 1000
            self.synced = self.synced or None  # a refused position check is made again
            if "retryAfterMs" not in refusal:
                self.pending.pop(mine, None)
                say("refused", code=refusal["code"])
        elif "entries" in frame:
            if frame["entries"].get("epoch") != self.timeline.epoch:
                self.timeline = Timeline()  # restored from a backup: begin anew
                raise Lost(1006)
            self.show(self.timeline.take(frame["entries"]["items"]))
        elif "opened" in frame:
            self.opened(frame["opened"])
        elif "done" in frame:
            self.synced = True
        elif "goAway" in frame:
            self.not_before = time.monotonic() + frame["goAway"].get("reconnectAfterMs", 0) / 1000

    def acked(self, client_msg_id, seq):
        self.flying.discard(client_msg_id)
        if client_msg_id not in self.acks:
            self.acks[client_msg_id] = seq
            say("ack", seq=seq)
        return self.pending.pop(client_msg_id, None)

    def show(self, entries):
        for entry in entries:
            if entry.get("clientMsgId") in self.pending:  # stored, but its ack was lost
                self.acked(entry["clientMsgId"], int(entry["seq"]))
            say("entry", seq=int(entry["seq"]), kind=entry["actor"]["kind"], content=entry.get("content"))
        if any(entry["actor"]["kind"] != "ACTOR_KIND_VISITOR" for entry in entries):
            self.send_frame(cursor={"deliveredSeq": str(self.timeline.held), "readSeq": str(self.timeline.held)})
        if self.timeline.early:
            self.sync()

    def say(self, text):
        """Queues a message. Its id rises: 6 bytes of UTC milliseconds, 4 of a counter, 6 random."""
        self.id_ms, self.id_counter = max(self.id_ms, int(time.time() * 1000)), self.id_counter + 1
        raw = self.id_ms.to_bytes(6, "big") + self.id_counter.to_bytes(4, "big") + os.urandom(6)
        self.pending[base64.b64encode(raw).decode()] = text

    def sync(self):
        self.ref, self.asked, self.synced = self.ref + 1, time.monotonic(), False
        self.send_frame(ref=self.ref, sync={"held": [{"position": self.timeline.position()}]})

    def step(self):
        """Sends what may be sent and takes in one frame."""
        now = time.monotonic()
        for client_msg_id, text in self.pending.items():
            if len(self.flying) >= self.window or now < self.not_before:
                break
            if client_msg_id not in self.flying:
                self.flying.add(client_msg_id)
                self.ref += 1
                content = {"text": {"body": text}}
                self.send_frame(ref=self.ref, send={"clientMsgId": client_msg_id, "content": content})
        frame = self.receive(0.05)
        if frame:
            self.handle(frame)
        elif now - self.heard > self.ping_s + 10:
            raise Lost(1006)
        if now - self.asked > SYNC_EVERY_S:
            self.sync()

    def run(self, finished):
        """Serves the connection until `finished()`; reconnects as the close codes say."""
        attempt = 0
        while True:
            try:
                who = {"resumeToken": self.resume_token} if self.resume_token else {"ticket": self.ticket()}
                with losing(), self.dial() as self.socket:
                    self.hello(who)
                    attempt = 0
                    while not finished():
                        self.step()
                    return
            except Lost as lost:
                code = lost.args[0]
                say("lost", code=code)
                if code >= 3500 or code in (1002, 1003, 1007, 1009, 1010):
                    raise Stop(f"closed with {code}") from lost
                if code >= 3400:
                    self.resume_token = None  # the server knows it no more: get a ticket
                wait = random.uniform(0, min(30, 0.5 * 2**attempt))
                time.sleep(max(wait, self.not_before - time.monotonic()))
                attempt += 1


def scripted(visitor, count, label):
    for number in range(count):
        visitor.say(f"{label}-{number}")

    def finished():
        if not visitor.pending and visitor.synced is None and time.monotonic() >= visitor.not_before:
            visitor.sync()  # one position check, so that everything there is has arrived
        return not visitor.pending and visitor.synced

    visitor.run(finished)
    visitor.load_older()
    entries = [{"seq": seq, "kind": entry["actor"]["kind"],
                "text": entry.get("content", {}).get("text", {}).get("body")}
               for seq, entry in sorted(visitor.timeline.entries.items())]
    say("done", conversation=visitor.conversation, token=visitor.token, held=visitor.timeline.held,
        acks=sorted(visitor.acks.values()), entries=entries)


def interactive(visitor):
    typed = queue.Queue()
    threading.Thread(target=lambda: [typed.put(line.strip()) for line in sys.stdin], daemon=True).start()
    # Never finished: `say` returns None.
    visitor.run(lambda: visitor.say(typed.get()) if not typed.empty() else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server")
    parser.add_argument("inbox_key")
    parser.add_argument("--token", help="the visitor_token of an earlier run")
    parser.add_argument("--send", type=int, help="send so many messages, then leave")
    parser.add_argument("--label", default="message", help="begins the text of each")
    parser.add_argument("--window", type=int, default=1, help="messages that may wait for their ack")
    options = parser.parse_args()
    visitor = Visitor(options.server, options.inbox_key, options.token, options.window)
    try:
        interactive(visitor) if options.send is None else scripted(visitor, options.send, options.label)
    except Stop as stop:
        sys.exit(f"stopped: {stop}")


if __name__ == "__main__":
    main()
