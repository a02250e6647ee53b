import { once } from "node:events";
import { createConnection } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { startMaster } from "./support/start-master.ts";

it("tells a hundred readers, of whom some never read, in bounded memory", async () => {
  const { api, master } = await startMaster();
  const { id } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  const readers = await Promise.all(Array.from({ length: 70 }, () => api.events({ keep: 1 })));
  const deaf = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const socket = createConnection(master.address.port, "127.0.0.1");
      onTestFinished(() => {
        socket.destroy();
      });
      socket.on("error", () => undefined).pause();
      const key = `X-API-Key: ${master.apiKey}\r\n`;
      socket.write(`GET /api/events HTTP/1.1\r\nHost: x\r\n${key}\r\n`);
      await once(socket, "connect");
      return socket;
    }),
  );
  const memory = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  await Promise.all(readers.map((reader) => reader.waitFor(({ type }) => type === "initial")));
  const before = memory();
  // Held back for those who don't read, these would be 300 x 8 kB x 30 = 72 MB.
  const tags = Object.fromEntries(
    Array.from({ length: 31 }, (_, index) => [`tag${index}`, "x".repeat(250)]),
  );
  for (let round = 0; round < 300; round++) {
    const meta = { tags: { ...tags, round: `${round}` } };
    expect((await api.ask("PATCH", `/instances/${id}`, { meta })).status).toBe(200);
  }
  await Promise.all(
    readers.map((reader) => reader.waitFor(({ instance }) => instance?.meta.tags.round === "299")),
  );
  expect(memory() - before).toBeLessThan(48 * 2 ** 20);
  expect(deaf.some(({ closed }) => closed)).toBe(false);

  await master.close();
  for (const reader of readers) {
    expect(await reader.ended).toBe(true);
    expect(reader.events.at(-1)?.type).toBe("shutdown");
  }
});

it("survives readers that come and go while things happen", async () => {
  const { api, master, log } = await startMaster();
  const { id } = await api.create("server://127.0.0.1:0/127.0.0.1:9");
  let running = true;
  const busy = (async () => {
    for (let round = 0; running; round++) {
      await api.ask("PATCH", `/instances/${id}`, { alias: `${round}` });
    }
  })();
  for (let round = 0; round < 40; round++) {
    const streams = await Promise.all(Array.from({ length: 6 }, () => api.events()));
    for (const { response } of streams) response.destroy();
  }
  running = false;
  await busy;
  // The places of those that went are free again: there are 256.
  const streams = await vi.waitFor(() =>
    Promise.all(Array.from({ length: 200 }, () => api.events())),
  );
  expect(streams.map(({ response }) => response.statusCode)).toEqual(Array(200).fill(200));
  await master.close();
  expect(log()).not.toMatch(/ERROR/);
});
