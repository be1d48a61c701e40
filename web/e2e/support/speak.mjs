// Says in a conversation what no composer writes: buttons, forms, an answer that grows. Speaks the protocol
// from a page of the server's own origin.

/** `bot`: the key of a bot; without one, as whoever is signed in on the page. */
export class Speaker {
  constructor(page, conversation) {
    this.page = page;
    this.conversation = conversation;
  }

  static async begin(page, conversation, { bot = "" } = {}) {
    await page.evaluate(async (key) => {
      const answer = await fetch("/api/v1/tickets", {
        method: "POST",
        headers: { "content-type": "application/json", "x-frontdesk": "1", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
        ...(key === "" ? {} : { credentials: "omit" }),
        body: JSON.stringify({ kind: "agent" }),
      });
      const ticket = await answer.json();
      if (!answer.ok) throw new Error(`ticket: ${JSON.stringify(ticket)}`);
      const socket = new WebSocket(`ws://${location.host}/ws/v1`, "frontdesk.v1.json");
      const speaker = { socket, ref: 1, waiting: new Map() };
      window.speaker?.socket.close();
      window.speaker = speaker;
      await new Promise((resolve, reject) => {
        socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
        socket.onopen = () => socket.send(JSON.stringify({ ref: 1, hello: { ticket: ticket.ticket, client: "frontdesk-e2e/1" } }));
        socket.onmessage = (event) => {
          const frame = JSON.parse(event.data);
          if (frame.welcome) resolve();
          if (frame.ping) socket.send('{"pong":{}}');
          if (frame.ack || frame.refusal) speaker.waiting.get(frame.ref)?.(frame);
        };
      });
    }, bot);
    return new Speaker(page, conversation);
  }

  /** Done once the server has acked it; returns its seq. */
  async say(content) {
    const frame = await this.page.evaluate(
      ([conversation, said]) => {
        const { speaker } = window;
        const bytes = crypto.getRandomValues(new Uint8Array(16));
        const ref = ++speaker.ref;
        const answered = new Promise((resolve) => speaker.waiting.set(ref, resolve));
        speaker.socket.send(JSON.stringify({ ref, send: { conversation, clientMsgId: btoa(String.fromCharCode(...bytes)), content: said } }));
        return answered;
      },
      [this.conversation, content],
    );
    if (frame.refusal) throw new Error(`refused: ${JSON.stringify(frame.refusal)}`);
    return Number(frame.ack.position.seq);
  }

  /** An answer that grows; empty with `typing` false where it ends without one. */
  async draft(text, typing = true) {
    await this.page.evaluate(([conversation, draft]) => window.speaker.socket.send(JSON.stringify({ draft: { conversation, ...draft } })), [this.conversation, { typing, text }]);
  }

  async leave() {
    await this.page.evaluate(() => {
      window.speaker.socket.onclose = null;
      window.speaker.socket.close();
    });
  }
}
