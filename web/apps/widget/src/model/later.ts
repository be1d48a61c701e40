// Styles and texts of what the first view does not show, in one go.
import type { Texts } from "@frontdesk/i18n";
import type { WidgetKey } from "@frontdesk/i18n/catalogs/widget.en";
import type { WidgetLaterKey } from "@frontdesk/i18n/catalogs/widget-later.en";
import styles from "../later.css?url";

export async function fetchLater(texts: Texts<WidgetKey | WidgetLaterKey>): Promise<void> {
  await Promise.all([
    fetchStyles(),
    texts.extend({
      en: () => import("@frontdesk/i18n/catalogs/widget-later.en").then((module) => module.widgetLaterEn),
      "zh-CN": () => import("@frontdesk/i18n/catalogs/widget-later.zh-CN").then((module) => module.widgetLaterZh),
    }),
  ]);
}

function fetchStyles(): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = styles;
    link.onload = () => resolve();
    link.onerror = () => {
      link.remove();
      reject(new Error("the styles could not be fetched"));
    };
    document.head.append(link);
  });
}
