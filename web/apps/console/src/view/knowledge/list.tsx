// The articles: found by words, category and state, with the languages each can be read in and what readers said.
import { relativeTime } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Article, ArticleQuery, ArticleState } from "../../model/articles";
import { categoryIn, coverage, helpHome, newArticle, titleOf } from "../../model/articles";
import { useConsole } from "../context";
import { failureText } from "../failure";
import { Button, SelectField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Empty, Failed, SkeletonRows } from "../parts/states";
import { Page } from "../settings/page";
import { locale, t } from "../text";
import { CrawlDialog } from "./crawl";
import { HelpPages } from "./help-pages";
import { ImportDialog } from "./import";
import { TryQuestion } from "./try";

/** Until the reader pauses, nothing is asked. */
const pauseMs = 250;
const everything: ArticleQuery = { q: "", category: "", state: "" };

type Known = { readonly articles: readonly Article[]; readonly next: string | null };

export function ArticleList({ may }: { readonly may: boolean }) {
  const app = useConsole();
  const [query, setQuery] = useState<ArticleQuery>(everything);
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [categories, setCategories] = useState<readonly string[]>([]);
  const [open, setOpen] = useState<"import" | "crawl" | null>(null);
  const run = useRef(0);

  const load = async (from: Known | null) => {
    const own = ++run.current;
    setBusy(true);
    setError(null);
    try {
      const page = await app.api.articles.list(query, from?.next ?? null);
      if (own !== run.current) return;
      setKnown({ articles: [...(from?.articles ?? []), ...page.articles], next: page.next ?? null });
      setCategories((before) => [...new Set([...before, ...page.articles.map((article) => article.category)])].filter((name) => name !== "").sort((a, b) => a.localeCompare(b, locale())));
    } catch (failure) {
      if (own === run.current) setError(failureText(failure));
    }
    if (own === run.current) setBusy(false);
  };
  useEffect(() => {
    const timer = setTimeout(() => void load(null), query.q === "" ? 0 : pauseMs);
    return () => clearTimeout(timer);
  }, [query]);
  useEffect(() => () => void (run.current += 1), []);

  const put = (change: Partial<ArticleQuery>) => setQuery((before) => ({ ...before, ...change }));
  const sought = query.q.trim() !== "" || query.category !== "" || query.state !== "";
  const add = () => app.go({ page: "knowledge", article: newArticle });
  return (
    <Page
      wide
      title={t("nav.knowledge")}
      lead={t("knowledge.lead")}
      action={
        <span class="page-actions">
          {(sought || known?.articles.length !== 0) && <HelpPages label={t("help_centre")} path={(inbox) => helpHome(inbox.inbox_key, locale())} />}
          {may && (
            <>
              <Button icon="upload" testid="import-articles" onClick={() => setOpen("import")}>
                {t("knowledge.import")}
              </Button>
              <Button icon="globe" testid="crawl-articles" onClick={() => setOpen("crawl")}>
                {t("knowledge.crawl")}
              </Button>
              <Button kind="primary" icon="plus" testid="add-article" onClick={add}>
                {t("knowledge.add")}
              </Button>
            </>
          )}
        </span>
      }
    >
      <div class="knowledge">
        <section class="knowledge-list" aria-label={t("knowledge.articles")}>
          <div class="knowledge-filters" role="search">
            <div class="search">
              <Icon name="search" size={14} />
              <input type="search" class="search-input" placeholder={t("knowledge.search")} aria-label={t("knowledge.search")} value={query.q} data-testid="article-search" onInput={(event) => put({ q: event.currentTarget.value })} />
            </div>
            <SelectField label={t("knowledge.category")} value={query.category} choices={[{ value: "", label: t("knowledge.category_all") }, ...categories.map((name) => ({ value: name, label: name }))]} onChange={(category) => put({ category })} testid="article-category" />
            <SelectField
              label={t("knowledge.state")}
              value={query.state}
              choices={(["", "published", "draft"] as const).map((state) => ({ value: state, label: state === "" ? t("knowledge.state_all") : t(`knowledge.${state}`) }))}
              onChange={(state) => put({ state: state as ArticleState | "" })}
              testid="article-state"
            />
          </div>
          {known === null && error === null && <SkeletonRows count={5} />}
          {known === null && error !== null && <Failed text={error} onRetry={() => void load(null)} />}
          {known !== null && error !== null && (
            <p class="form-error" role="alert">
              <Icon name="circle-alert" />
              {error}
            </p>
          )}
          {known !== null && known.articles.length === 0 && !busy && (sought ? <NoneFound onAll={() => setQuery(everything)} /> : <NoneYet may={may} onAdd={add} onImport={() => setOpen("import")} />)}
          {known !== null && known.articles.length > 0 && (
            <ul class="article-lines" aria-busy={busy} data-testid="articles">
              {known.articles.map((article) => (
                <ArticleLine key={article.id} article={article} />
              ))}
            </ul>
          )}
          {known !== null && known.next !== null && (
            <span>
              <Button size="small" busy={busy} testid="articles-more" onClick={() => void load(known)}>
                {t("show_more")}
              </Button>
            </span>
          )}
        </section>
        <aside class="knowledge-side">
          <TryQuestion />
        </aside>
      </div>
      {open === "import" && <ImportDialog onClose={() => setOpen(null)} onDone={() => void load(null)} />}
      {open === "crawl" && <CrawlDialog onClose={() => setOpen(null)} onDone={() => void load(null)} />}
    </Page>
  );
}

function NoneFound({ onAll }: { readonly onAll: () => void }) {
  return (
    <Empty icon="search" title={t("knowledge.none_found")}>
      <p>{t("knowledge.none_found_text")}</p>
      <Button onClick={onAll}>{t("knowledge.show_all")}</Button>
    </Empty>
  );
}

function NoneYet({ may, onAdd, onImport }: { readonly may: boolean; readonly onAdd: () => void; readonly onImport: () => void }) {
  return (
    <Empty icon="book-open" title={t("knowledge.none")}>
      <p>{may ? t("knowledge.none_text") : t("knowledge.none_text_read")}</p>
      {may && (
        <span class="page-actions">
          <Button kind="primary" icon="plus" onClick={onAdd}>
            {t("knowledge.add")}
          </Button>
          <Button icon="upload" onClick={onImport}>
            {t("knowledge.import")}
          </Button>
        </span>
      )}
    </Empty>
  );
}

function ArticleLine({ article }: { readonly article: Article }) {
  const app = useConsole();
  const title = titleOf(article.texts, locale());
  return (
    <li>
      <a class="article-line" href={`#/knowledge/${article.id}`} data-testid="article" data-state={article.state}>
        <span class="article-line-head">
          <span class="article-line-title">{title === "" ? article.slug : title}</span>
          <StateTag state={article.state} />
        </span>
        <span class="article-line-about meta">
          {article.category !== "" && <span class="article-line-category">{categoryIn(article, locale())}</span>}
          <Languages article={article} />
          <Votes article={article} />
          <time dateTime={new Date(article.updated_ms).toISOString()}>{relativeTime(article.updated_ms, app.now.value, locale())}</time>
        </span>
      </a>
    </li>
  );
}

export function StateTag({ state }: { readonly state: ArticleState }) {
  return (
    <span class={state === "published" ? "tag tag-ok" : "tag"}>
      <Icon name={state === "published" ? "circle-check" : "pencil"} size={12} />
      {t(`knowledge.${state}`)}
    </span>
  );
}

const signs = { whole: "✓", part: "…", none: "–" } as const;

/** In which languages it can be read: a sign for the eye, words for the ear. */
function Languages({ article }: { readonly article: Article }) {
  return (
    <span class="article-languages">
      {coverage(article.texts).map(({ locale: known, state }) => (
        <span key={known} class={`article-language article-language-${state}`} title={t(`knowledge.language_${state}`, { language: t(`knowledge.in_${known}`) })}>
          <span aria-hidden="true">
            {known.split("-")[0]} {signs[state]}
          </span>
          <span class="visually-hidden">{t(`knowledge.language_${state}`, { language: t(`knowledge.in_${known}`) })}</span>
        </span>
      ))}
    </span>
  );
}

function Votes({ article: { helpful, unhelpful } }: { readonly article: Article }) {
  if (helpful + unhelpful === 0) return null;
  const words = `${t("knowledge.helpful", { count: helpful })}, ${t("knowledge.unhelpful", { count: unhelpful })}`;
  return (
    <span class="article-votes number" title={words}>
      <span class="visually-hidden">{words}</span>
      <span aria-hidden="true">
        <Icon name="thumbs-up" size={12} /> {helpful.toLocaleString(locale())}
      </span>
      <span aria-hidden="true">
        <Icon name="thumbs-down" size={12} /> {unhelpful.toLocaleString(locale())}
      </span>
    </span>
  );
}
