// One article: written in each language in turn, with its look beside; saved as a draft or for everybody.
import type { Locale } from "@frontdesk/i18n";
import { LOCALES, LOCALE_NAMES, clockTime, dateOf } from "@frontdesk/i18n";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Article, ArticleContent, ContentProblem } from "../../model/articles";
import { categoryCharsMax, categoryIn, contentOf, contentProblem, coverage, helpPath, newArticle, noContent, slugCharsMax, slugOf, textIn, tidyContent, titleOf, withText } from "../../model/articles";
import { useConsole } from "../context";
import { Button, Field, TextField } from "../parts/controls";
import { Markdown } from "../parts/markdown";
import { Empty } from "../parts/states";
import { Confirm } from "../settings/confirm";
import { ConflictNote, useConflict } from "../settings/conflict";
import { SwitchLine } from "../settings/fields";
import { SaveBar, useDraft } from "../settings/form";
import type { Loaded } from "../settings/page";
import { Card, FormError, Load, Page, useSubmit } from "../settings/page";
import { locale, t } from "../text";
import { HelpPages } from "./help-pages";
import { StateTag } from "./list";
import { TextFields } from "./text-fields";

export function ArticlePage({ id, may }: { readonly id: string; readonly may: boolean }) {
  const app = useConsole();
  if (id === newArticle && !may) {
    return (
      <Empty icon="lock" title={t("settings.not_allowed")}>
        <p>{t("settings.not_allowed_text")}</p>
      </Empty>
    );
  }
  if (id === newArticle) return <ArticleForm loaded={null} />;
  return <Load read={() => app.api.articles.read(id)}>{(loaded) => (may ? <ArticleForm loaded={loaded} /> : <ReadArticle article={loaded.value} />)}</Load>;
}

const crumb = () => ({ href: "#/knowledge", text: t("knowledge.articles") });

/** What the reader may not change is there to be read. */
function ReadArticle({ article }: { readonly article: Article }) {
  const [language, setLanguage] = useState<Locale>(() => firstLanguage(article));
  const text = textIn(article.texts, language);
  return (
    <Page title={titleOf(article.texts, locale())} crumb={crumb()} {...(article.category === "" ? {} : { lead: categoryIn(article, language) })} action={<StateTag state={article.state} />}>
      <Card>
        <LanguageTabs content={article} shown={language} onChange={setLanguage} />
        <div class="article-read" data-testid="article-read">
          {text.summary !== "" && <p class="article-summary">{text.summary}</p>}
          {text.body === "" ? <p class="meta">{t("knowledge.no_text")}</p> : <Markdown text={text.body} lang={language} />}
        </div>
      </Card>
    </Page>
  );
}

function firstLanguage(content: ArticleContent): Locale {
  return coverage(content.texts).find((known) => known.locale === locale() && known.state !== "none")?.locale ?? coverage(content.texts).find((known) => known.state !== "none")?.locale ?? locale();
}

/** The languages of an article, with a sign where one is missing. */
function LanguageTabs({ content, shown, onChange }: { readonly content: ArticleContent; readonly shown: Locale; readonly onChange: (locale: Locale) => void }) {
  return (
    <div class="segments" role="group" aria-label={t("language")}>
      {coverage(content.texts).map(({ locale: known, state }) => (
        <button key={known} type="button" class="segment" aria-pressed={known === shown} data-testid={`article-${known}`} onClick={() => onChange(known)}>
          {LOCALE_NAMES[known]}
          {state !== "whole" && (
            <>
              <span class="segment-gap" aria-hidden="true" />
              <span class="visually-hidden">, {t(`knowledge.gap_${state}`)}</span>
            </>
          )}
        </button>
      ))}
    </div>
  );
}

function ArticleForm({ loaded }: { readonly loaded: Loaded<Article> | null }) {
  const app = useConsole();
  const article = loaded?.value ?? null;
  const saved = article === null ? noContent : contentOf(article);
  const draft = useDraft<ArticleContent>(saved);
  const content = draft.value;
  const submit = useSubmit();
  const conflict = useConflict<Article | null>(article, async () => (article === null ? null : app.api.articles.read(article.id)));
  const [language, setLanguage] = useState<Locale>(() => firstLanguage(saved));
  const [slugTyped, setSlugTyped] = useState(article !== null);
  const [told, setTold] = useState<ContentProblem | null>(null);
  const [removing, setRemoving] = useState(false);
  const problem = contentProblem(content);
  const form = useRef<HTMLFormElement>(null);
  // What is missing may be out of sight: the keyboard goes there.
  useEffect(() => {
    if (told !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [told]);

  const putText = (change: Parameters<typeof withText>[2]) => {
    const texts = withText(content.texts, language, change);
    setTold(null);
    // The address follows the title until it is written by hand; English titles make the better ones.
    const slug = slugTyped ? content.slug : slugOf(textIn(texts, "en").title) || slugOf(textIn(texts, language).title);
    draft.set({ texts, slug });
  };
  const save = async () => {
    const tidy = tidyContent(content);
    const done = await conflict.save(async (known) => (known === null ? app.api.articles.add(tidy) : app.api.articles.change(known.id, tidy, known.revision)));
    if (done === null) return;
    // A new one goes on at an address of its own.
    draft.reset(article === null ? saved : contentOf(done));
    loaded?.put(done);
    return done.id;
  };
  const submitted = async () => {
    if (problem !== null) {
      setTold(problem);
      if ("locale" in problem) setLanguage(LOCALES.find((known) => known === problem.locale) ?? language);
      return;
    }
    setTold(null);
    let id: string | undefined;
    const done = await submit.run(async () => {
      id = await save();
    });
    if (done && article === null && id !== undefined) app.go({ page: "knowledge", article: id });
  };
  const errorOf = (field: "title" | "body" | "slug"): string | null => {
    const own = told !== null && told.field === field && (!("locale" in told) || told.locale === language);
    if (own) return t(field === "slug" && told.problem === "characters" ? "knowledge.slug_characters" : `knowledge.${field}_empty`);
    return field === "slug" ? submit.errorOf("slug") : submit.errorOf(`texts.${language}.${field}`);
  };
  return (
    <Page
      wide
      crumb={crumb()}
      title={article === null ? t("knowledge.new") : titleOf(content.texts, locale()) || article.slug}
      {...(article === null ? { lead: t("knowledge.new_lead") } : {})}
      action={
        article !== null && (
          <span class="page-actions">
            <HelpPages label={t("knowledge.help_page")} path={(inbox) => helpPath(article, inbox.inbox_key, language)} />
            <Button kind="danger" icon="trash-2" testid="remove-article" onClick={() => setRemoving(true)}>
              {t("remove")}
            </Button>
          </span>
        )
      }
    >
      <form
        ref={form}
        class="article-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submitted();
        }}
      >
        <div class="cards">
          <ConflictNote
            conflict={conflict}
            onTheirs={(theirs) => {
              if (theirs === null) return;
              submit.clear();
              loaded?.put(theirs);
              draft.reset(contentOf(theirs));
            }}
          />
          <Card>
            <LanguageTabs content={content} shown={language} onChange={setLanguage} />
            <TextFields key={language} language={language} text={textIn(content.texts, language)} onChange={putText} titleError={errorOf("title") ?? (told?.field === "texts" ? t("knowledge.title_empty") : null)} bodyError={errorOf("body")} />
          </Card>
          <FormError submit={submit} />
          <SaveBar
            draft={{
              dirty: draft.dirty,
              reset: () => {
                setTold(null);
                draft.reset();
              },
            }}
            submit={submit}
            testid="article-save"
          />
        </div>
        <div class="cards article-side">
          <Card title={t("knowledge.publishing")}>
            <SwitchLine label={t("knowledge.published")} help={content.state === "published" ? t("knowledge.published_text") : t("knowledge.draft_text")} checked={content.state === "published"} testid="article-published" onChange={(on) => draft.set({ state: on ? "published" : "draft" })} />
            <div class="form article-place">
              <CategoryField value={content.category} onChange={(category) => draft.set({ category })} error={submit.errorOf("category")} />
              {content.category.trim() !== "" && textIn(content.texts, language).title !== "" && (
                <TextField
                  label={t("knowledge.category_name", { language: LOCALE_NAMES[language] })}
                  help={t("knowledge.category_name_help")}
                  lang={language}
                  value={textIn(content.texts, language).category}
                  maxlength={categoryCharsMax}
                  placeholder={content.category}
                  error={submit.errorOf(`texts.${language}.category`)}
                  onInput={(category) => putText({ category })}
                  testid="article-category-name"
                />
              )}
              <TextField
                label={t("knowledge.slug")}
                help={t("knowledge.slug_help")}
                value={content.slug}
                maxlength={slugCharsMax}
                error={errorOf("slug")}
                onInput={(slug) => {
                  setSlugTyped(true);
                  setTold(null);
                  draft.set({ slug: slug.toLowerCase() });
                }}
                testid="article-slug"
              />
            </div>
          </Card>
          {article !== null && <About article={article} />}
        </div>
      </form>
      {removing && article !== null && (
        <Confirm
          title={t("knowledge.remove")}
          text={t("knowledge.remove_text", { title: titleOf(article.texts, locale()) || article.slug })}
          action={t("remove")}
          run={async () => {
            await app.api.articles.remove(article.id);
            draft.reset();
            app.go({ page: "knowledge", article: null });
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </Page>
  );
}

/** Any word; those that are in use are offered. */
function CategoryField({ value, error, onChange }: { readonly value: string; readonly error: string | null; readonly onChange: (category: string) => void }) {
  const app = useConsole();
  const [known, setKnown] = useState<readonly string[] | null>(null);
  const look = () => {
    if (known !== null) return;
    setKnown([]);
    // Without them the field takes any word all the same.
    app.api.articles.list({ q: "", category: "", state: "" }).then(
      (page) => setKnown([...new Set(page.articles.map((article) => article.category))].filter((name) => name !== "")),
      () => undefined,
    );
  };
  return (
    <Field label={t("knowledge.category")} help={t("knowledge.category_help")} error={error}>
      {(ids) => (
        <>
          <input {...ids} type="text" class="input" list={`${ids.id}-known`} value={value} maxLength={categoryCharsMax} autocomplete="off" data-testid="article-category" onFocus={look} onInput={(event) => onChange(event.currentTarget.value)} />
          <datalist id={`${ids.id}-known`}>
            {(known ?? []).map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function About({ article }: { readonly article: Article }) {
  const app = useConsole();
  const now = app.now.value;
  const moment = (atMs: number) => `${dateOf(atMs, now, locale())} ${clockTime(atMs, locale())}`;
  return (
    <Card title={t("knowledge.about")} testid="article-about">
      <dl class="facts">
        <div class="fact">
          <dt>{t("knowledge.readers")}</dt>
          <dd>
            {article.helpful + article.unhelpful === 0 ? t("knowledge.no_votes") : `${t("knowledge.helpful", { count: article.helpful })}, ${t("knowledge.unhelpful", { count: article.unhelpful })}`}
          </dd>
        </div>
        <div class="fact">
          <dt>{t("knowledge.updated")}</dt>
          <dd>{moment(article.updated_ms)}</dd>
        </div>
        <div class="fact">
          <dt>{t("knowledge.created")}</dt>
          <dd>{moment(article.created_ms)}</dd>
        </div>
        {(article.origin ?? "") !== "" && (
          <div class="fact" data-testid="article-origin">
            <dt>{t("knowledge.origin")}</dt>
            <dd>
              {article.origin === "files" ? t("knowledge.origin_files") : article.origin}
              <p class="meta">{t("knowledge.origin_text")}</p>
            </dd>
          </div>
        )}
      </dl>
    </Card>
  );
}
