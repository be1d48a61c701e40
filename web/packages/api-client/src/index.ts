// The HTTP API as functions: one small wrapper over an injected request. Errors are problem+json
// documents (RFC 9457) with a stable code. The shapes come from docs/openapi.json: `npm run gen`.
import type { HttpAnswer, HttpRequest } from "@frontdesk/client";
import type { components } from "./gen/openapi";

/** Bodies of requests and answers by their name in the OpenAPI document. */
export type Schemas = components["schemas"];

/** The server said no, or (code "network") said nothing. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** 0 where no answer came. */
    readonly status: number,
    /** Stable; docs/protocol.md "Errors". */
    readonly code: string,
    /** What happened this time, in English; for people who ask for it. */
    readonly detail: string,
    /** The field that is wrong, where it is one. */
    readonly field: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(detail === "" ? code : `${code}: ${detail}`);
  }

  static from(answer: HttpAnswer): ApiError {
    // Whatever stands between may answer in the server's place: no field is taken for granted.
    const body = typeof answer.body === "object" && answer.body !== null ? (answer.body as Partial<Record<keyof Schemas["ProblemBody"], unknown>>) : {};
    const text = (name: keyof Schemas["ProblemBody"]): string => (typeof body[name] === "string" ? body[name] : "");
    return new ApiError(answer.status, text("code") || `http.${answer.status}`, text("detail"), text("field"), answer.retryAfterMs);
  }
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export class Api {
  constructor(
    private readonly http: HttpRequest,
    /** Sent with every request. */
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.send<T>("GET", withQuery(path, query));
  }

  post<T>(path: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.send<T>("POST", path, body, headers);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>("PUT", path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>("PATCH", path, body);
  }

  delete(path: string): Promise<void> {
    return this.send<void>("DELETE", path);
  }

  private async send<T>(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    let answer: HttpAnswer;
    try {
      answer = await this.http(method, `api/v1/${path}`, {
        ...(body === undefined ? {} : { body }),
        headers: { ...this.headers, ...headers },
      });
    } catch {
      throw new ApiError(0, "network", "", "", undefined);
    }
    if (answer.status < 200 || answer.status > 299) throw ApiError.from(answer);
    // The shape is the server's promise: types come from its OpenAPI document.
    return answer.body as T;
  }
}

export function withQuery(path: string, query: Query): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
