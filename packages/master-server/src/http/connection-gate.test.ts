import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { createConnectionGate } from "./connection-gate.ts";

class FakeConnection extends EventEmitter {
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function fill(gate: ReturnType<typeof createConnectionGate<FakeConnection>>, count: number) {
  return Array.from({ length: count }, () => {
    const connection = new FakeConnection();
    gate.admit(connection);
    return connection;
  });
}

it("closes the connection that has waited longest when it is full", () => {
  const gate = createConnectionGate<FakeConnection>(3);
  const [first, second, third] = fill(gate, 3);
  if (first === undefined) throw new Error("not filled");
  // It was first, but has asked since: now it has waited shortest.
  gate.enter(first)();
  expect(gate.admit(new FakeConnection())).toBe(true);
  expect([first, second, third].map((each) => each?.destroyed)).toEqual([false, true, false]);
  expect(gate.size).toBe(3);
});

it("closes none that is being answered, and the new one instead", () => {
  const gate = createConnectionGate<FakeConnection>(2);
  const connections = fill(gate, 2);
  const leave = connections.map((each) => gate.enter(each));
  const late = new FakeConnection();
  expect(gate.admit(late)).toBe(false);
  expect(late.destroyed).toBe(true);
  expect(connections.some((each) => each.destroyed)).toBe(false);
  leave[1]?.();
  expect(gate.admit(new FakeConnection())).toBe(true);
  expect(connections.map((each) => each.destroyed)).toEqual([false, true]);
});

it("closes the one that keeps its request waiting longest, when none waits for one", () => {
  const slow = new Set<FakeConnection>();
  const gate = createConnectionGate<FakeConnection>(3, (connection) => slow.has(connection));
  const connections = fill(gate, 3);
  for (const each of connections) gate.enter(each);
  const [first, , third] = connections;
  if (first === undefined || third === undefined) throw new Error("not filled");
  slow.add(first).add(third);
  // It has asked once more, since when it waits.
  gate.enter(first);
  expect(gate.admit(new FakeConnection())).toBe(true);
  expect(connections.map((each) => each.destroyed)).toEqual([false, false, true]);
});

it("counts pipelined requests", () => {
  const gate = createConnectionGate<FakeConnection>(1);
  const [connection] = fill(gate, 1);
  if (connection === undefined) throw new Error("not filled");
  const leaveFirst = gate.enter(connection);
  const leaveSecond = gate.enter(connection);
  leaveFirst();
  leaveFirst();
  expect(gate.requestsOn(connection)).toBe(1);
  leaveSecond();
  expect(gate.requestsOn(connection)).toBe(0);
});

it("forgets a connection that has closed", () => {
  const gate = createConnectionGate<FakeConnection>(1);
  const [connection] = fill(gate, 1);
  const leave = connection === undefined ? () => undefined : gate.enter(connection);
  connection?.destroy();
  leave();
  expect(gate.size).toBe(0);
  expect(gate.admit(new FakeConnection())).toBe(true);
});

it("closes all at its end", () => {
  const gate = createConnectionGate<FakeConnection>(5);
  const connections = fill(gate, 5);
  gate.destroy();
  expect(connections.every((each) => each.destroyed)).toBe(true);
  expect(gate.size).toBe(0);
});
