import { expect, test } from "vitest";
import { ProvedConnections } from "./proved-connections.ts";

test("of too many the oldest without a stream goes, then the oldest", () => {
  const sessions = { size: 1 };
  const proved = new ProvedConnections(sessions);
  const dropped: number[] = [];
  const connect = (at: number, streams: number) => {
    const connection = { streams, drop: () => dropped.push(at) };
    expect(proved.add(connection)).toBe(true);
    expect(proved.add(connection)).toBe(false);
    return connection;
  };
  const all = Array.from({ length: 129 }, (_, at) => connect(at, at === 100 ? 0 : 1));
  connect(129, 1);
  connect(130, 1);
  expect(dropped).toEqual([100, 0]);
  const [, second] = all;
  if (second !== undefined) proved.delete(second);
  connect(131, 1);
  expect(dropped).toEqual([100, 0]);
  // Each client of the port has one.
  sessions.size = 3;
  connect(132, 1);
  connect(133, 1);
  expect(dropped).toEqual([100, 0]);
  connect(134, 1);
  expect(dropped).toEqual([100, 0, 2]);
});
