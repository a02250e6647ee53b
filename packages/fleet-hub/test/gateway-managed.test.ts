import { describe, expect, it } from "vitest";
import type { FakeFleet } from "./support/fake-fleet.ts";
import { addRealMaster, MID, type StartedGateway, startGateway } from "./support/start-gateway.ts";

const OTHER = "00000000000000b2";
const SID = "11111111-2222-4333-8444-555555555555";
const URL_NOW = "client://127.0.0.1:0/127.0.0.1:9?mode=1";
const URL_NEXT = "client://127.0.0.1:0/127.0.0.1:10?mode=1";

/** A real master whose one instance is a part of a service. */
async function startManaged(options: { readonly pair?: boolean } = {}) {
  const gateway: StartedGateway = await startGateway();
  const real = await addRealMaster(gateway);
  const { master, direct } = real;
  const created = await fetch(`${direct}/api/instances`, {
    method: "POST",
    headers: { "X-API-Key": master.apiKey },
    body: JSON.stringify({ url: URL_NOW, alias: "web" }),
  });
  const { id } = (await created.json()) as { id: string };
  const part = {
    epoch: 1,
    running: true,
    selector: "",
    state: "applied",
    reason: "",
    instance: id,
  } as const;
  gateway.fleet.addService(SID, {
    parts: [
      ...(options.pair === true
        ? [{ ...part, role: "server" as const, owner: OTHER, url: "server://:1/:2" }]
        : []),
      { ...part, role: "client", owner: MID, url: URL_NOW },
    ],
  });
  gateway.fleet.managed.set(`${MID}/${id}`, { sid: SID, part: options.pair === true ? 1 : 0 });
  const ask = async (
    method: string,
    body: unknown,
    key: string,
    path = `/api/v1/instances/${id}`,
  ) => {
    const response = await fetch(`${gateway.base}${path}`, {
      method,
      headers: { "X-API-Key": key },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text), response };
  };
  return { ...gateway, ...real, id, ask };
}

const changes = (fleet: FakeFleet) =>
  fleet.calls.filter(({ name }) => name === "changeService" || name === "removeService");

describe("a write to an instance that the fleet runs", () => {
  it.each(["operator", "own"] as const)("becomes a change of its service: %s", async (who) => {
    const { fleet, member, master, ask, id } = await startManaged();
    const key = who === "own" ? master.apiKey : fleet.token("operator");
    const put = await ask("PUT", { url: URL_NEXT }, key);
    expect(put).toMatchObject({
      status: 200,
      body: { id, alias: "web", warnings: [], changes: { inPlace: [], restarted: [] } },
    });
    expect(await ask("PATCH", { action: "stop" }, key)).toMatchObject({
      status: 200,
      body: { id },
    });
    expect(await ask("PATCH", { action: "start" }, key)).toMatchObject({ status: 200 });
    const caller = expect.objectContaining(
      who === "own"
        ? { token: `key:${MID}`, role: "admin", from: "127.0.0.1" }
        : { token: "t-operator", role: "operator" },
    );
    expect(changes(fleet).map((call) => call.arguments)).toEqual([
      [SID, { parts: [{ role: "client", url: URL_NEXT }] }, undefined],
      [SID, { parts: [{ role: "client", running: false }] }, undefined],
      [SID, { parts: [{ role: "client", running: true }] }, undefined],
    ]);
    expect(fleet.callers).toEqual([caller, caller, caller]);
    // Nothing of it was said to the master.
    const said = member.asked.filter(({ method }) => method !== "GET");
    expect(said).toEqual([]);
    expect(fleet.passed).toEqual([]);

    const gone = await ask("DELETE", undefined, key);
    expect(gone).toMatchObject({ status: 204, body: undefined });
    expect(gone.response.headers.get("access-control-allow-origin")).toBe("*");
    expect(fleet.allServices.size).toBe(0);
  });

  it("is a change only for whoever the master lets in with its full key", async () => {
    const { fleet, master, ask, direct, member } = await startManaged();
    const made = await fetch(`${direct}/api/keys/read`, {
      method: "POST",
      headers: { "X-API-Key": master.apiKey },
    });
    const { key: reading } = (await made.json()) as { key: string };
    expect(await ask("PUT", { url: URL_NEXT }, reading)).toMatchObject({
      status: 403,
      body: { error: "this key may only read" },
    });
    expect(await ask("DELETE", undefined, "wrong")).toMatchObject({ status: 401 });
    expect(await ask("DELETE", undefined, fleet.token("viewer"))).toMatchObject({ status: 403 });
    expect(changes(fleet)).toEqual([]);
    const asked = member.asked.map(({ method }) => method);
    expect(asked.filter((method) => method === "DELETE")).toEqual([]);
  });

  it("lets alias, tags, reset and restart through, each with its service's part", async () => {
    const { fleet, ask } = await startManaged();
    const key = fleet.token("operator");
    const meta = { tags: { a: "b" } };
    expect(await ask("PATCH", { alias: "new" }, key)).toMatchObject({ body: { alias: "new" } });
    expect(await ask("PATCH", { meta }, key)).toMatchObject({ body: { meta } });
    expect(await ask("PATCH", { action: "reset" }, key)).toMatchObject({ status: 200 });
    expect(await ask("PATCH", { action: "restart" }, key)).toMatchObject({ status: 200 });
    expect(changes(fleet)).toEqual([]);
    expect(fleet.passed).toHaveLength(4);
    const both = await ask("PATCH", { alias: "both", action: "stop" }, key);
    expect(both).toMatchObject({ status: 200, body: { alias: "both" } });
    expect(changes(fleet)).toHaveLength(1);
    expect(fleet.passed).toHaveLength(5);
  });

  it("takes `restart` for what it is there: a part that shall run starts with its master", async () => {
    const { fleet, ask } = await startManaged();
    const key = fleet.token("operator");
    expect(await ask("PATCH", { restart: true }, key)).toMatchObject({ status: 200 });
    expect(await ask("PATCH", { restart: false }, key)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining("starts with its master") },
    });
    expect(await ask("PATCH", { restart: false, action: "stop" }, key)).toMatchObject({
      status: 200,
    });
    expect(changes(fleet)).toHaveLength(1);
  });

  it("that no master would take is answered by the master", async () => {
    const { fleet, ask, id } = await startManaged();
    const key = fleet.token("operator");
    expect(await ask("PUT", { url: 5 }, key)).toMatchObject({ status: 400 });
    expect(await ask("PATCH", { action: "fly" }, key)).toMatchObject({ status: 400 });
    expect(await ask("PUT", { url: URL_NEXT }, key, `/api/instances/${id}x`)).toMatchObject({
      status: 404,
    });
    expect(changes(fleet)).toEqual([]);
  });

  it("that fails at the master says why", async () => {
    const { fleet, ask } = await startManaged();
    const change = fleet.changeService.bind(fleet);
    fleet.changeService = async (...given) => {
      const after = await change(...given);
      const parts = after.parts.map((part) => ({
        ...part,
        ...{ state: "failed" as const, reason: "address 127.0.0.1:1 is held" },
      }));
      return { ...after, parts };
    };
    const put = await ask("PUT", { url: URL_NEXT }, fleet.token("operator"));
    expect(put).toMatchObject({ status: 409, body: { error: "address 127.0.0.1:1 is held" } });
  });

  it("ends a pair only for a token: a master's own key has a say about its own part alone", async () => {
    const { fleet, master, ask } = await startManaged({ pair: true });
    expect(await ask("PUT", { url: URL_NEXT }, master.apiKey)).toMatchObject({ status: 200 });
    expect(changes(fleet)[0]?.arguments[1]).toEqual({ parts: [{ role: "client", url: URL_NEXT }] });
    expect(await ask("DELETE", undefined, master.apiKey)).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining("takes a token of the fleet") },
    });
    expect(await ask("DELETE", undefined, fleet.token("operator"))).toMatchObject({ status: 204 });
  });
});

it("puts a key back that an operator was shown masked", async () => {
  const { fleet, member, ask, id } = await startManaged();
  fleet.managed.clear();
  const key = fleet.token("admin");
  const real = "client://s3cret@127.0.0.1:0/127.0.0.1:11?mode=1";
  expect(await ask("PUT", { url: real }, key)).toMatchObject({ status: 200 });
  const masked = "client://***@127.0.0.1:0/127.0.0.1:12?mode=1";
  expect(await ask("PUT", { url: masked }, fleet.token("operator"))).toMatchObject({ status: 200 });
  expect(Buffer.from(member.asked.at(-1)?.body ?? []).toString()).toBe(
    JSON.stringify({ url: "client://s3cret@127.0.0.1:0/127.0.0.1:12?mode=1" }),
  );
  // An admin sees keys, and means what they write.
  expect(await ask("PUT", { url: masked }, key)).toMatchObject({
    status: 200,
    body: { url: masked },
  });
  expect(id).toMatch(/^[0-9a-f]{8}$/);
});
