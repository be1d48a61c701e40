// Shows the built console in a real Chromium against canned answers: the files of dist/ from a small
// server that sends the product's own content policy, HTTP and the socket answered by routes in the
// browser. Nothing here ships.
//
//   node dev/harness.mjs OUT_DIR [NAME ...]
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { readFileSync, existsSync, mkdirSync } from "node:fs";
import { extname, join } from "node:path";
import { createRequire } from "node:module";
import { URL, fileURLToPath } from "node:url";
import { answer, id, longItems, opened, openedFor, self } from "./fixtures.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "../dist");
const { chromium } = createRequire(join(process.env.PLAYWRIGHT_FROM ?? here, "x.js"))("playwright-core");

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; media-src 'self' blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export async function serve() {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://x").pathname.replace(/^\/chat/, "");
    const file = join(dist, path === "/" ? "index.html" : path);
    if (!file.startsWith(dist) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", "content-security-policy": policy });
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/chat/`, close: () => server.close() };
}

const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="720"><defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="#cfdccf"/><stop offset="1" stop-color="#8fa89a"/></linearGradient></defs><rect width="960" height="720" fill="url(#g)"/><ellipse cx="480" cy="560" rx="260" ry="30" fill="#6f887c"/><path d="M300 380c0 130 60 180 180 180s180-50 180-180z" fill="#3f5a4d"/><path d="M660 420c70-10 110 10 120 70-40-20-70-20-120 0zM300 400c-80-30-110 40-60 90 20 20 50 20 80 10" fill="none" stroke="#3f5a4d" stroke-width="26"/><ellipse cx="480" cy="380" rx="180" ry="34" fill="#557264"/><circle cx="480" cy="335" r="22" fill="#3f5a4d"/></svg>`;

export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: options.viewport ?? { width: 1440, height: 900 }, colorScheme: options.dark ? "dark" : "light", locale: options.locale ?? "zh-CN", deviceScaleFactor: options.scale ?? 1 });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  await page.route(/\/api\/v1\//, (route) => {
    const request = route.request();
    const path = request.url().slice(url.length);
    if (options.signedOut && !/^api\/v1\/(setup|invitations)/.test(path)) return route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ code: "auth.required" }) });
    if (path.startsWith("api/v1/files/")) return route.fulfill({ contentType: "image/svg+xml", body: picture });
    if (options.long && /entries\?/.test(path)) {
      const before = Number(new URL(request.url()).searchParams.get("before"));
      return route.fulfill({ json: { items: longItems(Math.max(1, before - 50), before - 1), more_before: before > 51 } });
    }
    const rowsAsked = options.rows !== undefined && path.includes("view=open");
    const asked = options.answers?.[`${request.method()} ${path}`];
    if (asked !== undefined) return typeof asked === "number" ? route.fulfill({ status: asked, json: { code: "storage.unavailable" } }) : route.fulfill({ json: asked });
    const body = rowsAsked ? { rows: options.rows, counts: { mine: 0, queue: 0, open: 0, closed: 0 } } : answer(request.method(), path);
    return body === undefined ? route.fulfill({ status: 404, json: { code: "not_found" } }) : route.fulfill({ json: body });
  });
  let socket;
  await page.routeWebSocket(/\/ws\/v1/, (ws) => {
    socket = { ws, send: (frame) => ws.send(options.encode(frame)) };
    ws.onMessage((data) => {
      const frame = options.decode(data);
      const ref = frame.ref;
      const long = { ...opened, items: longItems(9951, 10_000), position: { epoch: "7", seq: "10000" }, moreBefore: true, cursors: [] };
      const openedOf = (conversation) => (options.long ? long : openedFor(conversation));
      if (frame.hello) {
        socket.send({ ref, welcome: { self, resumeToken: "r", epoch: "7", serverTimeMs: String(Date.now()), feed: { epoch: "7", number: "1" }, opened: (frame.hello.held ?? []).map((held) => openedOf(held.conversation)), feedRecovered: false, presence: "PRESENCE_ONLINE", limits: { textBytesMax: 65536, fileBytesMax: "20971520", inFlightMax: 64, pingIntervalMs: 25000 } } });
      } else if (frame.open) {
        socket.send({ ref, opened: openedOf(frame.open.conversation) });
      } else if (frame.send) {
        options.sent?.(frame.send, socket);
      } else if (ref) {
        socket.send({ ref, done: {} });
      }
    });
  });
  await page.goto(url + (options.hash ?? ""));
  return { page, problems, socket: () => socket, close: () => context.close() };
}

/** The binary subprotocol, straight from the generated code. */
export async function codec() {
  const { createServer: vite } = await import("vite");
  const server = await vite({ root: join(here, ".."), configFile: false, logLevel: "error", server: { middlewareMode: true }, appType: "custom" });
  const gen = await server.ssrLoadModule(join(here, "../../../packages/protocol/src/gen/wire/v1/frame_pb.ts"));
  const { fromBinary, fromJson, toBinary, toJson } = await server.ssrLoadModule("@bufbuild/protobuf");
  return {
    encode: (frame) => Buffer.from(toBinary(gen.ServerFrameSchema, fromJson(gen.ServerFrameSchema, frame))),
    decode: (data) => toJson(gen.ClientFrameSchema, fromBinary(gen.ClientFrameSchema, new Uint8Array(data))),
    close: () => server.close(),
  };
}

const trial = (text) => async (page) => {
  await page.getByTestId("try-text").fill(text);
  await page.getByTestId("try-text").press("Control+Enter");
  await page.getByTestId("try-intent").or(page.getByRole("alert")).first().waitFor();
};
const nothingSeen = Array.from({ length: 20 }, () => 0);
const bare = { thresholds: { complaint: 0.78, consult: 0.65, sales: 0.82 }, seen: { complaint: nothingSeen, consult: nothingSeen, sales: nothingSeen, other: nothingSeen }, decided: { rule: 0, cache: 0, model: 0, none: 0 }, has_model: false, is_open: false, targets: [], rules: [], own: { threshold: {}, intents: {}, rules: [], inboxes: {} }, revision: 0 };
bare.inherited = { thresholds: bare.thresholds, targets: [], rules: [] };
const noOpinion = (more) => ({ "POST api/v1/intents/try": { tried: { intent: null, step: "none", confidence: 0, words: null, scores: null, trouble: null, took_us: 320, target: null, ...more } } });
const intents = "#/settings/intents";
const tall = { width: 1280, height: 2400 };
const press = (...names) => async (page) => { for (const name of names) await page.getByTestId(name).first().click(); };
const noCorrections = { "GET api/v1/intents/sessions?days=30&corrected=true": { sessions: [] } };

const first = `#/inbox/mine/${id(1)}`;
const fill = (testid, words) => (page) => page.getByTestId(testid).fill(words);
const steps = (...acts) => async (page) => { for (const act of acts) await act(page); };
const served = `#/inbox/mine/${id(8)}`;

/** What the bot brought, each view at every width, in both languages and themes. */
function views() {
  const pages = {
    knowledge: { hash: "#/knowledge", act: steps(fill("question", "how long until my parcel is here?"), press("question-try")) },
    article: { hash: "#/knowledge/a0000000000000000001" },
    "article-preview": { hash: "#/knowledge/a0000000000000000001", act: press("body-preview") },
    "article-new": { hash: "#/knowledge/new", act: steps(fill("article-title", "Do you ship to Italy?")) },
    "article-import": { hash: "#/knowledge", act: steps(press("import-articles"), (page) => page.getByTestId("import-files").setInputFiles([{ name: "faq.csv", mimeType: "text/csv", buffer: Buffer.from("a,b,c") }]), press("import-submit")) },
    "article-crawl": { hash: "#/knowledge", act: press("crawl-articles") },
    bot: { hash: "#/settings/bot", act: steps(fill("talk-input", "hi"), press("talk-send")) },
    "bot-figures": { hash: "#/settings/bot/figures", act: press("figure-handed_over") },
    flows: { hash: "#/settings/flows" },
    flow: { hash: "#/settings/flows/opening", act: (page) => page.getByTestId("flow-problem").first().waitFor() },
    "flow-versions": { hash: "#/settings/flows/opening/versions", act: (page) => page.getByRole("button", { name: /What changed|查看改动/ }).first().click() },
    "flow-machine": { hash: "#/settings/flows/night-shift/machine", answers: { "POST api/v1/bot/flows/check": { ok: true, problems: [] } }, act: steps((page) => page.waitForTimeout(600), press("machine-run")) },
    llm: { hash: "#/settings/llm", act: press("llm-test-run") },
    "llm-host": { hash: "#/settings/llm", act: press("preset-OpenAI") },
    words: { hash: "#/settings/words", act: steps(fill("words-text", "My card is 4111 1111 1111 1111, Teapot Ltd took it"), press("words-try")) },
    "word-rule": { hash: "#/settings/words", act: press("add-word-rule") },
    served: { hash: served, act: steps((page) => page.getByTestId("why").last().getByRole("button").click()) },
  };
  const looks = { en: { locale: "en" }, "zh-dark": { dark: true }, "en-1024": { locale: "en", dark: true, viewport: { width: 1024, height: 768 } }, "zh-390": { viewport: { width: 390, height: 844 } }, "en-dark-390": { locale: "en", dark: true, viewport: { width: 390, height: 844 } } };
  return Object.fromEntries(Object.entries(pages).flatMap(([name, page]) => Object.entries(looks).map(([look, options]) => [`${name}-${look}`, { ...page, ...options, whole: true }])));
}
export const shots = {
  inbox: { hash: first },
  "inbox-dark": { hash: first, dark: true },
  "inbox-en": { hash: first, locale: "en" },
  "inbox-1024": { hash: first, viewport: { width: 1024, height: 768 } },
  "list-390": { hash: "#/inbox/mine", viewport: { width: 390, height: 844 } },
  "chat-390": { hash: first, viewport: { width: 390, height: 844 } },
  queue: { hash: `#/inbox/queue/${id(3)}`, locale: "en" },
  empty: { hash: "#/inbox/team", rows: [], locale: "en" },
  waiting: { hash: "#/waiting", locale: "en" },
  "sign-in": { hash: "#/sign-in", signedOut: true, locale: "en" },
  "sign-in-390": { hash: "#/sign-in", signedOut: true, viewport: { width: 390, height: 844 } },
  "set-up": { hash: "#/setup?token=abc", signedOut: true, locale: "en" },
  long: { hash: first, long: true, locale: "en" },
  ...Object.fromEntries(["profile", "people", "teams", "inboxes", "replies", "keys", "limits"].map((name) => [`settings-${name}`, { hash: `#/settings/${name}`, locale: name === "teams" || name === "keys" ? "zh-CN" : "en", ...(name === "limits" ? { dark: true } : {}) }])),
  intents: { hash: intents, locale: "en", viewport: tall, act: async (page) => { await trial("My parcel came broken and nobody answers!")(page); await page.getByTestId("threshold-slider").first().focus(); for (let at = 0; at < 8; at++) await page.keyboard.press("ArrowLeft"); } },
  "intents-zh": { hash: intents, viewport: tall, act: trial("包裹摔坏了，一直没人理我！") },
  "intents-dark": { hash: intents, locale: "en", dark: true, viewport: tall, act: async (page) => { await page.getByTestId("threshold-slider").nth(1).focus(); await page.keyboard.press("PageUp"); } },
  "intents-390": { hash: intents, locale: "en", viewport: { width: 390, height: 4200 }, act: trial("My parcel came broken and nobody answers!") },
  "intents-390-zh-dark": { hash: intents, dark: true, viewport: { width: 390, height: 4200 }, answers: noOpinion({ confidence: 0.51, scores: { complaint: 0.51, consult: 0.4, sales: 0.05, other: 0.04 } }), act: trial("有点慢") },
  "intents-bare": { hash: intents, locale: "en", viewport: tall, answers: { "GET api/v1/intents": { intents: bare }, ...noCorrections, ...noOpinion({ trouble: "missing" }) }, act: trial("Hello") },
  "intents-open": { hash: intents, viewport: tall, answers: { "GET api/v1/intents": { intents: { ...bare, has_model: true, is_open: true } }, ...noOpinion({ trouble: "late" }) }, act: trial("你好") },
  "intents-off": { hash: intents, locale: "en", answers: { "GET api/v1/intents": { intents: null } } },
  "intents-target": { hash: intents, locale: "en", act: press("edit-target") },
  "intents-target-new": { hash: intents, act: async (page) => { await press("add-target")(page); await page.getByTestId("intent-choice").selectOption({ index: 3 }); } },
  "intents-target-reset": { hash: intents, locale: "en", act: press("reset-target") },
  "intents-rule": { hash: intents, locale: "en", act: press("edit-rule") },
  "intents-rule-390": { hash: intents, viewport: { width: 390, height: 844 }, act: press("add-rule") },
  "intents-changed": { hash: intents, locale: "en", viewport: tall, answers: { "PUT api/v1/intents": 412 }, act: async (page) => { await page.getByTestId("threshold-slider").first().focus(); await page.keyboard.press("ArrowLeft"); await page.getByTestId("threshold-save").click(); } },
  "intents-corrections-failed": { hash: intents, locale: "en", viewport: tall, answers: { "GET api/v1/intents/sessions?days=30&corrected=true": 503 } },
  "person-skills": { hash: "#/settings/people", locale: "en", act: async (page) => { await page.getByTestId("person-menu").nth(1).click(); await page.getByTestId("person-edit").click(); } },
  "intents-failed": { hash: intents, locale: "en", answers: { "GET api/v1/intents": 503 } },
  "intents-try-failed": { hash: intents, locale: "en", answers: { "POST api/v1/intents/try": 503 }, act: trial("Hello") },
  "intent-menu": { hash: `#/inbox/mine/${id(2)}`, locale: "en", act: (page) => page.getByTestId("intent-button").click() },
  "intent-why": { hash: first, locale: "en", act: async (page) => { await page.getByTestId("intent-why").scrollIntoViewIfNeeded(); await page.getByTestId("intent-button").focus(); } },
  "intent-why-390": { hash: `#/inbox/queue/${id(4)}`, dark: true, viewport: { width: 390, height: 844 }, act: async (page) => { await page.getByTestId("details-button").click(); await page.getByTestId("intent-why").scrollIntoViewIfNeeded(); await page.waitForTimeout(200); await page.getByTestId("intent-button").click(); } },
  "intent-queue": { hash: `#/inbox/queue/${id(5)}`, dark: true },
  ...views(),
  rights: { hash: "#/settings/rights", locale: "en" },
  role: { hash: "#/settings/rights/r2", locale: "en" },
  "role-390": { hash: "#/settings/rights/r2", viewport: { width: 390, height: 844 } },
  ...Object.fromEntries(["install", "basics", "texts", "hours", "look", "identity", "limits"].flatMap((part) => [
    [`inbox-${part}`, { hash: `#/settings/inboxes/i0000000000000000001/${part}`, locale: "en" }],
    [`inbox-${part}-dark-1024`, { hash: `#/settings/inboxes/i0000000000000000001/${part}`, dark: true, viewport: { width: 1024, height: 768 } }],
    [`inbox-${part}-390`, { hash: `#/settings/inboxes/i0000000000000000001/${part}`, locale: "en", viewport: { width: 390, height: 844 } }],
  ])),
  "people-390": { hash: "#/settings/people", locale: "en", viewport: { width: 390, height: 844 } },
  "people-menu": { hash: "#/settings/people", dark: true, act: async (page) => { await page.getByTestId("person-menu").nth(1).click(); } },
  invite: { hash: "#/settings/people", locale: "en", act: (page) => page.getByTestId("invite-person").click() },
  "invite-page": { hash: "#/invite/abc", signedOut: true, locale: "en" },
  "key-rights": { hash: "#/settings/keys", locale: "en", act: (page) => page.getByTestId("add-key").click() },
  "unsaved": { hash: "#/settings/profile", locale: "en", act: async (page) => { await page.getByTestId("profile-name").fill("Lin Xiao"); await page.evaluate(() => (globalThis.location.hash = "#/waiting")); } },
  ...Object.fromEntries(["snippet", "test", "invite"].map((step) => [`welcome-${step}`, { hash: `#/welcome/${step}`, locale: "en" }])),
  "welcome-test-390": { hash: "#/welcome/test", viewport: { width: 390, height: 844 } },
  "set-up-390": { hash: "#/setup?token=abc", signedOut: true, viewport: { width: 390, height: 844 } },
  "settings-390": { hash: "#/settings", viewport: { width: 390, height: 844 } },
  transfer: { hash: first, act: (page) => page.getByTestId("transfer-button").click() },
  note: { hash: first, act: async (page) => { await page.getByTestId("mode-note").click(); await page.getByTestId("composer-input").fill("老客户，优先处理"); } },
  replies: { hash: first, act: async (page) => { await page.getByTestId("composer-input").fill("/f"); } },
  mention: { hash: first, act: async (page) => { await page.getByTestId("mode-note").click(); await page.getByTestId("composer-input").pressSequentially("@m"); } },
  emoji: { hash: first, act: async (page) => { await page.getByTestId("composer-input").pressSequentially("好的 :kai"); } },
  "emoji-panel": { hash: first, locale: "en", dark: true, act: async (page) => { await page.getByTestId("composer-emoji").click(); await page.getByTestId("emoji-panel").waitFor(); } },
  quote: { hash: first, locale: "en", act: async (page) => { await page.getByTestId("quote-button").nth(3).click(); await page.getByTestId("mode-note").click(); } },
  retract: { hash: first, act: async (page) => { await page.getByTestId("retract-button").first().click(); } },
  contact: { hash: first, locale: "en", act: (page) => page.getByTestId("contact-phone").click() },
  "details-390": { hash: first, locale: "en", viewport: { width: 390, height: 844 }, act: (page) => page.getByTestId("details-button").click() },
  "emoji-390": { hash: first, viewport: { width: 390, height: 844 }, act: async (page) => { await page.getByTestId("composer-emoji").click(); await page.getByTestId("emoji-panel").waitFor(); } },
  own: { hash: first, locale: "en", act: (page) => page.getByTestId("presence-switch").click() },
  offline: { hash: first, act: async (page, view) => { await page.getByTestId("timeline").waitFor(); await page.routeWebSocket(/\/ws\/v1/, (ws) => ws.close({ code: 1006 })).catch(() => undefined); view.socket().ws.close({ code: 3000, reason: "" }); await page.getByTestId("composer-input").fill("我马上查一下"); await page.keyboard.press("Enter"); } },
  details: { hash: first, viewport: { width: 1024, height: 768 }, act: (page) => page.getByTestId("details-button").click() },
  palette: { hash: first, act: async (page) => { await page.getByTestId("timeline").waitFor(); await page.keyboard.press("Control+k"); await page.getByTestId("palette-input").fill("设"); } },
  shortcuts: { hash: first, locale: "en", act: async (page) => { await page.getByTestId("composer-input").blur(); await page.keyboard.press("?"); } },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [out = "shots", ...names] = process.argv.slice(2);
  mkdirSync(out, { recursive: true });
  const server = await serve();
  const wire = await codec();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  for (const [name, options] of Object.entries(shots)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const view = await open(browser, server.url, { ...wire, ...options });
    await view.page.waitForLoadState("networkidle");
    await view.page.waitForTimeout(350);
    await options.act?.(view.page, view);
    await view.page.waitForTimeout(300);
    if (options.whole) {
      // As tall as what the page has to show.
      const taller = await view.page.evaluate(() => Math.max(0, ...[...globalThis.document.querySelectorAll(".page")].map((one) => one.scrollHeight - one.clientHeight)));
      if (taller > 0) await view.page.setViewportSize({ width: view.page.viewportSize().width, height: Math.min(6_000, view.page.viewportSize().height + taller) });
      await view.page.waitForTimeout(150);
    }
    await view.page.screenshot({ path: join(out, `${name}.png`) });
    if (view.problems.length > 0) console.error(name, view.problems.slice(0, 3));
    await view.close();
  }
  await browser.close();
  await wire.close();
  server.close();
}
