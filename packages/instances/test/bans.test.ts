import { connect } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { realMaster } from "./support/real-master.ts";

/** A handshake with a wrong token. */
async function knock(port: number, from: string): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 00\r\n\r\n");
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
}

it.each([
  ["worker threads", 1],
  ["the main thread", 0],
])("bans of tunnels in %s are told and lifted", async (_name, workers) => {
  const master = await realMaster({ workers });
  onTestFinished(() => master.close());
  const { manager } = master;
  const { id } = await manager.create({ url: "server://k@127.0.0.1:0/127.0.0.1:0?mode=1&ban=1" });
  expect(await manager.bans(id)).toEqual([]);
  const port = manager.details(id)?.tunnelAddress?.port ?? 0;
  for (let failure = 0; failure < 4; failure++) await knock(port, "127.0.0.77");
  const [ban] = await manager.bans(id);
  expect(ban).toMatchObject({ address: "127.0.0.77", offences: 3 });
  expect(Date.parse(ban?.until ?? "")).toBeGreaterThan(Date.now());
  await vi.waitFor(async () => {
    expect(await manager.get(id)).toMatchObject({ refusedBanned: 1, handshakesRefused: 3 });
  });
  expect(await manager.liftBans(id, "127.0.0.77")).toBe(1);
  expect(await manager.bans(id)).toEqual([]);
  await manager.update(id, { action: "stop" });
  expect(await manager.bans(id)).toEqual([]);
  await expect(manager.bans("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
