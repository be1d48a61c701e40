import type { Notices as Model } from "../model/notices";
import { Button } from "./parts/controls";
import { Icon } from "./parts/icon";
import { problem, t } from "./text";

const drawings = { ok: "circle-check", info: "circle-help", danger: "circle-alert" } as const;

export function Notices({ notices }: { readonly notices: Model }) {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.list.value.map((notice) => (
        <div key={notice.id} class={`notice notice-${notice.kind}`} data-testid="notice">
          <Icon name={drawings[notice.kind]} />
          <span class="notice-text">{"key" in notice.text ? t(notice.text.key, notice.params) : problem(notice.text.code, notice.params)}</span>
          {notice.action !== null && (
            <Button
              kind="quiet"
              size="small"
              testid="notice-action"
              onClick={() => {
                notice.action?.run();
                notices.dismiss(notice.id);
              }}
            >
              {t(notice.action.label)}
            </Button>
          )}
          <Button kind="quiet" size="small" icon="x" label={t("dismiss")} onClick={() => notices.dismiss(notice.id)} />
        </div>
      ))}
    </div>
  );
}
