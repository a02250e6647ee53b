import { createServer } from "node:http";
import { type Duplex, PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { interceptConnections } from "./intercept-connections.ts";

test("gives connections to who takes them, and serves those that he lets through", () => {
  const server = createServer();
  const seen: Duplex[] = [];
  const served = vi.fn();
  const [own] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", served);
  interceptConnections(server, (socket, serve) => {
    seen.push(socket);
    if (seen.length === 1) serve(socket);
  });
  const [first, second] = [new PassThrough(), new PassThrough()];
  server.emit("connection", first);
  server.emit("connection", second);
  expect(seen).toEqual([first, second]);
  expect(served).toHaveBeenCalledExactlyOnceWith(first);
  expect(own).toBeTypeOf("function");
});

test.each([
  ["none", 0],
  ["two", 2],
])("refuses a server with %s of Node's listeners, and leaves it as it was", (_what, count) => {
  const server = createServer();
  if (count === 0) server.removeAllListeners("connection");
  else server.on("connection", () => {});
  const before = server.listeners("connection");
  expect(() => interceptConnections(server, () => {})).toThrow(/listeners for new connections/);
  expect(server.listeners("connection")).toEqual(before);
});
