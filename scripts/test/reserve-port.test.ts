import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { reservePort } from "../test-support/reserve-port.ts";

it("never gives the same port twice, nor one in use", async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, reservePort));
  expect(new Set(ports).size).toBe(ports.length);
  const [port = 0] = ports;
  const taken = createServer().listen(port + ports.length, "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => {
    taken.close();
  });
  const more = await Promise.all(Array.from({ length: 50 }, reservePort));
  expect(more).not.toContain(port + ports.length);
  for (const each of more) expect(ports).not.toContain(each);
});

it("gives a port that can be used at once, and below those that systems hand out", async () => {
  const port = await reservePort();
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
  expect(port).toBeLessThan(32_768);
});
