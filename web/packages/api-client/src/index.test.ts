import { describe, expect, it } from "vitest";
import { Api, ApiError, withQuery } from "./index";

describe("api", () => {
  it("turns a problem document into an error with its code", async () => {
    const api = new Api(() =>
      Promise.resolve({
        status: 422,
        body: { code: "request.invalid", detail: "too long", field: "name", status: 422 },
        retryAfterMs: undefined,
      }),
    );
    const error = await api.post("teams", { name: "x" }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: "request.invalid", detail: "too long", field: "name" });
  });

  it("calls an answer that never came a network error, and one without a document by its status", async () => {
    const silent = new Api(() => Promise.reject(new Error("refused")));
    await expect(silent.get("teams")).rejects.toMatchObject({ code: "network", status: 0 });
    const proxy = new Api(() => Promise.resolve({ status: 502, body: undefined, retryAfterMs: 2000 }));
    await expect(proxy.get("teams")).rejects.toMatchObject({ code: "http.502", retryAfterMs: 2000 });
  });

  it("sends method, path, headers and body as given", async () => {
    const seen: unknown[] = [];
    const api = new Api(
      (method, path, options) => {
        seen.push([method, path, options]);
        return Promise.resolve({ status: 200, body: { id: "1" }, retryAfterMs: undefined });
      },
      { authorization: "Bearer x" },
    );
    await expect(api.post("conversations", { a: 1 }, { "idempotency-key": "k" })).resolves.toEqual({ id: "1" });
    await api.get("conversations", { view: "mine", after: undefined, limit: 20 });
    expect(seen).toEqual([
      ["POST", "api/v1/conversations", { body: { a: 1 }, headers: { authorization: "Bearer x", "idempotency-key": "k" } }],
      ["GET", "api/v1/conversations?view=mine&limit=20", { headers: { authorization: "Bearer x" } }],
    ]);
  });

  it("writes queries without what is undefined", () => {
    expect(withQuery("a", {})).toBe("a");
    expect(withQuery("a", { q: "发货 ?", n: 0 })).toBe("a?q=%E5%8F%91%E8%B4%A7%20%3F&n=0");
  });
});
