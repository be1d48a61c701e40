// The articles that the help centre shows and the bot answers from: their shapes, what an article lacks,
// which words of a passage were found, and the requests.
import type { Locale } from "@frontdesk/i18n";
import { LOCALES } from "@frontdesk/i18n";
import type { Call } from "./api";
import { inLatin } from "./pinyin";
import { withQuery } from "./query";

export type ArticleState = "draft" | "published";
export type ArticleText = {
  readonly title: string;
  readonly summary: string;
  /** Markdown. */
  readonly body: string;
  /** Other ways to ask for it. */
  readonly questions: readonly string[];
  /** What the category is called in this language; empty where it is called the same. */
  readonly category: string;
};
export type ArticleTexts = Readonly<Record<string, ArticleText>>;
export type ArticleContent = { readonly slug: string; readonly category: string; readonly state: ArticleState; readonly texts: ArticleTexts };
export type Article = ArticleContent & {
  readonly id: string;
  /** Where an import took it from: `files`, or the address of a site; empty where somebody wrote it here. */
  readonly origin?: string;
  readonly helpful: number;
  readonly unhelpful: number;
  readonly revision: number;
  readonly updated_ms: number;
  readonly created_ms: number;
};
export type ArticlePage = { readonly articles: readonly Article[]; readonly next?: string | null };
export type ArticleQuery = { readonly category: string; readonly state: ArticleState | ""; readonly q: string };

export type ImportFormat = "markdown" | "csv";
export type ImportFile = { readonly name: string; readonly text: string };
/** What is wrong with something of somebody else's: a code with what stands in it, and the same in English. */
export type Trouble = { readonly code?: string; readonly params?: Readonly<Record<string, string>>; readonly reason: string };
export type FileProblem = { readonly file?: string; readonly line?: number | null } & Trouble;
export type ImportResult = { readonly added: number; readonly changed: number; readonly unchanged: number; readonly problems: readonly FileProblem[] };

export type Crawl = {
  readonly state: "idle" | "running" | "done" | "failed";
  readonly pages: number;
  readonly added: number;
  readonly problems: readonly FileProblem[];
  readonly error?: string | null;
  /** The same with its code. */
  readonly ended?: Trouble | null;
};

/** An article that fits a question, with the place in it that does. */
export type Found = {
  readonly article: string;
  readonly slug: string;
  readonly title: string;
  readonly language: string;
  /** 0 to 1. */
  readonly score: number;
  readonly passage: string;
  readonly words: readonly string[];
};
export type TriedQuestion = { readonly outcome: "answer" | "between" | "nothing"; readonly found: readonly Found[]; readonly took_us: number };

export class ArticlesApi {
  constructor(private readonly call: Call) {}

  list = (query: ArticleQuery, cursor: string | null = null): Promise<ArticlePage> => this.call("GET", withQuery("api/v1/articles", { ...query, cursor }));
  read = (id: string): Promise<Article> => this.call("GET", `api/v1/articles/${encodeURIComponent(id)}`);
  add = (content: ArticleContent): Promise<Article> => this.call("POST", "api/v1/articles", content);
  change = (id: string, content: ArticleContent, revision: number): Promise<Article> => this.call("PUT", `api/v1/articles/${encodeURIComponent(id)}`, { ...content, revision });
  remove = (id: string): Promise<void> => this.call("DELETE", `api/v1/articles/${encodeURIComponent(id)}`);
  import = (format: ImportFormat, files: readonly ImportFile[], publish: boolean): Promise<ImportResult> => this.call("POST", "api/v1/articles/import", { format, files, publish });
  crawl = (): Promise<Crawl> => this.call("GET", "api/v1/articles/crawl");
  startCrawl = (sitemap: string, pagesMax: number): Promise<Crawl> => this.call("POST", "api/v1/articles/crawl", { sitemap, pages_max: pagesMax });
  stopCrawl = (): Promise<unknown> => this.call("DELETE", "api/v1/articles/crawl");
  try = (question: string, language: string): Promise<TriedQuestion> => this.call("POST", "api/v1/articles/try", { question, language });
}

/** Stands in the address for the one that is being written. */
export const newArticle = "new";

export const noText: ArticleText = { title: "", summary: "", body: "", questions: [], category: "" };
export const noContent: ArticleContent = { slug: "", category: "", state: "draft", texts: {} };

export const slugCharsMax = 100;
export const categoryCharsMax = 60;
export const titleCharsMax = 200;
export const summaryCharsMax = 500;
export const bodyCharsMax = 80_000;
export const questionCharsMax = 300;
export const questionsMax = 50;
/** What an import takes at once. */
export const importBytesMax = 8 * 1024 * 1024;
export const importFilesMax = 1_000;
export const crawlPagesMax = 500;

/** What a reader can change of an article. */
export function contentOf(article: Article): ArticleContent {
  const { slug, category, state, texts } = article;
  return { slug, category, state, texts };
}

/** The text in a language; the empty one where there is none. */
export function textIn(texts: ArticleTexts, locale: string): ArticleText {
  return (Object.hasOwn(texts, locale) ? texts[locale] : undefined) ?? noText;
}

/** Puts a text in its place; one with nothing in it is left out. */
export function withText(texts: ArticleTexts, locale: string, change: Partial<ArticleText>): ArticleTexts {
  const text = { ...textIn(texts, locale), ...change };
  const rest = Object.entries(texts).filter(([known]) => known !== locale);
  return Object.fromEntries(isEmpty(text) ? rest : [...rest, [locale, text]]);
}

/** What an article's category is called for a reader. */
export function categoryIn({ category, texts }: Pick<ArticleContent, "category" | "texts">, locale: string): string {
  return textIn(texts, locale).category || category;
}

/** The name of a category alone is no text. */
function isEmpty({ title, summary, body, questions }: ArticleText): boolean {
  return title === "" && summary === "" && body === "" && questions.length === 0;
}

/** Without blanks around texts and without empty questions and languages. */
export function tidyContent(content: ArticleContent): ArticleContent {
  let texts: ArticleTexts = {};
  for (const [locale, text] of Object.entries(content.texts)) {
    texts = withText(texts, locale, { title: text.title.trim(), summary: text.summary.trim(), body: text.body.trim(), category: text.category.trim(), questions: text.questions.map((question) => question.trim()).filter((question) => question !== "") });
  }
  return { ...content, slug: content.slug.trim(), category: content.category.trim(), texts };
}

export type Coverage = { readonly locale: Locale; readonly state: "whole" | "part" | "none" };

/** In which languages an article can be read. */
export function coverage(texts: ArticleTexts): readonly Coverage[] {
  return LOCALES.map((locale) => {
    const { title, body } = textIn(texts, locale);
    const written = [title, body].filter((part) => part.trim() !== "").length;
    return { locale, state: written === 2 ? "whole" : written === 1 ? "part" : "none" };
  });
}

/** The title in the reader's language, else in one there is. */
export function titleOf(texts: ArticleTexts, locale: string): string {
  const own = textIn(texts, locale).title;
  if (own !== "") return own;
  return Object.values(texts).find((text) => text.title !== "")?.title ?? "";
}

export type ContentProblem =
  | { readonly field: "slug"; readonly problem: "empty" | "characters" }
  | { readonly field: "title" | "body"; readonly locale: string; readonly problem: "empty" }
  | { readonly field: "texts"; readonly problem: "empty" };

/** What an article lacks before it can be saved; the first of it. */
export function contentProblem(content: ArticleContent): ContentProblem | null {
  const written = Object.entries(content.texts);
  if (written.length === 0) return { field: "texts", problem: "empty" };
  for (const [locale, text] of written) {
    if (text.title.trim() === "") return { field: "title", locale, problem: "empty" };
    if (content.state === "published" && text.body.trim() === "") return { field: "body", locale, problem: "empty" };
  }
  const slug = content.slug.trim();
  if (slug === "") return { field: "slug", problem: "empty" };
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) ? null : { field: "slug", problem: "characters" };
}

/** A part of an address made of a title: Latin letters, Chinese by how it is read, digits and hyphens; empty where the title has none. */
export function slugOf(title: string): string {
  return inLatin(title)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, slugCharsMax)
    .replace(/^-+|-+$/g, "");
}

/** Where the help centre shows an article, relative to the console; null where nobody can read it there. */
export function helpPath(article: ArticleContent, inboxKey: string, locale: string): string | null {
  const [first] = [locale, ...LOCALES].filter((known) => textIn(article.texts, known).title !== "");
  if (article.state !== "published" || article.slug === "" || first === undefined) return null;
  return `help/${encodeURIComponent(inboxKey)}/${first}/${encodeURIComponent(article.slug)}`;
}

/** The help centre of an inbox, relative to the console. */
export function helpHome(inboxKey: string, locale: string): string {
  return `help/${encodeURIComponent(inboxKey)}?lang=${encodeURIComponent(locale)}`;
}

export type Piece = { readonly text: string; readonly hit: boolean };

const letter = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]/u;

/** A passage with the words that were found marked. What is written with spaces is found from its beginning on, as far as the word goes. */
export function highlight(passage: string, words: readonly string[]): readonly Piece[] {
  const low = passage.toLowerCase();
  // What changes its length with its case cannot be pointed at.
  const wanted = low.length === passage.length ? [...new Set(words.map((word) => word.toLowerCase()).filter((word) => word.trim() !== ""))].sort((a, b) => b.length - a.length) : [];
  const pieces: Piece[] = [];
  let plain = 0;
  let at = 0;
  while (at < passage.length) {
    const inside = at > 0 && letter.test(low[at - 1] ?? "") && letter.test(low[at] ?? "");
    const word = inside ? undefined : wanted.find((known) => low.startsWith(known, at));
    if (word === undefined) {
      at += 1;
      continue;
    }
    let end = at + word.length;
    if (letter.test(low[end - 1] ?? "")) while (end < low.length && letter.test(low[end] ?? "")) end += 1;
    if (at > plain) pieces.push({ text: passage.slice(plain, at), hit: false });
    pieces.push({ text: passage.slice(at, end), hit: true });
    at = end;
    plain = end;
  }
  if (plain < passage.length) pieces.push({ text: passage.slice(plain), hit: false });
  return pieces;
}

/** What kind of files these are; null where there are several kinds, or none that is known. */
export function importFormat(names: readonly string[]): ImportFormat | null {
  const kinds = new Set(names.map((name) => (/\.csv$/i.test(name) ? "csv" : /\.(md|markdown|txt)$/i.test(name) ? "markdown" : "other")));
  const [kind] = kinds;
  return kinds.size === 1 && kind !== undefined && kind !== "other" ? kind : null;
}

/** Whether a text is an address on the web. */
export function isWebAddress(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text.trim()).protocol);
  } catch {
    return false;
  }
}
