// Canned answers of a server for the console's screens: people, teams, conversations, in the JSON
// of the HTTP API and in the wire's JSON mapping. Times are relative to now.

import { botAnswers } from "./bot.mjs";

const minute = 60_000;
const now = Date.now();
const at = (minutesAgo) => String(now - minutesAgo * minute);
const id = (n) => `c${String(n).padStart(19, "0")}`;
const user = (n) => `u${String(n).padStart(19, "0")}`;

export const self = { kind: "ACTOR_KIND_AGENT", id: user(1), name: "林晓" };
const mei = { kind: "PARTICIPANT_KIND_SUPERVISOR", id: user(2), name: "Mei Chen" };
const lin = { kind: "PARTICIPANT_KIND_AGENT", id: user(1), name: "林晓" };
const teams = [
  { id: "t0000000000000000001", names: { en: "Sales", "zh-CN": "售前" }, members: [user(1), user(2), user(3)] },
  { id: "t0000000000000000002", names: { en: "After-sales", "zh-CN": "售后" }, members: [user(1), user(4)] },
];
const inbox = "i0000000000000000001";

const visitorActor = (n, name) => ({ kind: "ACTOR_KIND_VISITOR", id: `v${String(n).padStart(19, "0")}`, name });

function text(seq, actor, body, minutesAgo, more = {}) {
  return { seq: String(seq), id: `e${String(seq).padStart(19, "0")}`, actor, audience: "AUDIENCE_EVERYONE", atMs: at(minutesAgo), content: { text: { body } }, ...more };
}

function system(seq, key, params, minutesAgo) {
  return { seq: String(seq), id: `e${String(seq).padStart(19, "0")}`, actor: { kind: "ACTOR_KIND_SYSTEM" }, audience: "AUDIENCE_EVERYONE", atMs: at(minutesAgo), content: { system: { key, params } } };
}

function session(n, status, more) {
  return { id: `s${String(n).padStart(19, "0")}`, number: 1, version: 3, status, inbox, team: teams[0].id, openedAtMs: at(40), queuedAtMs: at(40), ...more };
}

const assigned = (n, owner, more = {}) => session(n, "SESSION_STATUS_ASSIGNED", { owner, assignedAtMs: at(38), firstAnswerAtMs: at(37), participants: [], ...more });
const queued = (n, waited, more = {}) => session(n, "SESSION_STATUS_QUEUED", { waitingSinceMs: at(waited), queuedAtMs: at(waited), openedAtMs: at(waited), ...more });
const closed = (n, more = {}) => session(n, "SESSION_STATUS_CLOSED", { owner: lin, closedAtMs: at(60 * n), openedAtMs: at(60 * n + 30), ...more });

const people = [
  [1, "王小雨", "zh-CN", "好的，谢谢！那我今天下单还能赶上周五吗？", 0.4, assigned(1, lin, { priority: 3, waitingSinceMs: at(0.4), intent: "sales", intentConfidence: 0.88, intentSource: "INTENT_SOURCE_MODEL", intentWhy: "sales 0.88, consult 0.10, complaint 0.01, other 0.01" }), 2, true],
  [2, "James Carter", "en", "The lid of the teapot arrived cracked. I have a photo.", 3, assigned(2, lin, { waitingSinceMs: at(3), team: teams[1].id, intent: "complaint", intentConfidence: 1, intentSource: "INTENT_SOURCE_PERSON" }), 1, true],
  [3, "", "zh-CN", "请问这款盖碗有礼盒包装吗？", 6.2, queued(3, 6.2, { intent: "consult", intentConfidence: 0.77, intentSource: "INTENT_SOURCE_MODEL", intentWhy: "consult 0.77, sales 0.20, other 0.03, complaint 0.00" }), 1, true],
  [4, "Sofia Rossi", "it", "Hello, do you ship to Italy?", 0.7, queued(4, 0.7, { intent: "human", intentConfidence: 1, intentSource: "INTENT_SOURCE_RULE", intentWhy: "real person" }), 2, true],
  [5, "陈建国", "zh-CN", "我要投诉，等了三天还没发货！", 11, queued(5, 11, { priority: 4, team: teams[1].id, intent: "complaint", intentConfidence: 0.94, intentSource: "INTENT_SOURCE_MODEL", intentWhy: "complaint 0.94, consult 0.04, sales 0.01, other 0.01" }), 3, true],
  [6, "李梅", "zh-CN", "收到了，茶具很漂亮", 34, assigned(6, lin, { intent: "wholesale partnership", intentConfidence: 1, intentSource: "INTENT_SOURCE_RULE", intentWhy: "批发" }), 0, false],
  [7, "Anna Schmidt", "de", "Great, I will wait for the e-mail then.", 62, assigned(7, { kind: "PARTICIPANT_KIND_BOT", id: "b0000000000000000001", name: "Spruce Bot" }), 0, false],
  [8, "", "en", "Can I pay by invoice?", 95, assigned(8, lin, { participants: [mei] }), 0, true],
  [9, "Nguyen Van An", "vi", "Where is my order 20931?", 15, queued(9, 15, { unattended: true }), 1, false],
  [10, "赵敏", "zh-CN", "好的，明白了，谢谢", 180, closed(3, { rating: 5 }), 0, false],
  [11, "Peter Novak", "cs", "Thanks for the quick help!", 60 * 26, closed(26, { rating: 4 }), 0, false],
  [12, "周航", "zh-CN", "[图片]", 60 * 50, closed(50), 0, false],
];

export const rows = people.map(([n, visitorName, language, line, minutesAgo, of, unread, online]) => ({
  conversation: id(n),
  visitor: visitorActor(n, "").id,
  visitorName,
  session: of,
  last: text(40, visitorActor(n, visitorName), line, minutesAgo),
  position: { epoch: "7", seq: "40" },
  unread,
  mentioned: n === 2,
  visitorOnline: online,
  language,
}));

export function manyRows(count) {
  return Array.from({ length: count }, (_, n) => ({ ...rows[n % rows.length], conversation: `d${String(n).padStart(19, "0")}` }));
}

const wang = visitorActor(1, "王小雨");
const agent = self;
const items = [
  text(1, wang, "你好，想问一下云杉系列的茶壶还有货吗？", 60 * 27),
  system(2, "session.assigned", { agent: "林晓" }, 60 * 27 - 0.4),
  text(3, agent, "您好，我是林晓。云杉系列目前有货，450 毫升和 600 毫升两种，都可以当天发出。", 60 * 27 - 1),
  text(4, wang, "太好了，我再考虑一下", 60 * 27 - 2),
  system(5, "session.closed_idle", {}, 60 * 26),
  text(6, wang, "我又来啦 😄", 42),
  system(7, "session.assigned", { agent: "林晓" }, 41.8),
  text(8, wang, "看中了 600 毫升的，这张图里的颜色是实物拍摄吗？", 41),
  { ...text(9, wang, "", 40.8), content: { file: { id: "a".repeat(32), name: "云杉茶壶.png", mediaType: "image/png", sizeBytes: "184320", width: 960, height: 720, hasThumbnail: true } } },
  text(10, agent, "是的，在自然光下拍摄，没有调色。窑变釉每一把会有细微差别，这也是它的特点。", 39),
  text(11, agent, "详细介绍在这里：https://shop.example/spruce/600 ，里面有开箱视频。", 38.8),
  { ...text(12, { ...agent, id: mei.id, name: mei.name }, "@林晓 老客户，去年双十一买过两套，可以给 9 折。@Tom Becker 也知道。", 30), audience: "AUDIENCE_TEAM" },
  { ...text(13, agent, "", 29), content: { file: { id: "b".repeat(32), name: "云杉系列-保养说明.pdf", mediaType: "application/pdf", sizeBytes: "734003", width: 0, height: 0 } } },
  text(14, agent, "另外您是老客户，可以享受 9 折，下单时填 SPRUCE10 即可。", 28),
  text(15, wang, "哇，太贴心了！", 5),
  text(16, wang, "好的，谢谢！那我今天下单还能赶上周五吗？", 0.4, {}),
];
items[15].content.quoteSeq = "14";
items[11].content.mentions = [self.id, user(3)];

export const opened = {
  conversation: id(1),
  recovered: false,
  items: items.map((entry) => ({ entry })),
  position: { epoch: "7", seq: "16" },
  moreBefore: false,
  session: rows[0].session,
  cursors: [
    { actor: wang, deliveredSeq: "16", readSeq: "13" },
    { actor: self, deliveredSeq: "16", readSeq: "14" },
  ],
  viewers: [mei],
};

const spruceBot = { kind: "ACTOR_KIND_BOT", id: "b0000000000000000001", name: "Spruce Bot" };
const team = { audience: "AUDIENCE_TEAM" };
const bySystem = (seq, key, params, minutesAgo) => ({ ...system(seq, key, params, minutesAgo), ...team, actor: spruceBot });
/** A bot answers, asks by buttons and by a form, and says why; then it gives the session to people. */
const served = {
  conversation: id(8),
  items: [
    text(1, visitorActor(8, ""), "Hello", 100),
    { ...text(2, spruceBot, "", 99.9), content: { choices: { body: "Hello! What is it about?", choices: [{ id: "order", label: "My order" }, { id: "return", label: "A return" }, { id: "pay", label: "Payment" }] } } },
    bySystem(3, "bot.why", { seq: "2", kind: "flow", question: "Hello", title: "opening: menu", took_ms: "1" }, 99.9),
    { ...text(4, visitorActor(8, ""), "Payment", 99), content: { text: { body: "Payment" }, choice: "pay", quoteSeq: "2" } },
    text(5, visitorActor(8, ""), "Can I pay by invoice?", 98),
    { ...text(6, spruceBot, "", 97.9), content: { text: { body: "Yes. Companies in the EU can pay by invoice within 14 days: choose it at the end of your order." }, sources: [{ article: "a0000000000000000003", title: "Can I get an invoice?", path: "/help/k/en/invoice" }] } },
    bySystem(7, "bot.why", { seq: "6", kind: "answer", question: "Can I pay by invoice?", article: "a0000000000000000003", title: "Can I get an invoice?", score: "0.91", words: "pay invoice", model: "", tokens: "0", took_ms: "2" }, 97.9),
    text(8, visitorActor(8, ""), "and for order 20931?", 96),
    { ...text(9, spruceBot, "", 95.9), content: { form: { title: "Let me look it up", fields: [{ id: "order", label: "Order number", kind: "FORM_FIELD_KIND_ORDER_NUMBER", required: true }, { id: "mail", label: "E-mail", kind: "FORM_FIELD_KIND_EMAIL" }] } } },
    { ...text(10, visitorActor(8, ""), "", 95), content: { formReply: { values: [{ id: "order", label: "Order number", value: "20931" }, { id: "mail", label: "E-mail", value: "ada@example.com" }] }, quoteSeq: "9" } },
    { ...text(11, spruceBot, "Wants to pay order 20931 by invoice. Has company account, wrote from the checkout.", 94.9), ...team },
    bySystem(12, "bot.why", { seq: "0", kind: "handover", question: "and for order 20931?", words: "", took_ms: "1" }, 94.9),
    system(13, "session.queued", {}, 94.8),
    text(14, visitorActor(8, ""), "Is anybody there?", 1),
    bySystem(15, "bot.suggestion", { text: "Yes, I am here. Invoices are possible for companies in the EU: I have just switched it on for order 20931, so you can choose it at the checkout.", article: "a0000000000000000003", title: "Can I get an invoice?", path: "/help/k/en/invoice", score: "0.78" }, 0.9),
    bySystem(16, "bot.why", { seq: "15", kind: "suggestion", question: "Is anybody there?", title: "Can I get an invoice?", score: "0.78", words: "invoice", took_ms: "2" }, 0.9),
  ].map((entry) => ({ entry })),
  position: { epoch: "7", seq: "16" },
  session: { ...rows[7].session, owner: lin, participants: [] },
  cursors: [],
  viewers: [],
};

export function openedFor(conversation) {
  if (conversation === id(1)) return opened;
  if (conversation === id(8)) return served;
  const row = rows.find((known) => known.conversation === conversation);
  const name = row?.visitorName ?? "";
  return {
    conversation,
    items: [{ entry: text(1, visitorActor(3, name), row?.last.content.text.body ?? "Hello", 6) }, { entry: system(2, "session.queued", {}, 6) }],
    position: { epoch: "7", seq: "2" },
    session: row?.session,
    cursors: [],
    viewers: [],
  };
}

/** A long conversation, page by page. */
export function longItems(from, to) {
  const out = [];
  for (let seq = from; seq <= to; seq++) {
    const actor = seq % 3 === 0 ? self : wang;
    out.push({ entry: text(seq, actor, `${seq}: ${"message ".repeat((seq * 7) % 40)}`, (10_000 - seq) / 4) });
  }
  return out;
}

const help = (en, zh) => ({ en, "zh-CN": zh });

const allRights = ["conversation.read.own", "conversation.read.team", "conversation.read.all", "conversation.write", "conversation.note", "conversation.assign", "conversation.take_over", "conversation.close", "conversation.erase", "visitor.read", "report.read", "settings.account", "settings.inboxes", "settings.teams", "settings.replies", "settings.users", "settings.roles", "settings.keys", "settings.knowledge", "settings.bots"];

const pattern = "^\\W*(human|agent|representative|operator)\\W*$";
const human = { intent: "human", keywords: ["人工", "真人", "找客服", "talk to a human", "speak to a human", "human please", "real person", "human agent", "live agent", "speak to someone", "talk to someone", "转人工", "人工客服", "real human", "operator", "representative", "someone real"], regex: pattern };
const refund = { intent: "refund", keywords: ["money back", "退款", "退货"], regex: null };
const partners = { intent: "wholesale_partnership", keywords: [], regex: "批发|wholesale|\\bmoq\\b" };
const inherited = {
  thresholds: { complaint: 0.78, consult: 0.65, sales: 0.82 },
  targets: [
    { intent: "complaint", team: "售后", skills: [], priority: 3 },
    { intent: "sales", team: "Wholesale", skills: [], priority: null },
  ],
  rules: [human],
};
const intents = {
  thresholds: { ...inherited.thresholds, sales: 0.7 },
  seen: {
    complaint: [0, 0, 0, 0, 0, 0, 1, 2, 1, 3, 2, 4, 3, 5, 6, 9, 14, 22, 31, 47],
    consult: [0, 0, 0, 0, 0, 2, 4, 6, 9, 12, 18, 22, 30, 41, 52, 71, 96, 122, 140, 98],
    sales: [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 4, 3, 6, 8, 7, 11, 9, 4],
    other: [0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 5, 8, 12, 15, 19, 25, 33, 41, 52, 60],
  },
  decided: { rule: 38, cache: 127, model: 871, none: 204 },
  has_model: true,
  is_open: false,
  targets: [inherited.targets[0], { intent: "consult", team: null, skills: ["chinese", "tea"], priority: null }, { intent: "refund", team: teams[1].id, skills: ["refunds"], priority: 3 }, inherited.targets[1]],
  rules: [refund, partners, human],
  inherited,
  own: { threshold: { sales: 0.7 }, intents: { consult: { team: null, skills: ["chinese", "tea"], priority: null }, refund: { team: teams[1].id, skills: ["refunds"], priority: "high" } }, rules: [refund, partners], inboxes: {} },
  revision: 7,
};

export const http = {
  "GET api/v1/me": {
    kind: "user", id: user(1), display_name: "林晓", email: "lin@example.com", language: "zh-CN", presence: "online",
    account: { id: "a0000000000000000001", name: "云杉茶器", language: "zh-CN" },
    rights: allRights,
    teams: [teams[0].id, teams[1].id], insecure_http: false, demo: true,
  },
  "POST api/v1/tickets": { ticket: "t1.dev" },
  "GET api/v1/setup": { needed: false, demo_users: [{ email: "lin@example.com", name: "Lin", role: "agent" }, { email: "mei@example.com", name: "Mei", role: "supervisor" }, { email: "admin@example.com", name: "Ada", role: "admin" }] },
  "GET api/v1/teams": { teams },
  "GET api/v1/agents": {
    agents: [
      { id: user(1), name: "林晓", presence: "online", teams: [teams[0].id], open_sessions: 3, capacity: 6 },
      { id: user(2), name: "Mei Chen", presence: "online", teams: [teams[0].id], open_sessions: 1, capacity: 6 },
      { id: user(3), name: "Tom Becker", presence: "away", teams: [teams[0].id], open_sessions: 2, capacity: 6 },
      { id: user(4), name: "黄志强", presence: "offline", teams: [teams[1].id], open_sessions: 0, capacity: 4 },
    ],
  },
  "GET api/v1/users": {
    users: [
      { id: user(1), email: "lin@example.com", display_name: "林晓", role: "r1", capacity: 6, skills: ["chinese", "tea"], teams: [teams[0].id, teams[1].id], disabled: false },
      { id: user(2), email: "mei@example.com", display_name: "Mei Chen", role: "r2", capacity: null, skills: ["refunds", "english", "wholesale", "escalations"], teams: [teams[0].id], disabled: false },
      { id: user(3), email: "tom@example.com", display_name: "Tom Becker", role: "r1", capacity: null, skills: [], teams: [teams[0].id], disabled: false },
      { id: user(4), email: "huang@example.com", display_name: "黄志强", role: "r1", capacity: 4, skills: [], teams: [], disabled: true },
    ],
  },
  "GET api/v1/invitations": {
    invitations: [
      { id: "n1", email: "ada@example.com", display_name: "Ada", role: "r1", teams: [teams[0].id], language: "en", expires_at_ms: now + 5 * 24 * 60 * minute },
      { id: "n2", email: "liu@example.com", role: "r2", teams: [], language: "zh-CN", expires_at_ms: now + 6 * 24 * 60 * minute },
    ],
  },
  "POST api/v1/invitations": { id: "n3", url: "https://chat.example.com/#/invite/3f9a6c5e0d1b4a7f8e2c9d0b1a3f5e7c", expires_at_ms: now + 7 * 24 * 60 * minute },
  "GET api/v1/invitations/by-token/abc": { account_name: "云杉茶器", email: "ada@example.com", display_name: "Ada", language: "en" },
  "GET api/v1/me/preferences": { sound: true, desktop: true, title: true, repeat_until_answered: false },
  [`GET api/v1/inboxes/${inbox}/sightings`]: {
    seen: [{ origin: "https://www.example.com", page: "https://www.example.com/spruce/teapot-600", last_seen_ms: now - 2 * minute }],
    refused: [{ origin: "https://staging.example.com", last_seen_ms: now - 9 * minute, count: 14 }],
  },
  "GET api/v1/roles": {
    roles: [
      { id: "r1", builtin: "agent", names: help("Agent", "坐席"), rights: ["conversation.read.own", "conversation.write", "conversation.note", "conversation.assign", "conversation.close", "visitor.read"] },
      { id: "r2", builtin: "supervisor", names: help("Supervisor", "主管"), rights: ["conversation.read.own", "conversation.read.team", "conversation.write", "conversation.note", "conversation.assign", "conversation.take_over", "conversation.close", "visitor.read", "report.read", "settings.replies"] },
      { id: "r3", builtin: "admin", names: help("Admin", "管理员"), rights: allRights },
      { id: "r4", builtin: "owner", names: help("Owner", "所有者"), rights: allRights },
      { id: "r5", builtin: null, names: help("Trainee", "实习生"), rights: ["conversation.read.own", "conversation.note"] },
    ],
    rights: allRights,
  },
  "GET api/v1/inboxes": {
    inboxes: [
      {
        id: inbox, inbox_key: "k3y0f1nb0x5e6f7a8b9c0d", name: "云杉茶器官网", kind: "website", origins: ["https://www.example.com", "https://shop.example.com"], default_team: teams[0].id, routing: "auto",
        texts: { greeting: help("Hello! Ask us anything about our tea ware.", "您好！关于茶器的任何问题都可以问我们。"), away: help("We are back at 9:00.", "我们早上 9 点回来。"), title: help("Spruce Tea", "云杉茶器"), ask_contact: help("Leave us an address and we write to you.", "请留下联系方式，我们会尽快回复。") },
        look: { accent: "#1f7a4d", side: "right", scheme: "auto", logo: "" },
        hours: { time_zone: "Asia/Shanghai", week: [1, 2, 3, 4, 5].map((day) => ({ day, from_minute: 540, to_minute: 1080 })).concat([{ day: 6, from_minute: 600, to_minute: 720 }, { day: 6, from_minute: 780, to_minute: 960 }]), days: [{ date: "2026-10-01", spans: [] }] },
        language: "",
        questions: { en: ["Where is my order?", "Do you ship abroad?", "How do I clean a clay teapot?"], "zh-CN": ["我的订单到哪里了？", "可以开发票吗？", "紫砂壶怎么开壶？"] },
        hours_text: help("Mon–Fri 9–18, Sat 10–16", "周一至周五 9–18 点，周六 10–16 点"),
        identity: { mode: "optional", secrets: [{ id: "x1", created_at_ms: now - 40 * 24 * 60 * minute, hint: "7kQ2" }] },
      },
    ],
  },
  ...botAnswers(id, inbox),
  "GET api/v1/intents": { intents },
  "PUT api/v1/intents": { intents },
  "GET api/v1/intents/sessions": {
    sessions: [
      { conversation: id(2), session: "s11", inbox, at_ms: now - 35 * minute, messages: [{ at_ms: now - 35 * minute, text: "The lid came in two pieces again." }, { at_ms: now - 34 * minute, text: "That is the second time. I want my money back, and somebody to tell me how you pack these." }], intent: "complaint", source: "person", found: "consult" },
      { conversation: id(3), session: "s12", inbox, at_ms: now - 26 * 60 * minute, messages: [{ at_ms: now - 26 * 60 * minute, text: "请问公司团购 200 套有折扣吗？需要开专票" }], intent: "sales", source: "person", found: "" },
      { conversation: id(4), session: "s13", inbox, at_ms: now - 3 * 24 * 60 * minute, messages: [{ at_ms: now - 3 * 24 * 60 * minute, text: "haha ok thanks" }], intent: "", source: "person", found: "complaint" },
    ],
  },
  "POST api/v1/intents/try": {
    tried: { intent: "complaint", step: "model", confidence: 0.93, words: null, scores: { complaint: 0.93, consult: 0.05, sales: 0.005, other: 0.015 }, trouble: null, took_us: 14_210, target: { intent: "complaint", team: "售后", skills: [], priority: 3 } },
  },
  "GET api/v1/canned-replies": {
    replies: [
      { id: "p1", shortcut: "发货", team: null, texts: help("Orders before 16:00 leave the same day.", "16:00 前下单当天发货，顺丰一般次日到达。") },
      { id: "p2", shortcut: "hello", team: null, texts: help("Hello {{visitor}}, this is {{agent}}. How can I help?", "{{visitor}}您好，我是{{agent}}，请问有什么可以帮您？") },
      { id: "p3", shortcut: "退货", team: teams[1].id, texts: help("You may return anything unused within 7 days.", "七天内未使用可无理由退货，运费由我们承担。") },
      { id: "p4", shortcut: "发票", team: null, texts: help("We send the invoice by e-mail.", "电子发票会在签收后 24 小时内发到您的邮箱。") },
    ],
  },
  "GET api/v1/api-keys": {
    api_keys: [{ id: "k1", name: "ERP", hint: "x8Qz", rights: ["conversation.read.all"], created_at_ms: now - 12 * 24 * 60 * minute, last_used_at_ms: now - 4 * minute }],
  },
  "GET api/v1/settings": {
    settings: [
      { name: "session.idle_close_s", kind: "number", own: false, value: 1800, default: 1800, min: 60, max: 86400, scopes: ["inbox"], help: help("A conversation closes by itself when the visitor has been silent for so long after the last answer.", "访客在最后一次回复后沉默多久，对话自动结束。") },
      { name: "session.idle_warn_s", kind: "number", own: false, value: 300, default: 300, min: 0, max: 3600, help: help("The visitor is told so long before.", "提前多久提醒访客。") },
      { name: "routing.first_answer_s", kind: "number", own: true, value: 90, default: 120, min: 10, max: 3600, help: help("Without a first answer in this time the next agent gets the conversation.", "超过此时间没有首次回复，转给下一位坐席。") },
      { name: "chat.sneak_peek", kind: "switch", own: true, value: true, default: false, help: help("Agents see what visitors type before they send it.", "坐席可以看到访客尚未发送的内容。") },
    ],
  },
  "GET api/v1/demo": { paused: false, visitors: 2 },
  "GET api/v1/me/sessions": {
    sessions: [
      { handle: "h1", current: true, user_agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", seen_at_ms: now },
      { handle: "h2", current: false, user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1", seen_at_ms: now - 90 * minute },
    ],
  },
  "GET api/v1/waiting": {
    at_ms: now,
    violations: [],
    sessions: rows.filter((row) => row.session.status !== "SESSION_STATUS_CLOSED").map((row, at_) => ({
      conversation: row.conversation,
      session: row.session.id,
      owner: row.session.owner?.id ?? null,
      owner_name: row.session.owner?.name ?? null,
      team: row.session.owner ? null : row.session.team,
      place: row.session.owner ? null : at_ + 1,
      waiting_since_ms: row.session.waitingSinceMs ? Number(row.session.waitingSinceMs) : null,
      deadline_ms: now + (at_ + 1) * 90_000,
      then: row.session.owner ? "close_idle" : "assign",
    })),
  },
};

export function answer(method, path) {
  const bare = path.split("?")[0];
  if (method === "GET" && bare === "api/v1/conversations") {
    const closed_ = path.includes("view=closed");
    return { rows: rows.filter((row) => (row.session.status === "SESSION_STATUS_CLOSED") === closed_), counts: { mine: 3, queue: 4, open: 9, closed: 3 } };
  }
  const one = /^api\/v1\/conversations\/(\w{20})$/.exec(bare);
  if (method === "GET" && one) {
    const row = rows.find((known) => known.conversation === one[1]) ?? rows[0];
    return {
      row, inbox, page_url: "https://shop.example.com/spruce/teapot-600?from=search", referrer: "https://www.search.example/", cursors: [], created_at_ms: now - 27 * 60 * minute,
      device: { browser: "WeChat", system: "Android", mobile: true },
      contact: { name: row.visitorName, email: "xiaoyu@example.com", phone: "", note: "老客户，去年双十一买过两套。\n喜欢窑变釉。", verified: true, attributes: { plan: "gold", orders: "7", "last order": "20931" }, changed_by_name: "Mei Chen", changed_at_ms: now - 26 * 60 * minute },
      sessions: [
        { id: "s9", number: 4, opened_at_ms: now - 27 * 60 * minute, closed_at_ms: now - 26 * 60 * minute, owner_name: "林晓", rating: 5, rating_comment: "回复很快，非常耐心！", first_answer_ms: 42_000, close_reason: "agent" },
        { id: "s8", number: 3, opened_at_ms: now - 24 * 9 * 60 * minute, closed_at_ms: now - 24 * 9 * 60 * minute + 12 * minute, owner_name: "Mei Chen", rating: 3, rating_comment: "", first_answer_ms: 190_000, close_reason: "visitor" },
        { id: "s7", number: 2, opened_at_ms: now - 24 * 40 * 60 * minute, closed_at_ms: now - 24 * 40 * 60 * minute + 35 * minute, owner_name: "", rating_comment: "", close_reason: "idle" },
        { id: "s6", number: 1, opened_at_ms: now - 24 * 80 * 60 * minute, closed_at_ms: now - 24 * 80 * 60 * minute + 8 * minute, owner_name: "Tom Becker", rating_comment: "", first_answer_ms: 15_000, close_reason: "agent" },
      ],
    };
  }
  if (method === "PATCH" && bare === "api/v1/me") return http["GET api/v1/me"];
  return http[`${method} ${bare}`];
}

export { id };
