// What an agent sees and does in the console.

export class Agent {
  constructor(page) {
    this.page = page;
    this.input = page.getByTestId("composer-input");
  }

  /** Signs in to the demo by its button and comes out at the list. */
  static async enter(page, url, role = "agent") {
    await page.goto(url);
    await page.getByTestId(`continue-as-${role}`).click();
    const agent = new Agent(page);
    await agent.rail().waitFor();
    return agent;
  }

  rail() {
    return this.page.getByTestId("presence-switch");
  }

  /** Chooses a state and waits until the server has taken it. */
  async setPresence(presence) {
    await this.rail().click();
    await this.page.getByTestId(`presence-${presence}`).click();
    await this.page.locator(`[data-testid="presence-switch"][data-presence="${presence}"]`).waitFor();
  }

  row(text) {
    return this.page.getByTestId("conversation-row").filter({ hasText: text });
  }

  async view(name) {
    await this.page.getByTestId(`view-${name}`).click();
    await this.page.locator(`[data-testid="view-${name}"][aria-current="page"]`).waitFor();
  }

  async open(text) {
    await this.row(text).click();
    await this.page.getByTestId("timeline").waitFor();
  }

  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** By its own words, without the name and the time above them. */
  message(text) {
    return this.page.getByTestId("message").filter({ has: this.page.locator(".bubble", { hasText: text }) });
  }

  marked(text, state) {
    return this.message(text).locator(`[data-testid="delivery"][data-state="${state}"]`);
  }

  systemLine(text) {
    return this.page.getByTestId("system-line").filter({ hasText: text });
  }

  /** What stands in the timeline, in its order, without notes and system lines. */
  async texts() {
    return this.page.locator('[data-testid="message"][data-kind="message"] .words').allTextContents();
  }

  /** The conversation on the screen. */
  conversation() {
    return /#\/inbox\/\w+\/(\w+)/.exec(this.page.url())[1];
  }
}
