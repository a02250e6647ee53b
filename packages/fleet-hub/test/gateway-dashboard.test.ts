import { get, request } from "node:http";
import { expect, it, onTestFinished, vi } from "vitest";
import { addRealMaster, MID, SUFFIX, startGateway } from "./support/start-gateway.ts";

interface Place {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}
interface Event {
  readonly type: string;
  readonly instance: { readonly id: string; readonly url: string; readonly status: string } | null;
}

/** What NodePassDash 4.0.5 sends, in the order in which it does, and what it relies on. */
async function beNodePassDash({ port, headers }: Place, startKey: string): Promise<string> {
  let key = startKey;
  const ask = (method: string, path: string, body?: unknown) =>
    new Promise<{ status: number; type: string; body: unknown }>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: "127.0.0.1", port, method, path: `/api${path}` },
          headers: {
            ...{ ...headers, "X-API-Key": key, "User-Agent": "Go-http-client/1.1" },
            ...{ "Accept-Encoding": "gzip" },
            ...(body !== undefined && { "Content-Type": "application/json" }),
          },
        },
        (response) => {
          let text = "";
          response.on("data", (piece: Buffer) => {
            text += piece;
          });
          response.on("end", () => {
            const type = response.headers["content-type"] ?? "";
            const parsed: unknown = text === "" ? undefined : JSON.parse(text);
            resolve({ status: response.statusCode ?? 0, type, body: parsed });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });

  // Its probe, and then the stream.
  const list = await ask("GET", "/instances");
  expect(list).toMatchObject({ status: 200, type: "application/json" });
  const events: Event[] = [];
  const stream = await new Promise<{ readonly text: () => string; readonly ended: () => boolean }>(
    (resolve) => {
      const sent = get(
        {
          ...{ host: "127.0.0.1", port, path: "/api/events" },
          headers: {
            ...{ ...headers, "X-API-Key": key, Accept: "text/event-stream" },
            ...{ "Cache-Control": "no-cache", "Accept-Encoding": "gzip" },
          },
        },
        (response) => {
          expect(response.statusCode).toBe(200);
          expect(response.headers["content-type"]).toBe("text/event-stream");
          expect(response.headers["content-encoding"]).toBeUndefined();
          let text = "";
          let ended = false;
          response.setEncoding("utf8");
          response.on("data", (piece: string) => {
            text += piece;
            events.length = 0;
            for (const [, data = ""] of text.matchAll(/^data: (.*)$/gm))
              events.push(JSON.parse(data));
          });
          response.on("end", () => {
            ended = true;
          });
          resolve({ text: () => text, ended: () => ended });
        },
      );
      onTestFinished(() => {
        sent.destroy();
      });
    },
  );
  const has = (type: string, id: string, also: Partial<Event["instance"]> = {}) =>
    vi.waitFor(
      () =>
        expect(events).toContainEqual(
          expect.objectContaining({ type, instance: expect.objectContaining({ id, ...also }) }),
        ),
      { timeout: 3000 },
    );
  await has("initial", "********");
  expect(stream.text().startsWith("retry: 3000\n\n")).toBe(true);
  expect(await ask("GET", "/info")).toMatchObject({ status: 200, body: { ver: "1.14.0" } });

  const url = "client://127.0.0.1:0/127.0.0.1:9?log=info&&mode=1";
  const made = await ask("POST", "/instances", { url });
  expect(made).toMatchObject({ status: 201, body: { status: "running", url } });
  const { id } = made.body as { id: string };
  await has("create", id, { url });
  const patch = async (body: unknown, shows: object) => {
    const answered = await ask("PATCH", `/instances/${id}`, body);
    expect(answered).toMatchObject({ status: 200, body: { id, ...shows } });
  };
  await patch({ alias: "web" }, { alias: "web" });
  await patch({ restart: false }, { restart: false });
  await patch({ meta: { tags: { a: "b" } } }, { meta: { tags: { a: "b" } } });
  const peer = { sid: "11111111-2222-4333-8444-555555555555", type: "1", alias: null };
  await patch({ meta: { peer } }, { meta: { tags: { a: "b" }, peer: { ...peer, alias: "" } } });
  await patch({ meta: { tags: {} } }, { meta: { tags: {} } });
  await patch({ action: "stop" }, { status: "stopped" });
  await has("update", id, { status: "stopped" });
  await patch({ action: "start" }, { status: "running" });
  await patch({ action: "restart" }, { status: "running" });
  await patch({ action: "reset" }, { tcprx: 0 });
  const next = url.replace(":9?", ":10?");
  expect(await ask("PUT", `/instances/${id}`, { url: next })).toMatchObject({ status: 200 });
  // Byte for byte as it was sent, and running, within 3 s.
  await has("update", id, { url: next, status: "running" });
  expect(await ask("GET", `/instances/${id}`)).toMatchObject({ status: 200, body: { url: next } });
  // It does not encode the target.
  const target = `127.0.0.1:${port}`;
  expect(await ask("GET", `/tcping?target=${target}`)).toMatchObject({
    status: 200,
    body: { target, connected: true },
  });
  expect(await ask("DELETE", `/instances/${id}`)).toEqual({
    status: 204,
    type: "",
    body: undefined,
  });
  await has("delete", id);
  expect(await ask("DELETE", `/instances/${id}`)).toMatchObject({ status: 404 });

  const renewed = await ask("PATCH", "/instances/********", { action: "restart" });
  key = (renewed.body as { url: string }).url;
  expect(key).not.toBe(startKey);
  await vi.waitFor(() => expect(stream.ended()).toBe(true));
  expect(events.at(-1)).toMatchObject({ type: "shutdown", instance: null });
  expect(await ask("GET", "/info")).toMatchObject({ status: 200 });
  return key;
}

it("is what NodePassDash takes it for: a master, directly, by host name and by port", async () => {
  const gateway = await startGateway();
  const { master, direct } = await addRealMaster(gateway);
  const { port, ownPort } = gateway;
  const places = [
    { port: Number(new URL(direct).port), headers: {} },
    { port, headers: { Host: `${MID}.${SUFFIX}:${port}` } },
    { port: ownPort, headers: {} },
  ];
  let key = master.apiKey;
  for (const place of places) key = await beNodePassDash(place, key);
});
