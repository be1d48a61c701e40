import type { Catalog } from "../texts";
import { errorsZh } from "./errors.zh-CN";
import type { SharedKey } from "./shared.en";
import { timelineZh } from "./timeline.zh-CN";

export const sharedZh: Catalog<SharedKey> = { ...timelineZh, ...errorsZh };
