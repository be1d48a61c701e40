// What a view shows when it has nothing to show: loading (as a skeleton, and only after 150 ms, by
// the style), empty with what to do next, error with cause and retry.
import type { ComponentChildren } from "preact";
import type { IconName } from "../icons";
import { t } from "../text";
import { Button } from "./controls";
import { Icon } from "./icon";

export function Empty({ icon, title, children }: { readonly icon: IconName; readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={24} />
      </span>
      <h2>{title}</h2>
      {children !== undefined && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Failed({ text, onRetry }: { readonly text: string; readonly onRetry: () => void }) {
  return (
    <div class="empty" role="alert">
      <span class="empty-icon empty-danger">
        <Icon name="triangle-alert" size={24} />
      </span>
      <h2>{t("failed.title")}</h2>
      <div class="empty-text">
        <p>{text}</p>
        <Button icon="rotate-ccw" onClick={onRetry}>
          {t("retry")}
        </Button>
      </div>
    </div>
  );
}

export function SkeletonRows({ count }: { readonly count: number }) {
  return (
    <div class="skeleton" aria-busy="true" aria-label={t("loading")} role="status">
      {Array.from({ length: count }, (_, at) => (
        <div class="skeleton-row" key={at}>
          <span class="skeleton-disc" />
          <span class="skeleton-lines">
            <span class="skeleton-line" />
            <span class="skeleton-line skeleton-short" />
          </span>
        </div>
      ))}
    </div>
  );
}

export function SkeletonTimeline() {
  return (
    <div class="skeleton skeleton-timeline" aria-busy="true" aria-label={t("loading")} role="status">
      {[46, 62, 38, 54, 30].map((_, at) => (
        <span key={at} class={`skeleton-bubble skeleton-bubble-${at}`} />
      ))}
    </div>
  );
}

export function SkeletonFacts() {
  return (
    <div class="skeleton skeleton-facts" aria-busy="true" aria-label={t("loading")} role="status">
      {[0, 1, 2].map((at) => (
        <span key={at} class="skeleton-line" />
      ))}
    </div>
  );
}
