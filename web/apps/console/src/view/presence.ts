import type { Presence } from "../model/types";
import { t } from "./text";

export function presenceText(presence: Presence): string {
  return presence === "online" ? t("presence.online") : presence === "away" ? t("presence.away") : t("presence.offline");
}
