import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { MASTER_ID } from "./support/fake-service.ts";

test("GET /info has the API level, our own version, and the fields of both generations", async () => {
  const { ask } = createAsked();
  const response = await ask("GET", "/info");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    mid: MASTER_ID,
    alias: "",
    os: "linux",
    arch: "amd64",
    noc: 2,
    cpu: 13,
    mem_total: 8_000_000_000,
    mem_used: 5_000_000_000,
    mem_free: 3_000_000_000,
    swap_total: 0,
    swap_used: 0,
    swap_free: 0,
    netrx: 1,
    nettx: 2,
    diskr: 3,
    diskw: 4,
    sysup: 86_400,
    ver: "1.14.0",
    impl: "nodepass-ts 9.8.7",
    name: "host.example",
    uptime: 12,
    log: "info",
    tls: "0",
    crt: "",
    key: "",
  });
});

test("POST /info names the master and answers the whole", async () => {
  const { ask } = createAsked();
  const response = await ask("POST", "/info", { body: { alias: "edge" } });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ alias: "edge", mid: MASTER_ID });
  expect(await (await ask("GET", "/info")).json()).toMatchObject({ alias: "edge" });
});

test.each([{}, { alias: 5 }, { alias: "x".repeat(257) }, []])(
  "POST /info %j is 400",
  async (body) => {
    const { ask } = createAsked();
    expect((await ask("POST", "/info", { body })).status).toBe(400);
  },
);
