// Canned answers about articles, the bot, its flows, the language model and words, for the console's screens.
const minute = 60_000;
const day = 24 * 60 * minute;
const now = Date.now();

const text = (title, summary, body, questions = [], category = "") => ({ title, summary, body, questions, category });
const article = (n, slug, category, state, texts, helpful, unhelpful, ageMs) => ({ id: `a${String(n).padStart(19, "0")}`, slug, category, state, texts, helpful, unhelpful, revision: 3, updated_ms: now - ageMs, created_ms: now - ageMs - 30 * day });

const returns = `You can send back anything unused **within 30 days**. It is free inside the EU.

## How it works

1. Open *My orders* and choose the order.
2. Press **Return** and print the label.
3. Hand the parcel in at any post office.

> Opened tea cannot be returned, for reasons of hygiene.

| Country | Cost |
| --- | --- |
| EU | free |
| Elsewhere | from 9.90 € |

See also [how long a refund takes](https://shop.example.com/help/refund-time) or write to \`support@example.com\`.
`;

export const articles = [
  article(1, "return-something", "Returns", "published", { en: text("How do I return something?", "You can send back anything unused within 30 days. Returns are free inside the EU.", returns, ["Can I send it back?", "I want to return my order"]), "zh-CN": text("如何退货？", "未使用的商品 30 天内可以退货，欧盟境内免运费。", "未使用的商品 **30 天内** 可以退货。", ["可以退吗？"]) }, 128, 9, 3 * 60 * minute),
  article(2, "delivery-time", "Shipping", "published", { en: text("How long does delivery take?", "Two to four working days inside Germany, up to eight inside the EU.", "Two to four working days.", ["When does my parcel arrive?"]) }, 86, 21, 2 * day),
  article(3, "invoice", "Payment", "published", { en: text("Can I get an invoice?", "It is in the mail that confirms your order.", "Yes."), "zh-CN": text("可以开发票吗？", "电子发票会在签收后 24 小时内发到您的邮箱。", "可以。") }, 40, 1, 9 * day),
  article(4, "clay-teapot-first-use", "Tea ware", "draft", { "zh-CN": text("紫砂壶怎么开壶？", "", "") }, 0, 0, 20 * minute),
  article(5, "track-order", "Shipping", "published", { en: text("Where is my order and how do I follow a parcel that was already handed over to the carrier?", "", "Open the link in your mail."), "zh-CN": text("我的订单到哪里了？", "", "请打开邮件中的链接。") }, 7, 0, 40 * day),
];

const yaml = `name: opening
version: 4
start:
  when: { greeting: true }
steps:
  menu:
    ask:
      text: { en: What is it about?, zh-CN: 请问您想咨询什么？ }
      choices:
        - { id: order, label: { en: My order, zh-CN: 我的订单 }, goto: number }
        - { id: return, label: { en: A return, zh-CN: 退货 }, goto: returns }
        - { id: other, label: { en: Something else, zh-CN: 其他 }, goto: question }
  number:
    form:
      title: { en: Which order?, zh-CN: 请提供订单号 }
      fields:
        - { id: order, kind: order_number, label: { en: Order number, zh-CN: 订单号 }, required: true }
    goto: known
  known:
    if: { variable: order, matches: "^A-", goto: person }
    goto: question
  returns:
    answer: { question: How do I return something?, found: end, nothing: person }
  question:
    say: { en: "Go ahead, I am listening.", zh-CN: 请说。 }
    goto: menu
  person:
    handover: { team: Support, note: "Order {order}" }
  end:
    end: true
  forgotten:
    say: { en: Nobody reads this }
    goto: nowhere
`;

const flow = (name, source, version, by, ageMs) => ({ name, yaml: source, version, updated_ms: now - ageMs, by });
const flows = [flow("opening", yaml, 4, "Mei Chen", 3 * 60 * minute), flow("night-shift", yaml.replace("opening", "night-shift"), 1, "林晓", 12 * day)];
// Days without a session are absent.
const days = Array.from({ length: 30 }, (_, at) => {
  const sessions = [0, 6].includes(at % 7) ? 9 + (at % 5) : 24 + ((at * 7) % 19);
  const contained = Math.round(sessions * (0.52 + at / 200));
  return { date: new Date(now - (29 - at) * day).toISOString().slice(0, 10), sessions, contained, handed_over: sessions - contained - (at === 29 ? 3 : 0) };
}).filter((_, at) => at !== 4 && at !== 5);
const total = (name) => days.reduce((sum, one) => sum + one[name], 0);

const llm = { revision: 4, base_url: "https://api.deepseek.com/v1", model: "deepseek-chat", has_key: true, hint: "9f2c", features: { answers: true, summary: true, rewrite: true, translate: false }, conversation_tokens_max: 6000, day_tokens_max: 400000, timeout_ms: 12000, visitor_wait_ms: 2000, prompt: "" };
const rules = [
  { name: "Cards", kind: "card", words: [], pattern: "", action: "mask", applies_to: "everyone" },
  { name: "Insults", kind: "words", words: ["idiot", "stupid", "moron", "笨蛋", "白痴", "傻瓜", "滚", "蠢货"], pattern: "", action: "refuse", applies_to: "visitors" },
  { name: "Phone numbers", kind: "pattern", words: [], pattern: "\\b1[3-9]\\d{9}\\b", action: "mask", applies_to: "team" },
  { name: "Competitors", kind: "words", words: ["Teapot Ltd"], pattern: "", action: "flag", applies_to: "everyone" },
];

/** `id`: of a conversation by its number. */
export function botAnswers(id, inbox) {
  return {
    "GET api/v1/articles": { articles, next: "n2" },
    ...Object.fromEntries(articles.map((one) => [`GET api/v1/articles/${one.id}`, one])),
    "GET api/v1/articles/crawl": { state: "running", pages: 41, added: 37, problems: [{ file: "https://www.example.com/imprint", code: "page_empty", params: {}, reason: "the page says nothing without its scripts" }], error: null },
    "POST api/v1/articles/import": { added: 12, changed: 3, unchanged: 40, problems: [{ file: "faq.csv", line: 14, code: "table_no_answer", params: {}, reason: "the answer is empty" }, { file: "faq.csv", line: 31, reason: "has 4 columns, expected 3" }] },
    "POST api/v1/articles/try": {
      outcome: "answer",
      found: [
        { article: articles[1].id, slug: "delivery-time", title: "How long does delivery take?", language: "en", score: 0.87, passage: "Your parcel takes two to four working days inside Germany, and up to eight days inside the EU. Parcels that leave before 16:00 travel the same day.", words: ["parcel", "day"] },
        { article: articles[4].id, slug: "track-order", title: "Where is my order?", language: "en", score: 0.41, passage: "Open the link in your mail to see where your parcel is.", words: ["parcel"] },
        { article: articles[0].id, slug: "return-something", title: "How do I return something?", language: "en", score: 0.12, passage: "Hand the parcel in at any post office.", words: ["parcel"] },
      ],
      took_us: 184,
    },
    "GET api/v1/bot": {
      revision: 6,
      name: { en: "Spruce Bot", "zh-CN": "云杉小助手" },
      inboxes: { [inbox]: { mode: "answer", who: "built_in", flow: "opening" } },
      fallback: { en: "I do not know that. I will get a colleague for you.", "zh-CN": "这个问题我不清楚，马上为您转接同事。" },
      handover: { on_complaint: true, on_anger: true, misses_max: 2 },
      team_language: "en",
    },
    "GET api/v1/bot/flows": { flows: flows.map(({ name, version, updated_ms, by }) => ({ name, version, updated_ms, by })) },
    ...Object.fromEntries(flows.map((one) => [`GET api/v1/bot/flows/${one.name}`, one])),
    "GET api/v1/bot/flows/opening/versions": { versions: [{ version: 4, yaml, updated_ms: now - 3 * 60 * minute, by: "Mei Chen" }, { version: 3, yaml: yaml.replace("Go ahead, I am listening.", "What is it?").replace("  forgotten:\n    say: { en: Nobody reads this }\n    goto: nowhere\n", ""), updated_ms: now - 2 * day, by: "林晓" }, { version: 2, yaml: yaml.replace("team: Support", "team: Sales"), updated_ms: now - 5 * day, by: "林晓" }] },
    "POST api/v1/bot/flows/check": { ok: false, problems: [{ code: "unreachable_step", severity: "warning", line: 31, step: "forgotten", reason: "no step leads here" }, { code: "unknown_step", severity: "error", line: 33, step: "forgotten", params: { to: "nowhere", near: "" }, reason: "there is no step `nowhere`" }] },
    "POST api/v1/bot/talk": {
      turns: [
        { visitor: "hi", replies: [{ kind: "choices", text: "What is it about?", step: "opening / menu", choices: [{ id: "order", label: "My order" }, { id: "return", label: "A return" }, { id: "other", label: "Something else" }] }], handed_over: false },
        { visitor: "how long until my parcel is here?", replies: [{ kind: "answer", text: "Two to four working days inside Germany, up to eight inside the EU.", sources: [{ article: articles[1].id, title: "How long does delivery take?", slug: "delivery-time" }], score: 0.87, words: ["parcel", "long"] }], handed_over: false },
        { visitor: "I want to talk to a human", replies: [{ kind: "say", text: "I will get somebody for you." }, { kind: "handover", text: "Asked how long a parcel takes, then for a person.", reason: "asked", team: "Support" }], handed_over: true },
      ],
    },
    "POST api/v1/bot/replay": {
      sessions: 50,
      changed: 2,
      rows: [
        { conversation: id(1), session: "s1", question: "Can I send the teapot back if I do not like the colour?", before: { kind: "ask_back", text: "Which of these do you mean?" }, after: { kind: "answer", text: "You can send back anything unused within 30 days. Returns are free inside the EU.", article: articles[0].id }, changed: true },
        { conversation: id(4), session: "s4", question: "do you ship to italy", before: { kind: "handover", text: "unsure" }, after: { kind: "answer", text: "Yes. Up to eight working days inside the EU.", article: articles[1].id }, changed: true },
        { conversation: id(2), session: "s2", question: "Where is my order?", before: { kind: "answer", text: "Open the link in your mail." }, after: { kind: "answer", text: "Open the link in your mail." }, changed: false },
      ],
      sorted: [{ conversation: id(4), session: "s4", question: "do you ship to italy", before: { intent: "", team: "" }, after: { intent: "complaint", team: "" } }],
    },
    "GET api/v1/bot/figures": { days, sessions: total("sessions"), contained: total("contained"), handed_over: total("handed_over"), no_answer: 61, by_reason: { asked: 96, unsure: 71, complaint: 42, flow: 38, angry: 12, bot_failed: 2 } },
    "GET api/v1/bot/sessions": { sessions: [{ conversation: id(4), session: "s4", inbox, at_ms: now - 8 * minute, outcome: "handed_over", reason: "unsure", turns: 3, answered: 1, misses: 2 }, { conversation: id(5), session: "s5", inbox, at_ms: now - 50 * minute, outcome: "handed_over", reason: "complaint", turns: 1, answered: 0, misses: 1 }, { conversation: id(7), session: "s7", inbox, at_ms: now - 2 * day, outcome: "handed_over", reason: "asked", turns: 6, answered: 5, misses: 1 }], next: "n2" },
    "GET api/v1/llm": llm,
    "GET api/v1/llm/spend": { days: days.map(({ date, sessions }, at) => ({ date, tokens_in: sessions * 4_100, tokens_out: sessions * 900, requests: sessions * 2, failures: at === 12 ? 3 : 0 })), today_tokens: 148_220, day_tokens_max: 400_000 },
    "POST api/v1/llm/test": { ok: true, took_ms: 812, answer: "Hello! I am ready.", error: null },
    "GET api/v1/words": { revision: 2, rules },
    "POST api/v1/words/try": { text: "My card is **** **** **** 1111, Teapot Ltd took it", refused: false, flags: ["Competitors"], rules: ["Cards", "Competitors"] },
    "GET api/v1/words/hits": { hits: [{ at_ms: now - 3 * minute, rule: "Cards", action: "mask", by: { kind: "visitor", id: "v1", name: "James Carter" }, conversation: id(2) }, { at_ms: now - 70 * minute, rule: "Insults", action: "refuse", by: { kind: "visitor", id: "v2", name: "" }, conversation: id(3) }, { at_ms: now - day, rule: "Competitors", action: "flag", by: { kind: "agent", id: "u1", name: "Tom Becker" }, conversation: id(7) }], next: null },
  };
}
