import { type ApiRequest, MAX_MEMBER_REQUESTS } from "@nodepass/fleet-protocol";
import { MEMBER_PERMISSIONS } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { PassThrough } from "./pass-through.ts";

const request: ApiRequest = {
  ...{ method: "GET", path: "/api/info", headers: [], body: new Uint8Array(0) },
  ...({ access: "admin", remote: "192.0.2.1", stream: "ab", credit: 1 } as const),
};

function passTo(ask: (request: Request) => Promise<Response>, timeoutMs?: number) {
  return new PassThrough({ ask, allow: MEMBER_PERMISSIONS, sendChunk: () => true, timeoutMs });
}

const errorOf = (body: Uint8Array) => JSON.parse(new TextDecoder().decode(body)).error;

test("who waits in vain for this master's API is told so, and the API is let go", async () => {
  let isGone = false;
  const passThrough = passTo(({ signal }) => {
    signal.addEventListener("abort", () => {
      isGone = true;
    });
    return new Promise(() => undefined);
  }, 30);
  const { status, body } = await passThrough.answer(request);
  expect([status, errorOf(body), isGone]).toEqual([504, "no answer within 0.03 s", true]);
});

test("64 requests are answered at once, whatever hubs send; the next comes again", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const passThrough = passTo(async () => {
    await held;
    return new Response("ok");
  });
  expect(MAX_MEMBER_REQUESTS).toBe(64);
  const all = Array.from({ length: 64 }, () => passThrough.answer(request));
  const { status, headers, body } = await passThrough.answer(request);
  expect([status, errorOf(body)]).toEqual([503, "too many requests to this master are in flight"]);
  expect(headers).toContainEqual(["retry-after", "1"]);
  release();
  for (const answer of await Promise.all(all)) expect(answer.status).toBe(200);
  expect((await passThrough.answer(request)).status).toBe(200);
});
