// The demo shop: a page of somebody who put Frontdesk on their site. The loader is in index.html, as
// on any site; calls made before it is there wait for it.
import "@frontdesk/ui/tokens.css";
import "./demo.css";
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES, Texts, pickLocale } from "@frontdesk/i18n";
import type { DemoKey } from "@frontdesk/i18n/catalogs/demo.en";
import { demoEn } from "@frontdesk/i18n/catalogs/demo.en";
import { demoZh } from "@frontdesk/i18n/catalogs/demo.zh-CN";
import { followTheme } from "@frontdesk/ui/theme";
import type { PictureName } from "./pictures";
import { picture } from "./pictures";

type FrontdeskCall = { (command: string, ...values: unknown[]): void; q?: unknown[][] };

const PRODUCTS: readonly { readonly picture: PictureName; readonly name: DemoKey; readonly text: DemoKey; readonly yuan: number; readonly dollars: number }[] = [
  { picture: "gaiwan", name: "demo.gaiwan", text: "demo.gaiwan_text", yuan: 268, dollars: 38 },
  { picture: "teapot", name: "demo.teapot", text: "demo.teapot_text", yuan: 420, dollars: 59 },
  { picture: "cups", name: "demo.cups", text: "demo.cups_text", yuan: 198, dollars: 28 },
  { picture: "tray", name: "demo.tray", text: "demo.tray_text", yuan: 328, dollars: 46 },
];

// The page's base names its own folder, one below the server's root.
const root = new URL("../", document.baseURI);
const texts = new Texts<DemoKey>(demoEn, { "zh-CN": () => Promise.resolve(demoZh) });
const t = (key: DemoKey, params: Readonly<Record<string, string | number>> = {}): string => texts.t(key, params);

const GLAZES: readonly { readonly id: string; readonly name: DemoKey }[] = [
  { id: "plum", name: "demo.glaze_plum" },
  { id: "powder", name: "demo.glaze_powder" },
  { id: "ash", name: "demo.glaze_ash" },
];
const REVIEWS: readonly { readonly words: DemoKey; readonly by: DemoKey; readonly stars: number }[] = [
  { words: "demo.review_1", by: "demo.review_1_by", stars: 5 },
  { words: "demo.review_2", by: "demo.review_2_by", stars: 5 },
  { words: "demo.review_3", by: "demo.review_3_by", stars: 4 },
];
const CARE: readonly { readonly title: DemoKey; readonly words: DemoKey }[] = [
  { title: "demo.care_wash", words: "demo.care_wash_text" },
  { title: "demo.care_ship", words: "demo.care_ship_text" },
  { title: "demo.care_back", words: "demo.care_back_text" },
];
/** A screen narrower than this has no room for two windows. */
const TWO_WINDOWS_PX = 1000;

/** What was chosen so far; switching the language keeps it. */
const chosen = { glaze: "plum", pieces: 0 };
/** Names the inbox of the shop; empty until it is known. */
let inbox = "";

function frontdesk(): FrontdeskCall {
  const page = window as unknown as { frontdesk?: FrontdeskCall };
  page.frontdesk ??= collect();
  return page.frontdesk;
}

/** What the snippet of a site does: keeps calls until the loader is there. */
function collect(): FrontdeskCall {
  const calls: unknown[][] = [];
  const call: FrontdeskCall = (...values) => void calls.push(values);
  call.q = calls;
  return call;
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

function askButton(className: string, words: string, label: string): HTMLButtonElement {
  const button = element("button", className, words);
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.onclick = () => frontdesk()("open");
  return button;
}

function link(className: string, href: string, words: string): HTMLAnchorElement {
  const made = element("a", className, words);
  made.href = href;
  return made;
}

function header(other: Locale): HTMLElement {
  const language = element("button", "language", LOCALE_NAMES[other]);
  language.type = "button";
  language.lang = other;
  language.onclick = () => void choose(other);
  const here = location.pathname;
  const nav = element(
    "nav",
    "",
    link("", `${here}#shop`, t("demo.nav_shop")),
    link("", `${here}#story`, t("demo.nav_story")),
    link("", `${here}#care`, t("demo.nav_care")),
    helpLink(),
  );
  return element("header", "", element("p", "brand", t("demo.name"), element("small", "", t("demo.tagline"))), nav, basket(), language);
}

/** To the help centre. It has its place from the start, and leads there once the inbox is known. */
function helpLink(): HTMLAnchorElement {
  const made = element("a", "help-link", t("demo.nav_help"));
  made.dataset["testid"] = "open-help";
  if (inbox === "") return made;
  const address = new URL(`help/${encodeURIComponent(inbox)}`, root);
  address.searchParams.set("lang", texts.locale.value);
  made.href = address.href;
  return made;
}

function basket(): HTMLElement {
  const made = element("p", "basket", t("demo.basket"), " ", element("b", "", String(chosen.pieces)));
  made.setAttribute("aria-label", t("demo.basket_label", { count: chosen.pieces }));
  made.setAttribute("role", "img");
  return made;
}

function consoleBar(): HTMLElement {
  const open = link("console-link", root.href, t("demo.console"));
  open.target = "_blank";
  open.dataset["testid"] = "open-console";
  // Where the browser refuses a window, the link opens a tab.
  open.onclick = (event) => {
    if (openBeside(open.href)) event.preventDefault();
  };
  return element("aside", "console-bar", element("span", "", t("demo.console_text")), open);
}

/** Opens the console in a window on the right half of the screen; says whether it did. */
function openBeside(url: string): boolean {
  const { availWidth, availHeight } = screen;
  if (availWidth < TWO_WINDOWS_PX) return false;
  const half = Math.floor(availWidth / 2);
  const opened = window.open(url, "frontdesk-console", `popup=yes,left=${availWidth - half},top=0,width=${half},height=${availHeight}`);
  opened?.focus();
  return opened !== null;
}

function hero(): HTMLElement {
  return element(
    "section",
    "hero",
    element("div", "hero-words", element("h1", "", t("demo.hero_title")), element("p", "", t("demo.hero_text")), askButton("primary", t("demo.hero_button"), t("demo.hero_button"))),
    picture("hero", t("demo.tagline")),
  );
}

function products(locale: Locale): HTMLElement {
  const cards = PRODUCTS.map((product) =>
    element(
      "li",
      "card",
      picture(product.picture, t(product.name)),
      element("h3", "", t(product.name)),
      element("p", "", t(product.text)),
      element(
        "p",
        "buy",
        element("b", "", money(locale, product)),
        askButton("quiet", t("demo.ask"), t("demo.ask_label", { product: t(product.name) })),
      ),
    ),
  );
  const section = element("section", "", element("h2", "", t("demo.products")), element("ul", "cards", ...cards));
  section.id = "shop";
  return section;
}

function money(locale: Locale, product: { readonly yuan: number; readonly dollars: number }): string {
  const chinese = locale === "zh-CN";
  const format = new Intl.NumberFormat(locale, { style: "currency", currency: chinese ? "CNY" : "USD", maximumFractionDigits: 0 });
  return format.format(chinese ? product.yuan : product.dollars);
}

/** The piece of the month: a glaze to choose and a basket to put it into. */
function piece(locale: Locale): HTMLElement {
  const art = element("div", "piece-picture", picture("gaiwan", t("demo.gaiwan")));
  art.dataset["glaze"] = chosen.glaze;
  const glazes = GLAZES.map(({ id, name }) => {
    const input = element("input", "");
    input.type = "radio";
    input.name = "glaze";
    input.value = id;
    input.checked = id === chosen.glaze;
    input.onchange = () => {
      chosen.glaze = id;
      art.dataset["glaze"] = id;
    };
    return element("label", `glaze-choice glaze-${id}`, input, element("span", "", t(name)));
  });
  const bought = element("p", "bought", "");
  bought.setAttribute("role", "status");
  const buy = element("button", "primary", t("demo.buy"));
  buy.type = "button";
  buy.onclick = () => {
    chosen.pieces += 1;
    document.querySelector(".basket")?.replaceWith(basket());
    bought.textContent = t("demo.bought");
  };
  const facts = (["demo.fact_size", "demo.fact_box", "demo.fact_stock"] as const).map((fact) => element("li", "", t(fact)));
  const words = element(
    "div",
    "piece-words",
    element("p", "over", t("demo.piece")),
    element("h2", "", t("demo.gaiwan")),
    element("p", "price", money(locale, { yuan: 268, dollars: 38 })),
    element("p", "", t("demo.piece_text")),
    element("fieldset", "glazes", element("legend", "", t("demo.glaze")), ...glazes),
    element("ul", "facts", ...facts),
    element("p", "piece-buttons", buy, askButton("quiet", t("demo.ask"), t("demo.ask_label", { product: t("demo.gaiwan") }))),
    bought,
  );
  return element("section", "piece", art, words);
}

function reviews(): HTMLElement {
  const cards = REVIEWS.map(({ words, by, stars }) => {
    const row = element("p", "stars", "★".repeat(stars) + "☆".repeat(5 - stars));
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", t("demo.stars", { count: stars }));
    return element("li", "card", row, element("blockquote", "", t(words)), element("p", "by", t(by)));
  });
  return element("section", "", element("h2", "", t("demo.reviews")), element("ul", "cards few", ...cards));
}

function care(): HTMLElement {
  const items = CARE.map(({ title, words }) => element("li", "", element("h3", "", t(title)), element("p", "", t(words))));
  const section = element("section", "care", element("h2", "", t("demo.care")), element("ul", "cards few", ...items));
  section.id = "care";
  return section;
}

function story(): HTMLElement {
  const section = element("section", "story", element("h2", "", t("demo.story_title")), element("p", "", t("demo.story_text")));
  section.id = "story";
  return section;
}

async function choose(locale: Locale): Promise<void> {
  await texts.use(locale);
  draw();
  frontdesk()("update", { language: locale });
}

function draw(): void {
  const locale = texts.locale.value;
  const other = LOCALES.find((one) => one !== locale) ?? "en";
  document.documentElement.lang = locale;
  document.title = `${t("demo.name")} · ${t("demo.tagline")}`;
  const app = document.getElementById("app");
  app?.replaceChildren(
    consoleBar(),
    header(other),
    element("main", "", hero(), products(locale), piece(locale), reviews(), story(), care()),
    element("footer", "", t("demo.footer")),
  );
}

/** The inbox that the demo account has. */
async function inboxKey(): Promise<string> {
  const answer = await fetch(new URL("demo/config.json", root).href);
  const config: unknown = answer.ok ? await answer.json() : undefined;
  const known = typeof config === "object" && config !== null && "inbox_key" in config && typeof config.inbox_key === "string";
  return known ? (config.inbox_key as string) : "";
}

async function start(): Promise<void> {
  followTheme("system");
  await texts.use(pickLocale(...navigator.languages));
  draw();
  inbox = await inboxKey().catch(() => "");
  if (inbox === "") {
    document.body.append(element("p", "missing", t("demo.missing")));
    return;
  }
  document.querySelector(".help-link")?.replaceWith(helpLink());
  frontdesk()("boot", { inbox, language: texts.locale.value });
}

void start();
