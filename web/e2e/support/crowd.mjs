// Visitors without windows: they speak the protocol from one page, each over a socket of their own.
// For tests that need many conversations, or a visitor who writes while nobody looks.

export class Crowd {
  constructor(page, inboxKey) {
    this.page = page;
    this.inboxKey = inboxKey;
  }

  static async gather(person, url, inboxKey) {
    const page = await person.page();
    // A page of the server's own origin that may talk to it; its chat stays shut.
    await page.goto(new URL("demo", url).href);
    await page.evaluate(() => {
      window.crowd = [];
    });
    return new Crowd(page, inboxKey);
  }

  /** Lets somebody new say something; returns who it was. */
  async join(text, { language = "en", page = "https://shop.example/tea" } = {}) {
    const visitor = await this.page.evaluate(
      async ([inbox_key, languageOf, pageOf]) => {
        const answer = await fetch("/api/v1/tickets", {
          method: "POST",
          headers: { "content-type": "application/json", "x-frontdesk": "1" },
          body: JSON.stringify({ kind: "visitor", inbox_key, language: languageOf, page: pageOf }),
        });
        const ticket = await answer.json();
        if (!answer.ok) throw new Error(`ticket: ${JSON.stringify(ticket)}`);
        const socket = new WebSocket(`ws://${location.host}/ws/v1`, "frontdesk.v1.json");
        const one = { socket, conversation: ticket.conversation_id, ref: 1, waiting: new Map() };
        const welcome = new Promise((resolve, reject) => {
          socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
          socket.onmessage = (event) => {
            const frame = JSON.parse(event.data);
            if (frame.welcome) resolve();
            if (frame.ping) socket.send('{"pong":{}}');
            if (frame.ack) one.waiting.get(frame.ref)?.();
          };
        });
        socket.onopen = () => socket.send(JSON.stringify({ ref: 1, hello: { ticket: ticket.ticket, client: "frontdesk-e2e/1", language: languageOf } }));
        await welcome;
        return window.crowd.push(one) - 1;
      },
      [this.inboxKey, language, page],
    );
    await this.say(visitor, text);
    return visitor;
  }

  /** Lets many say one thing each, with tickets they bring, and leave again; returns their conversations. */
  async arrive(many) {
    return this.page.evaluate(async (guests) => {
      const rest = [...guests].reverse();
      const visit = ({ ticket, client, text }) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`ws://${location.host}/ws/v1`, "frontdesk.v1.json");
          socket.onclose = (event) => reject(new Error(`closed with ${event.code}: ${text}`));
          socket.onopen = () => socket.send(JSON.stringify({ ref: 1, hello: { ticket, client } }));
          socket.onmessage = (event) => {
            const frame = JSON.parse(event.data);
            if (frame.refusal) reject(new Error(`${frame.refusal.code}: ${text}`));
            if (frame.welcome) {
              const bytes = crypto.getRandomValues(new Uint8Array(16));
              socket.send(JSON.stringify({ ref: 2, send: { clientMsgId: btoa(String.fromCharCode(...bytes)), content: { text: { body: text } } } }));
            }
            if (!frame.ack) return;
            socket.onclose = null;
            socket.close();
            resolve();
          };
        });
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let guest = rest.pop(); guest !== undefined; guest = rest.pop()) await visit(guest);
        }),
      );
      return guests.map((guest) => guest.conversation);
    }, many);
  }

  /** Done once the server has acked it. */
  async say(visitor, text) {
    await this.page.evaluate(
      ([at, body]) => {
        const one = window.crowd[at];
        const bytes = crypto.getRandomValues(new Uint8Array(16));
        const ref = ++one.ref;
        const acked = new Promise((resolve) => one.waiting.set(ref, resolve));
        one.socket.send(JSON.stringify({ ref, send: { clientMsgId: btoa(String.fromCharCode(...bytes)), content: { text: { body } } } }));
        return acked;
      },
      [visitor, text],
    );
  }

  async type(visitor, text) {
    await this.page.evaluate(([at, body]) => window.crowd[at].socket.send(JSON.stringify({ draft: { typing: true, text: body } })), [visitor, text]);
  }

  async leave(visitor) {
    await this.page.evaluate((at) => window.crowd[at].socket.close(), visitor);
  }

  conversation(visitor) {
    return this.page.evaluate((at) => window.crowd[at].conversation, visitor);
  }
}
