import { expect, test } from "vitest";
import { createAsked, errorOf } from "./support/ask.ts";

interface Ticket {
  readonly ticket: string;
  readonly expires: string;
}

const browser = { key: undefined };

test("a ticket opens one stream without the key, once", async () => {
  const { ask } = createAsked();
  const response = await ask("POST", "/events/ticket");
  expect(response.status).toBe(201);
  const { ticket, expires } = (await response.json()) as Ticket;
  expect(expires).toBe("2026-01-02T03:04:35.678Z");
  expect((await ask("GET", `/events?ticket=${ticket}`, browser)).status).toBe(200);
  const again = await ask("GET", `/events?ticket=${ticket}`, browser);
  expect(again.status).toBe(401);
  expect(await errorOf(again)).toBe("Unauthorized: Invalid ticket");
});

test("a ticket ends after 30 s", async () => {
  const { ask, clock } = createAsked();
  const { ticket } = (await (await ask("POST", "/events/ticket")).json()) as Ticket;
  clock.advance(30_000);
  expect((await ask("GET", `/events?ticket=${ticket}`, browser)).status).toBe(401);
});

test("a ticket opens nothing but events", async () => {
  const { ask } = createAsked();
  const { ticket } = (await (await ask("POST", "/events/ticket")).json()) as Ticket;
  for (const path of ["/instances", "/info", "/metrics"]) {
    expect((await ask("GET", `${path}?ticket=${ticket}`, browser)).status).toBe(401);
  }
  expect((await ask("POST", `/events/ticket?ticket=${ticket}`, browser)).status).toBe(401);
  expect((await ask("GET", `/events?ticket=${ticket}`, browser)).status).toBe(200);
});

test("only so many are kept; the oldest give way", async () => {
  const { ask } = createAsked({ events: { maxTickets: 2 } });
  const tickets: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    tickets.push(((await (await ask("POST", "/events/ticket")).json()) as Ticket).ticket);
  }
  const statuses = [];
  for (const ticket of tickets) {
    statuses.push((await ask("GET", `/events?ticket=${ticket}`, browser)).status);
  }
  expect(statuses).toEqual([401, 200, 200]);
});

test("guessed tickets are counted as wrong keys", async () => {
  const { ask } = createAsked();
  const statuses = [];
  for (let n = 0; n < 21; n += 1) {
    statuses.push((await ask("GET", "/events?ticket=guess", browser)).status);
  }
  expect(statuses.at(-2)).toBe(401);
  expect(statuses.at(-1)).toBe(429);
});

test("two tickets and an overlong one are refused before anything is opened", async () => {
  const { ask } = createAsked();
  expect((await ask("GET", "/events?ticket=a&ticket=b")).status).toBe(400);
  expect((await ask("GET", `/events?ticket=${"a".repeat(200)}`)).status).toBe(400);
});
