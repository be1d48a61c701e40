// Reads the pages of a site by its sitemap and makes drafts of them; goes on when the dialog is closed.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Crawl } from "../../model/articles";
import { crawlPagesMax, isWebAddress } from "../../model/articles";
import { useConsole } from "../context";
import { failureText, spoken } from "../failure";
import { Button, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { Failed, SkeletonFacts } from "../parts/states";
import { FormError, useSubmit } from "../settings/page";
import { locale, t } from "../text";
import { fileProblemText } from "../trouble";
import { Problems } from "./import";

const lookAgainMs = 1_500;
const pagesDefault = 200;

export function CrawlDialog({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const app = useConsole();
  const [crawl, setCrawl] = useState<Crawl | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [again, setAgain] = useState(false);
  const was = useRef<Crawl["state"] | null>(null);
  const submit = useSubmit();
  const look = async () => {
    try {
      const next = await app.api.articles.crawl();
      setError(null);
      setCrawl(next);
      if (was.current === "running" && next.state !== "running") onDone();
      was.current = next.state;
    } catch (failure) {
      setError(failureText(failure));
    }
  };
  const running = crawl?.state === "running";
  useEffect(() => void look(), []);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => void look(), lookAgainMs);
    return () => clearInterval(timer);
  }, [running]);
  const start = async (sitemap: string, pages: number) => {
    try {
      await app.api.articles.startCrawl(sitemap, pages);
    } catch (failure) {
      throw spoken(failure);
    }
    was.current = "running";
    setAgain(false);
    await look();
  };
  const stop = async () => {
    await app.api.articles.stopCrawl();
    await look();
  };
  return (
    <Dialog title={t("knowledge.crawl_title")} onClose={onClose} testid="crawl-dialog">
      <div class="dialog-form">
        {crawl === null && error === null && <SkeletonFacts />}
        {crawl === null && error !== null && <Failed text={error} onRetry={() => void look()} />}
        {crawl !== null && (crawl.state === "idle" || again) && <CrawlForm submit={submit} onCancel={onClose} onStart={start} />}
        {crawl !== null && crawl.state !== "idle" && !again && (
          <>
            <Progress crawl={crawl} />
            {error !== null && (
              <p class="form-error" role="alert">
                <Icon name="circle-alert" />
                {error}
              </p>
            )}
            <Problems problems={crawl.problems} />
            <FormError submit={submit} />
            <footer class="dialog-foot">
              {running ? (
                <>
                  <Button kind="danger" icon="x" busy={submit.busy} testid="crawl-stop" onClick={() => void submit.run(stop, { silent: true })}>
                    {t("knowledge.crawl_stop")}
                  </Button>
                  <Button kind="primary" onClick={onClose}>
                    {t("knowledge.crawl_leave")}
                  </Button>
                </>
              ) : (
                <>
                  <Button testid="crawl-again" onClick={() => setAgain(true)}>
                    {t("knowledge.crawl_again")}
                  </Button>
                  <Button kind="primary" testid="crawl-close" onClick={onClose}>
                    {t("done")}
                  </Button>
                </>
              )}
            </footer>
          </>
        )}
      </div>
    </Dialog>
  );
}

type FormProps = { readonly submit: ReturnType<typeof useSubmit>; readonly onCancel: () => void; readonly onStart: (sitemap: string, pages: number) => Promise<void> };

function CrawlForm({ submit, onCancel, onStart }: FormProps) {
  const [sitemap, setSitemap] = useState("");
  const [pages, setPages] = useState(String(pagesDefault));
  const count = Number(pages);
  const pagesWrong = !Number.isInteger(count) || count < 1 || count > crawlPagesMax;
  const ready = isWebAddress(sitemap) && !pagesWrong;
  return (
    <form
      class="dialog-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void submit.run(() => onStart(sitemap.trim(), count), { silent: true });
      }}
    >
      <p>{t("knowledge.crawl_text")}</p>
      <TextField label={t("knowledge.sitemap")} value={sitemap} placeholder="https://www.example.com/sitemap.xml" onInput={setSitemap} error={sitemap.trim() !== "" && !isWebAddress(sitemap) && sitemap.length > 8 ? t("knowledge.sitemap_wrong") : submit.errorOf("sitemap")} autofocus testid="crawl-sitemap" />
      <TextField label={t("knowledge.pages_max")} type="number" value={pages} onInput={setPages} error={pagesWrong ? t("knowledge.pages_wrong", { max: crawlPagesMax }) : submit.errorOf("pages_max")} testid="crawl-pages" />
      <FormError submit={submit} />
      <DialogFoot onCancel={onCancel} action={t("knowledge.crawl_start")} busy={submit.busy} disabled={!ready} testid="crawl-submit" />
    </form>
  );
}

function Progress({ crawl }: { readonly crawl: Crawl }) {
  const { state, pages, added } = crawl;
  const error = crawl.ended ? fileProblemText(crawl.ended) : crawl.error;
  return (
    <div class="crawl-progress" data-testid="crawl-progress" data-state={state}>
      <p role="status" class="crawl-state">
        {state === "running" && <span class="working" aria-hidden="true" />}
        {state === "done" && <Icon name="circle-check" />}
        {state === "failed" && <Icon name="circle-alert" />}
        <strong>{t(`knowledge.crawl_${state === "idle" ? "done" : state}`)}</strong>
      </p>
      {typeof error === "string" && error !== "" && <p class="sign-danger">{error}</p>}
      <dl class="counts">
        <div>
          <dt>{t("knowledge.crawl_pages")}</dt>
          <dd class="number">{pages.toLocaleString(locale())}</dd>
        </div>
        <div>
          <dt>{t("knowledge.crawl_added")}</dt>
          <dd class="number">{added.toLocaleString(locale())}</dd>
        </div>
      </dl>
      {state === "running" && <p class="meta">{t("knowledge.crawl_goes_on")}</p>}
    </div>
  );
}
