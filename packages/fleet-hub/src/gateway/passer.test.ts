import type { ApiAnswer } from "@nodepass/fleet-protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MemberFacts } from "../members/presence.ts";
import { createPasser, SESSION_CHECK_MS } from "./passer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MID = "00000000000000a1";
const request = {
  ...{ mid: MID, method: "GET", target: "/api/events", headers: [], body: new Uint8Array(0) },
  ...({ access: "admin", remote: "192.0.2.1", boxed: false } as const),
};

function open(answer: ApiAnswer | Error) {
  const said: string[] = [];
  let session = "1";
  const facts = () => ({ status: "online", session }) as MemberFacts;
  const passer = createPasser({
    messenger: {
      api: async () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
      credit: (_mid, { cancel }) => said.push(cancel ? "cancel" : "credit"),
      closeStream: () => said.push("close"),
    },
    presence: { facts, onStatus: () => () => undefined, onSync: () => () => undefined },
  });
  return {
    passer,
    said,
    restart: () => {
      session = "2";
    },
  };
}

const streamed: ApiAnswer = {
  status: 200,
  headers: [["content-type", "text/event-stream"]],
  body: new Uint8Array(0),
  streamed: true,
};

it("ends a stream whose member was started anew, though another hub was told", async () => {
  const { passer, said, restart } = open(streamed);
  const response = await passer.pass(request);
  expect(passer.isStreamed(response)).toBe(true);
  const read = response.body?.getReader().read();
  vi.advanceTimersByTime(SESSION_CHECK_MS);
  expect(passer.streams).toBe(1);
  restart();
  vi.advanceTimersByTime(SESSION_CHECK_MS);
  await expect(read).rejects.toThrow("the master is gone");
  expect(passer.streams).toBe(0);
  expect(said).toEqual(["cancel", "close"]);
  passer.close();
  expect(vi.getTimerCount()).toBe(0);
});

it("forgets a request that failed, here and at the member", async () => {
  const { passer, said } = open(new Error("no answer"));
  await expect(passer.pass(request)).rejects.toThrow("no answer");
  expect(said).toEqual(["cancel", "close"]);
});

it("takes no body of an answer that has none", async () => {
  const { passer, said } = open({ ...streamed, status: 204 });
  const response = await passer.pass(request);
  expect(response.body).toBeNull();
  expect(passer.streams).toBe(0);
  expect(said).toEqual(["cancel", "close"]);
});

it.each([0, 1.5, 65_537, Number.NaN])("refuses %d streams", (maxStreams) => {
  const presence = {
    facts: () => ({}) as MemberFacts,
    onStatus: () => () => undefined,
    onSync: () => () => undefined,
  };
  const messenger = {
    api: () => Promise.reject(new Error("none")),
    credit: () => undefined,
    closeStream: () => undefined,
  };
  expect(() => createPasser({ messenger, presence, maxStreams })).toThrow("1 to 65536");
});
