import { request as httpRequest } from "node:http";
import { expect } from "vitest";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Asks with the very path that is given: `fetch` would tidy it up. */
function ask(base: string, { method, path, headers = {}, body }: Asked): Promise<Answered> {
  const { hostname, port, pathname } = new URL(base);
  return new Promise((resolve, reject) => {
    const path_ = `${pathname === "/" ? "" : pathname}${path}`;
    const request = httpRequest({ hostname, port, method, path: path_, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** What differs between two answers to the same request for good reason: times, and how bytes are framed. */
function comparable({ status, headers, body }: Answered, method: string): Answered {
  const { date: _date, "content-length": length, "transfer-encoding": _framing, ...same } = headers;
  return {
    status,
    headers: { ...same, ...(method === "HEAD" && { "content-length": length }) },
    body: body
      .replace(
        /"(?:uptime|sysup|cpu|mem_free|mem_used|swap_used|diskr|diskw|netrx|nettx)":\d+/g,
        "",
      )
      .replace(/"expires":"[^"]+"|"ticket":"[^"]+"/g, "")
      .replace(/^(?:process_|nodejs_).*$/gm, "")
      .replace(/up \d+ s/, ""),
  };
}

/** A way to a master: what comes before the master's own path, and headers that belong to it. */
export interface Way {
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** It shares its origin with the hub's own pages, so that pages are boxed. */
  readonly boxed: boolean;
}

const json = { "Content-Type": "application/json" };
/** Requests that change nothing, or fail: they can be made twice. */
export const CHECKS: readonly (Asked & { readonly key?: "right" | "wrong" | "none" })[] = [
  { method: "GET", path: "/api/instances" },
  { method: "GET", path: "/api/v1/instances" },
  { method: "GET", path: "/api/instances/********" },
  { method: "GET", path: "/api/instances/%2A%2A%2A%2A%2A%2A%2A%2A" },
  { method: "GET", path: "/api/instances/00000000" },
  { method: "GET", path: "/api/instances/" },
  { method: "GET", path: "/api/info" },
  { method: "HEAD", path: "/api/info" },
  { method: "HEAD", path: "/api/events" },
  { method: "GET", path: "/api/tcping?target=127.0.0.1:x" },
  { method: "GET", path: "/api/tcping?target=a&target=b" },
  { method: "GET", path: "/api/metrics" },
  { method: "GET", path: "/api/openapi.json", key: "none" },
  { method: "GET", path: "/api/docs", key: "none" },
  { method: "GET", path: "/api/docs/", key: "none" },
  { method: "GET", path: "/api/docs/swagger-ui-bundle.js", key: "none" },
  { method: "GET", path: "/api/docs/favicon-32x32.png", key: "none" },
  { method: "GET", path: "/healthz", key: "none" },
  { method: "GET", path: "/api/nothing" },
  { method: "GET", path: "/api//instances" },
  { method: "GET", path: "//instances" },
  { method: "GET", path: "/api/instances/a%2Fb" },
  { method: "GET", path: "/api/instances/%zz" },
  { method: "GET", path: "/api/../api/info" },
  { method: "GET", path: "/api/%2e%2e/api/info" },
  { method: "GET", path: "/api/instances", key: "none" },
  { method: "GET", path: "/api/instances", key: "wrong" },
  { method: "OPTIONS", path: "/api/instances", key: "none" },
  {
    method: "OPTIONS",
    path: "/api/instances",
    key: "none",
    headers: { "Access-Control-Request-Method": "PUT", Origin: "https://dash.example" },
  },
  { method: "DELETE", path: "/api/info" },
  { method: "DELETE", path: "/api/instances/00000000" },
  { method: "DELETE", path: "/api/instances/********" },
  { method: "POST", path: "/api/instances", body: "{", headers: json },
  { method: "POST", path: "/api/instances", body: '{"url":5}', headers: json },
  { method: "POST", path: "/api/instances", body: '{"url":"server://:0"}' },
  { method: "POST", path: "/api/instances", body: '{"url":"server://:0"}', key: "wrong" },
  { method: "POST", path: "/api/instances", body: '{"url":"server://:0"}', key: "none" },
  { method: "PUT", path: "/api/instances/00000000", body: '{"url":"server://:1/:2"}' },
  { method: "PATCH", path: "/api/instances/00000000", body: '{"action":"stop"}' },
  { method: "PATCH", path: "/api/instances/********", body: '{"alias":"x"}' },
  { method: "POST", path: "/api/info", body: '{"alias":"gate"}' },
  { method: "POST", path: "/api/events/ticket" },
  { method: "POST", path: "/api/nothing", body: "x" },
];

/** Asks a master directly and by each way: all must answer the same but for dates. */
export async function expectSameAnswers(
  direct: string,
  ways: Readonly<Record<string, Way>>,
  key: string,
): Promise<void> {
  const keys = { right: key, wrong: "wrong", none: undefined };
  for (const check of CHECKS) {
    const given = keys[check.key ?? "right"];
    const withKey = { ...check.headers, ...(given !== undefined && { "X-API-Key": given }) };
    const own = comparable(await ask(direct, { ...check, headers: withKey }), check.method);
    for (const [name, way] of Object.entries(ways)) {
      const headers = { ...withKey, ...way.headers };
      const passed = comparable(await ask(way.base, { ...check, headers }), check.method);
      const what = `${check.method} ${check.path} by ${name}`;
      if (!way.boxed) {
        expect(passed, what).toEqual(own);
        continue;
      }
      // The one difference: a page under the hub's own origin is boxed.
      const { "content-security-policy": policy, ...others } = passed.headers;
      const { "content-security-policy": ownPolicy, ...ownOthers } = own.headers;
      expect({ ...passed, headers: others }, what).toEqual({ ...own, headers: ownOthers });
      const plain = String(policy ?? "").replace(/,? ?sandbox [a-z -]+$/, "");
      expect(plain, what).toBe(ownPolicy ?? "");
    }
  }
}
