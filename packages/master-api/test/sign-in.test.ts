import { expect, test } from "vitest";
import { trustedEnvironment } from "../src/index.ts";
import { createAsked, errorOf } from "./support/ask.ts";

const site = {
  files: {
    page: () => Promise.reject(new Error("not asked for")),
    asset: () => Promise.resolve(undefined),
  },
  atRoot: true,
};
const browser = { key: undefined };

test("a token gives the API key once", async () => {
  const { ask, api, service } = createAsked({ site });
  const body = { token: api.issueSignIn() };
  const answer = await ask("POST", "/sign-in", { ...browser, body });
  expect([answer.status, await answer.json()]).toEqual([200, { key: service.apiKey() }]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const again = await ask("POST", "/sign-in", { ...browser, body });
  expect(again.status).toBe(401);
  expect(await errorOf(again)).toMatch(/was used, or is older than 60 s/);
});

test("it ends after 60 s, and with a new key", async () => {
  const { ask, api, clock } = createAsked({ site });
  const late = { token: api.issueSignIn() };
  clock.advance(60_000);
  expect((await ask("POST", "/sign-in", { ...browser, body: late })).status).toBe(401);
  const before = { token: api.issueSignIn() };
  expect((await ask("POST", "/keys/full")).status).toBe(201);
  expect((await ask("POST", "/sign-in", { ...browser, body: before })).status).toBe(401);
});

test("guesses are counted as wrong keys; other bodies are refused as such", async () => {
  const { ask, api } = createAsked({ site });
  const token = api.issueSignIn();
  expect((await ask("POST", "/sign-in", { ...browser, body: {} })).status).toBe(400);
  expect((await ask("POST", "/sign-in", { ...browser, body: { token: 1 } })).status).toBe(400);
  for (const [body, fault] of [
    [null, "body: expected object, received null"],
    [["x"], "body: expected object, received array"],
    [{ token: 1 }, "token: expected string, received number"],
    [{}, "token: missing"],
  ]) {
    expect(await errorOf(await ask("POST", "/sign-in", { ...browser, body }))).toBe(fault);
  }
  expect((await ask("GET", "/sign-in", browser)).status).toBe(405);
  const statuses = [];
  for (let n = 0; n < 22; n += 1) {
    const body = { token: `guess-${n}` };
    statuses.push((await ask("POST", "/sign-in", { ...browser, body })).status);
  }
  expect(statuses.slice(-2)).toEqual([429, 429]);
  // The right one is good all the same.
  expect((await ask("POST", "/sign-in", { ...browser, body: { token } })).status).toBe(200);
});

test("a ticket for events opens nothing here, nor does a token there", async () => {
  const { ask, api } = createAsked({ site });
  const { ticket } = (await (await ask("POST", "/events/ticket")).json()) as { ticket: string };
  const body = { token: ticket };
  expect((await ask("POST", "/sign-in", { ...browser, body })).status).toBe(401);
  const token = api.issueSignIn();
  expect((await ask("GET", `/events?ticket=${token}`, browser)).status).toBe(401);
});

test("without a dashboard there is no such route", async () => {
  const { ask } = createAsked();
  expect((await ask("POST", "/sign-in", { ...browser, body: { token: "x" } })).status).toBe(404);
});

test("the dashboard at / tells its methods as the API does", async () => {
  const { ask } = createAsked({ site, base: "" });
  for (const path of ["/", "/assets/a.js"]) {
    const refused = await ask("PUT", path, browser);
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect((await ask("OPTIONS", path, browser)).status).toBe(204);
  }
  expect((await ask("OPTIONS", "/nope", browser)).status).toBe(404);
});

test("a fleet's line is given the key by no link", async () => {
  const { api } = createAsked({ site });
  const request = new Request("http://master.example/api/sign-in", {
    method: "POST",
    body: JSON.stringify({ token: api.issueSignIn() }),
    headers: { "Content-Type": "application/json" },
  });
  const answer = await api.app.fetch(request, trustedEnvironment({ role: "admin" }));
  expect([answer.status, await errorOf(answer)]).toEqual([403, "the API key stays at its master"]);
});
