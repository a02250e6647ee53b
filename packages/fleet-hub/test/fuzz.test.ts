import fc from "fast-check";
import { expect, it } from "vitest";
import { createAskedHub, MID, SID } from "./support/asked-hub.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const segment = fc.oneof(
  fc.constantFrom("fleet", "masters", "services", "tokens", "events", "export", "move", "drain"),
  fc.constantFrom("api", "v1", "instances", "keys", "full", "********", "%2e%2e", "..", ""),
  fc.constantFrom(MID, SID, "t9", "aaaaaaaa", "%zz", "%00", "a%2Fb"),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
/** Places that are there, with something behind them or not. */
const known = fc
  .tuple(
    fc.constantFrom(
      ...["/fleet", "/fleet/masters", "/fleet/services", "/fleet/instances", "/fleet/tokens"],
      ...["/fleet/audit", "/fleet/export", "/fleet/import", "/fleet/join", "/fleet/events"],
      ...[`/fleet/masters/${MID}`, `/fleet/services/${SID}`, `/fleet/services/${SID}/move`],
      ...[`/masters/${MID}`, `/masters/${MID}/api/instances`, `/masters/${MID}/api/keys`],
      ...[`/masters/${MID}/api/instances/aaaaaaaa`, `/masters/${MID}/api/v1/instances/aaaaaaaa`],
    ),
    fc.oneof(
      fc.constant(""),
      segment.map((text) => `/${text}`),
    ),
  )
  .map((both) => both.join(""));
const path = fc
  .tuple(
    fc.constantFrom("", "/v1"),
    fc.oneof(
      known,
      fc.array(segment, { maxLength: 7 }).map((all) => `/${all.join("/")}`),
    ),
  )
  .map((both) => both.join(""));
const query = fc.oneof(
  fc.constant(""),
  fc.constantFrom(
    "?selector=a%3Db",
    "?instances=true",
    "?format=nodepassdash",
    "?limit=-1",
    "?ticket=x",
  ),
  fc.string({ maxLength: 20 }).map((text) => `?${encodeURIComponent(text)}`),
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    '{"parts":[{"url":"server://:1/:2"}]}',
    '{"url":"client://a:1/b:2"}',
    '{"action":"stop","alias":"x"}',
    '{"kind":"api","role":"admin"}',
  ),
);
const ifMatch = fc.constantFrom(undefined, '"7"', "7", "*", '"\\"');

it("answers whatever it is asked, and never with a fault of its own", async () => {
  const { ask, fleet, messenger } = createAskedHub();
  messenger.add(MID, {
    fetch: (request) => Response.json({ method: request.method, url: request.url }),
  });
  fleet.managed.set(`${MID}/aaaaaaaa`, { sid: SID, part: 0 });
  const role = fc.constantFrom("viewer", "operator", "admin", undefined);
  await fc.assert(
    fc.asyncProperty(
      fc.record({ method: fc.constantFrom(...METHODS), path, query, body, ifMatch, role }),
      async (asked) => {
        const isRead = asked.method === "GET" || asked.method === "HEAD";
        const response = await ask(asked.method, asked.path + asked.query, {
          ...(asked.role === undefined ? { key: null } : { role: asked.role }),
          ...(asked.ifMatch !== undefined && { headers: { "If-Match": asked.ifMatch } }),
          ...(!isRead && asked.body !== undefined && { rawBody: asked.body }),
        });
        expect(response.status).not.toBe(500);
        const isError = response.status >= 400 && asked.method !== "HEAD";
        if (isError) expect(await response.json()).toEqual({ error: expect.any(String) });
        else await response.body?.cancel();
      },
    ),
    { numRuns: 3000 },
  );
});
