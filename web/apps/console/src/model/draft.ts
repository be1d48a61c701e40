// A draft as it lies in the browser's store: what one conversation's composer holds. Read back with
// care: an older console wrote less, another page may have written anything.
import type { FileInfo, KeyValueStore } from "@frontdesk/client";
import type { Mode } from "./composer";
import type { Mention } from "./mentions";

export type Stored = {
  readonly text: string;
  readonly mode: Mode;
  readonly quoteSeq: number;
  readonly people: readonly Mention[];
  /** Files the server already has. */
  readonly files: readonly FileInfo[];
};

const empty: Stored = { text: "", mode: "reply", quoteSeq: 0, people: [], files: [] };

function isEmpty(stored: Stored): boolean {
  return stored.text === "" && stored.mode === "reply" && stored.quoteSeq === 0 && stored.files.length === 0;
}

type Loose = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Loose {
  return typeof value === "object" && value !== null;
}

function isMention(value: unknown): value is Mention {
  return isObject(value) && typeof value["id"] === "string" && typeof value["name"] === "string";
}

function isFile(value: unknown): value is FileInfo {
  return (
    isObject(value) &&
    ["id", "name", "mediaType"].every((name) => typeof value[name] === "string") &&
    ["sizeBytes", "width", "height"].every((name) => typeof value[name] === "number")
  );
}

function list<T>(value: unknown, is: (item: unknown) => item is T): T[] {
  return Array.isArray(value) ? value.filter(is) : [];
}

function parseDraft(text: string | undefined): Stored {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    // Written by something else: as good as none.
    return empty;
  }
  if (!isObject(value) || typeof value["text"] !== "string") return empty;
  const quoteSeq = value["quoteSeq"];
  return {
    text: value["text"],
    mode: value["mode"] === "note" ? "note" : "reply",
    quoteSeq: typeof quoteSeq === "number" && quoteSeq > 0 ? quoteSeq : 0,
    people: list(value["people"], isMention),
    files: list(value["files"], isFile),
  };
}

/** Those of one person, by conversation. */
export class Drafts {
  constructor(
    private readonly storage: KeyValueStore,
    private readonly prefix: string,
  ) {}

  read(conversation: string): Stored {
    return parseDraft(this.storage.get(this.prefix + conversation));
  }

  /** Writes what changed and leaves the rest as it stands. */
  change(conversation: string, change: Partial<Stored>): void {
    const next = { ...this.read(conversation), ...change };
    if (isEmpty(next)) this.storage.remove(this.prefix + conversation);
    else this.storage.set(this.prefix + conversation, JSON.stringify(next));
  }
}
