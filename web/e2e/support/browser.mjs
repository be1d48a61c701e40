// A real Chromium, and people in it: each with a profile of their own, watched for anything a page
// complains about. A complaint nobody expected fails the test.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** For everything a page does by itself: generous, since the machine does other things too. */
const WAIT_MS = 15_000;

/** Asked before anybody signed in; the browser writes every 401 to the console. */
const BEFORE_SIGN_IN = /status of 401.*\/api\/v1\/me$/;
/** A demo without visitors of its own has nothing to pause. */
const NO_DEMO_VISITORS = /status of 404.*\/api\/v1\/demo$/;
/** What a browser says while a server is away. */
export const SERVER_AWAY = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|WebSocket connection to .* failed/;

/** `flags`: more of them, for what a test measures. */
export async function launch(...flags) {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags] });
}

/** One browser profile. `page()` opens a tab in it. */
export class Person {
  constructor(context) {
    this.context = context;
    this.complaints = [];
    this.expected = [BEFORE_SIGN_IN, NO_DEMO_VISITORS];
  }

  static async arrive(browser, { locale = "en", ...options } = {}) {
    const context = await browser.newContext({ locale, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(WAIT_MS);
    const person = new Person(context);
    // Violations that only report show here and not in the console.
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
      });
    });
    return person;
  }

  async page() {
    const page = await this.context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
    return page;
  }

  expect(pattern) {
    this.expected.push(pattern);
    return this;
  }

  /** Closes the profile; says what its pages complained about. */
  async leave() {
    await this.context.close();
    const complaints = this.complaints.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(complaints, [], "no page complains");
  }
}

/** Ends everything a test began, in this order, even where one of them complains. */
export async function end(...begun) {
  const failures = [];
  for (const one of begun.flat()) {
    try {
      await (one?.leave ?? one?.stop ?? one?.close)?.call(one);
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.join("\n"));
}

/** Composes `text` with an input method, as on a Chinese keyboard, and leaves it composing. */
export async function compose(page, text) {
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 };
  return {
    /** Enter goes to the input method: the page hears of the key, and no character comes of it. */
    enter: async () => {
      await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...enter });
      await session.send("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
    },
    commit: (chosen) => session.send("Input.insertText", { text: chosen }),
  };
}

/** Drags files over the middle of an element, as a hand from a folder's window; the rest is `drop`. */
export async function drag(page, element, files) {
  const session = await page.context().newCDPSession(page);
  const box = await element.boundingBox();
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2, data: { items: [], files, dragOperationsMask: 1 } };
  for (const type of ["dragEnter", "dragOver"]) await session.send("Input.dispatchDragEvent", { type, ...place });
  return { drop: () => session.send("Input.dispatchDragEvent", { type: "drop", ...place }) };
}

/** Holds a page's script at its next step: whatever the network brings is not taken in until `goOn`. */
export async function hold(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  return {
    goOn: async () => {
      await session.send("Debugger.disable");
      await session.detach();
    },
  };
}
