// Brings in articles from files: Markdown, one article each, or a table of questions and answers.
import { fileSize } from "@frontdesk/i18n";
import { useRef, useState } from "preact/hooks";
import type { FileProblem, ImportFile, ImportResult } from "../../model/articles";
import { importBytesMax, importFilesMax, importFormat } from "../../model/articles";
import { useConsole } from "../context";
import { Explained } from "../failure";
import { useDrop } from "../inbox/drop";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Dialog, DialogFoot } from "../parts/overlay";
import { SwitchLine } from "../settings/fields";
import { FormError, useSubmit } from "../settings/page";
import { locale, t } from "../text";
import { fileProblemText } from "../trouble";

export function ImportDialog({ onClose, onDone }: { readonly onClose: () => void; readonly onDone: () => void }) {
  const app = useConsole();
  const picker = useRef<HTMLInputElement>(null);
  const [files, setFiles] = useState<readonly File[]>([]);
  const [publish, setPublish] = useState(true);
  const [result, setResult] = useState<ImportResult | null>(null);
  const submit = useSubmit();
  const add = (more: readonly File[]) => {
    submit.clear();
    setFiles((before) => [...before.filter((known) => !more.some((one) => one.name === known.name)), ...more]);
  };
  const { dropping, target } = useDrop(add);
  const format = importFormat(files.map((file) => file.name));
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const trouble = files.length === 0 ? null : format === null ? t("knowledge.import_kinds") : files.length > importFilesMax ? t("knowledge.import_many", { max: importFilesMax }) : bytes > importBytesMax ? t("knowledge.import_large", { size: fileSize(importBytesMax, locale()) }) : null;
  const run = async () => {
    if (format === null) return;
    const read: ImportFile[] = [];
    for (const file of files) {
      const text = await file.text().catch(() => null);
      if (text === null) throw new Explained("knowledge.import_unreadable", { name: file.name });
      read.push({ name: file.name, text });
    }
    setResult(await app.api.articles.import(format, read, publish));
    onDone();
  };
  if (result !== null) return <Imported result={result} onClose={onClose} onAgain={() => { setFiles([]); setResult(null); }} />;
  return (
    <Dialog title={t("knowledge.import_title")} onClose={onClose} testid="import-dialog">
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (files.length > 0 && trouble === null) void submit.run(run, { silent: true });
        }}
      >
        <p>{t("knowledge.import_text")}</p>
        <div class={dropping ? "drop-place drop-place-over" : "drop-place"} {...target}>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            accept=".md,.markdown,.txt,.csv,text/markdown,text/csv,text/plain"
            data-testid="import-files"
            onChange={(event) => {
              add([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
          <Icon name="upload" size={24} />
          <p>{t("knowledge.import_drop")}</p>
          <Button testid="import-choose" onClick={() => picker.current?.click()}>
            {t("knowledge.import_choose")}
          </Button>
        </div>
        {files.length > 0 && (
          <ul class="import-files" aria-label={t("knowledge.import_chosen")}>
            {files.map((file) => (
              <li key={file.name}>
                <Icon name="file" />
                <span class="import-name">{file.name}</span>
                <span class="meta number">{fileSize(file.size, locale())}</span>
                <Button size="small" kind="quiet" icon="x" label={t("remove_named", { name: file.name })} onClick={() => setFiles(files.filter((other) => other !== file))} />
              </li>
            ))}
          </ul>
        )}
        {trouble !== null && (
          <p class="form-error" role="alert">
            <Icon name="circle-alert" />
            {trouble}
          </p>
        )}
        <SwitchLine label={t("knowledge.import_publish")} help={t("knowledge.import_publish_text")} checked={publish} testid="import-publish" onChange={setPublish} />
        <FormError submit={submit} />
        <DialogFoot onCancel={onClose} action={t("knowledge.import")} busy={submit.busy} disabled={files.length === 0 || trouble !== null} testid="import-submit" />
      </form>
    </Dialog>
  );
}

function Imported({ result, onClose, onAgain }: { readonly result: ImportResult; readonly onClose: () => void; readonly onAgain: () => void }) {
  const { added, changed, unchanged, problems } = result;
  return (
    <Dialog title={t("knowledge.import_done")} onClose={onClose} testid="import-dialog">
      <div class="dialog-form" data-testid="import-result">
        <dl class="counts">
          {([["added", added], ["changed", changed], ["unchanged", unchanged]] as const).map(([name, count]) => (
            <div key={name}>
              <dt>{t(`knowledge.import_${name}`)}</dt>
              <dd class="number">{count.toLocaleString(locale())}</dd>
            </div>
          ))}
        </dl>
        <Problems problems={problems} />
        <footer class="dialog-foot">
          <Button onClick={onAgain}>{t("knowledge.import_more")}</Button>
          <Button kind="primary" testid="import-close" onClick={onClose}>
            {t("done")}
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}

/** What could not be read, by file and line. */
export function Problems({ problems }: { readonly problems: readonly FileProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="problems" aria-label={t("knowledge.problems", { count: problems.length })}>
      <h3>{t("knowledge.problems", { count: problems.length })}</h3>
      <ul data-testid="problems">
        {problems.map((problem, at) => (
          <li key={at}>
            {problem.file !== undefined && problem.file !== "" && (
              <code>
                {problem.file}
                {typeof problem.line === "number" && problem.line > 0 && `:${problem.line}`}
              </code>
            )}
            <span>{fileProblemText(problem)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
