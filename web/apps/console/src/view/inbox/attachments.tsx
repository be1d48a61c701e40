// The files that go out with the next message: each a chip with how far it is, or why it failed.
import { fileSize } from "@frontdesk/i18n";
import type { Attachment } from "../../model/attachments";
import type { Composer } from "../../model/composer";
import { Button } from "../parts/controls";
import { Icon } from "../parts/icon";
import { locale, problem, t } from "../text";

export function Attachments({ composer }: { readonly composer: Composer }) {
  const files = composer.attachments.value;
  if (files.length === 0) return null;
  return (
    <ul class="attachments" aria-label={t("composer.attachments")}>
      {files.map((file) => (
        <AttachmentChip key={file.id} file={file} onRemove={() => composer.removeAttachment(file.id)} />
      ))}
    </ul>
  );
}

function AttachmentChip({ file, onRemove }: { readonly file: Attachment; readonly onRemove: () => void }) {
  const { state } = file;
  const percent = state.kind === "uploading" ? Math.round(state.share * 100) : 100;
  return (
    <li class={`attachment attachment-${state.kind}`} data-testid="attachment" data-state={state.kind}>
      <Icon name={file.mediaType.startsWith("image/") ? "image" : "file"} />
      <span class="attachment-text">
        <span class="file-name">{file.name}</span>
        {state.kind === "failed" ? <span class="attachment-error">{problem(state.failure.code)}</span> : <span class="meta">{fileSize(file.sizeBytes, locale())}</span>}
      </span>
      {state.kind === "uploading" && <progress max={100} value={percent} aria-label={t("upload.progress", { name: file.name, percent })} />}
      <Button size="small" kind="quiet" icon="x" label={state.kind === "uploading" ? t("upload.cancel", { name: file.name }) : t("attachment.remove", { name: file.name })} onClick={onRemove} />
    </li>
  );
}
