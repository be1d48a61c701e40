// How to reach a visitor whom nobody can answer now: what the server knows, and what the visitor adds.
import type { Files } from "./files";

export type Contact = { readonly name: string; readonly email: string; readonly phone: string };

export async function readContact(files: Files): Promise<Contact> {
  const known = (await request(files, "GET")) as Partial<Record<keyof Contact, unknown>> | undefined;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return { name: text(known?.name), email: text(known?.email), phone: text(known?.phone) };
}

/** Leaves out what is empty: the server keeps what it has. */
export async function saveContact(files: Files, contact: Contact): Promise<void> {
  const given = Object.entries(contact).filter(([, value]) => value.trim() !== "");
  await request(files, "PUT", Object.fromEntries(given.map(([name, value]) => [name, value.trim()])));
}

async function request(files: Files, method: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${files.baseUrl}api/v1/visitor/contact`, {
    method,
    headers: {
      "x-frontdesk": "1",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(await files.client.authorization()),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    credentials: "omit",
  });
  if (!answer.ok) throw new Error(`contact: ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}
