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
const t = (key: DemoKey, params: Readonly<Record<string, string>> = {}): string => texts.t(key, params);

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
  return element(
    "header",
    "",
    element("p", "brand", t("demo.name"), element("small", "", t("demo.tagline"))),
    element("nav", "", link("", `${here}#shop`, t("demo.nav_shop")), link("", `${here}#story`, t("demo.nav_story"))),
    language,
  );
}

function consoleBar(): HTMLElement {
  const open = link("console-link", root.href, t("demo.console"));
  open.target = "_blank";
  open.rel = "noopener";
  return element("aside", "console-bar", element("span", "", t("demo.console_text")), open);
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
  const price = new Intl.NumberFormat(locale, { style: "currency", currency: locale === "zh-CN" ? "CNY" : "USD", maximumFractionDigits: 0 });
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
        element("b", "", price.format(locale === "zh-CN" ? product.yuan : product.dollars)),
        askButton("quiet", t("demo.ask"), t("demo.ask_label", { product: t(product.name) })),
      ),
    ),
  );
  const section = element("section", "", element("h2", "", t("demo.products")), element("ul", "cards", ...cards));
  section.id = "shop";
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
    element("main", "", hero(), products(locale), story()),
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
  const key = await inboxKey().catch(() => "");
  if (key === "") {
    document.body.append(element("p", "missing", t("demo.missing")));
    return;
  }
  frontdesk()("boot", { inbox: key, language: texts.locale.value });
}

void start();
