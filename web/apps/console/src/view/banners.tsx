// Thin bars above everything: no connection, no encryption.
import { useConsole, useDesk } from "./context";
import { Button } from "./parts/controls";
import { Icon } from "./parts/icon";
import { t } from "./text";

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Stands for good where the page came over plain http from another machine. */
export function InsecureBanner() {
  if (location.protocol !== "http:" || loopback.test(location.hostname)) return null;
  return (
    <div class="banner banner-warning" role="note" data-testid="insecure-banner">
      <Icon name="triangle-alert" />
      <span>{t("insecure")}</span>
    </div>
  );
}

export function OfflineBanner() {
  const app = useConsole();
  const { client } = useDesk();
  const connection = client.connection.value;
  const unsent = client.outbox.messages.value.filter((message) => message.state.kind === "sending").length;
  if (connection.kind === "live") return null;
  // The first connection is part of loading, not of being offline.
  if (!client.listed.value && connection.kind !== "backoff" && connection.kind !== "stopped") return null;
  if (connection.kind === "stopped") {
    return (
      <div class="banner banner-danger" role="alert" data-testid="offline-banner">
        <Icon name="wifi-off" />
        <span>{t("stopped")}</span>
        <Button size="small" onClick={() => client.start()}>
          {t("offline.retry")}
        </Button>
      </div>
    );
  }
  // Read for its tick: the seconds count down with it.
  void app.now.value;
  const seconds = connection.kind === "backoff" ? Math.max(0, Math.ceil((connection.retryAtMs - Date.now()) / 1000)) : 0;
  return (
    <div class="banner banner-warning" role="status" data-testid="offline-banner">
      <Icon name="wifi-off" />
      <span>{unsent > 0 ? t("offline.unsent", { count: unsent }) : t("offline.bar")}</span>
      {seconds > 0 && <span class="banner-aside">{t("offline.next", { count: seconds })}</span>}
      <Button size="small" onClick={() => client.reconnect()}>
        {t("offline.retry")}
      </Button>
    </div>
  );
}
