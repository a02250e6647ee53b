import { expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";

const ban = (address: string) => ({ address, until: "2026-01-02T03:04:05.000Z", offences: 3 });

test("bans are shown, and lifted one by one or all", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  service.banned = ["192.0.2.1", "2001:db8:0:0::/64", "192.0.2.3"].map(ban);
  const shown = await ask("GET", "/instances/one/bans");
  expect(await shown.json()).toEqual({ bans: service.banned });
  const address = encodeURIComponent("2001:db8:0:0::/64");
  const lifted = await ask("DELETE", `/instances/one/bans?address=${address}`);
  expect(await lifted.json()).toEqual({ lifted: 1 });
  expect(service.calls.at(-1)).toEqual({
    name: "liftBans",
    arguments: ["one", "2001:db8:0:0::/64"],
  });
  expect(await (await ask("DELETE", "/instances/one/bans")).json()).toEqual({ lifted: 2 });
  expect(await (await ask("DELETE", "/instances/one/bans")).json()).toEqual({ lifted: 0 });
});

test("an address that is not banned, and nobody's bans, are 404", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  const response = await ask("DELETE", "/instances/one/bans?address=192.0.2.9");
  expect(response.status).toBe(404);
  expect(await errorOf(response)).toBe("address 192.0.2.9 is not banned");
  expect((await ask("GET", "/instances/nobody/bans")).status).toBe(404);
  expect((await ask("DELETE", "/instances/one/bans?address=")).status).toBe(400);
});

test("a key that may only read sees them and lifts none", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one" });
  service.banned = [ban("192.0.2.1")];
  service.readKey = "r".repeat(32);
  const key = service.readKey;
  expect((await ask("GET", "/instances/one/bans", { key })).status).toBe(200);
  expect((await ask("DELETE", "/instances/one/bans", { key })).status).toBe(403);
  expect(service.banned).toHaveLength(1);
});
