// What a visitor sees and does: the widget on the demo's page, or the chat as a page of its own.

export class Visitor {
  constructor(page, chat) {
    this.page = page;
    /** The chat's frame or page. */
    this.chat = chat;
    this.input = chat.locator(".composer textarea");
  }

  /** On the shop's page, with the window open. */
  static async atShop(page, url) {
    await page.goto(new URL("demo", url).href);
    const visitor = new Visitor(page, page.frameLocator('#frontdesk-frame'));
    await visitor.launcher().click();
    await visitor.input.waitFor();
    return visitor;
  }

  /** At /c/{inbox_key}. */
  static async alone(page, url, inboxKey) {
    await page.goto(new URL(`c/${inboxKey}`, url).href);
    const visitor = new Visitor(page, page);
    await visitor.input.waitFor();
    return visitor;
  }

  launcher() {
    return this.page.locator("#frontdesk-launcher button");
  }

  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** By its own words: the time stands right behind them, and "line 2" at 3:13 reads as "line 23:13". */
  message(text) {
    return this.chat.locator(".message", { has: this.page.locator(".bubble", { hasText: text }) });
  }

  /** An own message whose state is shown; only the last of a group shows one. */
  marked(text, state) {
    return this.message(text).and(this.chat.locator(".message-own")).locator(`.mark-${state}`);
  }

  /** What stands in the window, in its order, without system lines. */
  async texts() {
    return this.chat.locator(".message .bubble").evaluateAll((bubbles) =>
      bubbles.map((bubble) => [...bubble.childNodes].filter((node) => !(node.classList?.contains("visually-hidden"))).map((node) => node.textContent).join("")),
    );
  }

  /** Waits until nothing is on its way any more. */
  async allSent() {
    await this.chat.locator(".mark-sending").first().waitFor({ state: "detached" });
  }
}
