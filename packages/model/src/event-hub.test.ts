import { expect, it } from "vitest";
import { EventHub } from "./event-hub.ts";

it("reaches every subscriber, even after one that throws", () => {
  const failures: unknown[] = [];
  const seen: string[] = [];
  const hub = new EventHub<{ readonly type: string }>((error) => failures.push(error));
  hub.subscribe(() => {
    throw new Error("mine");
  });
  hub.subscribe(({ type }) => {
    seen.push(type);
  });
  hub.emit({ type: "shutdown" });
  expect(seen).toEqual(["shutdown"]);
  expect(failures).toHaveLength(1);
});

it("says when there is the first subscriber, and when the last is gone", () => {
  const any: boolean[] = [];
  const hub = new EventHub(
    () => undefined,
    (now) => any.push(now),
  );
  const listener = () => undefined;
  const first = hub.subscribe(listener);
  const second = hub.subscribe(listener);
  first();
  first();
  expect(hub.hasSubscribers).toBe(true);
  second();
  expect(any).toEqual([true, false]);
});
