import { once } from "node:events";
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startEcho } from "./support/echo-server.ts";
import { realMaster, untilInstance } from "./support/real-master.ts";

const HOST = "127.84.6.7";

/** Sends a word through, keeps the connection, and says what came back. */
async function say(port: number, word: string): Promise<string> {
  const socket = connect(port, HOST);
  socket.on("error", () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(word);
  const [answer] = await once(socket, "data");
  return String(answer);
}

it("lists each client of a server, with what it carries, and none where there can be one", async () => {
  const master = await realMaster({ workers: 2, environment: { reportIntervalMs: 300 } });
  onTestFinished(() => master.close());
  const { manager } = master;
  const echo = await startEcho();
  onTestFinished(() => echo.close());
  const server = await manager.create({
    url: `server://key@${HOST}:41101/${HOST}:41102?mode=1&noudp=1&clients=3`,
  });
  expect(server.peers).toEqual([]);
  const at = `client://key@${HOST}:41101/127.0.0.1:${echo.port}?mode=2&noudp=1&min=4`;
  const first = await manager.create({ url: at });
  const second = await manager.create({ url: at });
  expect(first).not.toHaveProperty("peers");
  await untilInstance(
    master,
    server.id,
    ({ peers = [] }) => peers.filter(({ connected, pool }) => connected && pool > 0).length === 2,
  );
  for (const word of ["one", "two", "three", "four"]) expect(await say(41_102, word)).toBe(word);
  const seen = await untilInstance(
    master,
    server.id,
    ({ peers = [] }) => peers.reduce((sum, { tcprx }) => sum + tcprx, 0) === 15,
  );
  expect(seen.peers).toMatchObject([
    { number: 1, address: expect.stringMatching(/^127\./), reason: "", users: 2, tcps: 2, udps: 0 },
    { number: 2, users: 2, tcps: 2 },
  ]);
  await untilInstance(master, server.id, ({ peers = [] }) => peers.every(({ ping }) => ping > 0));
  // One that goes is not listed any more, and the instance goes on.
  await manager.remove(second.id);
  const left = await untilInstance(master, server.id, ({ peers = [] }) => peers.length === 1);
  expect(left).toMatchObject({ status: "running", link: "up" });
  await manager.update(server.id, { action: "stop" });
  const stopped = await manager.get(server.id);
  expect(stopped?.peers).toEqual([]);
}, 60_000);

it("lists each server of a client", async () => {
  const master = await realMaster({ workers: 1 });
  onTestFinished(() => master.close());
  const { manager } = master;
  await manager.create({ url: `server://key@${HOST}:41111/${HOST}:41112?mode=1&noudp=1` });
  const client = await manager.create({
    url: `client://key@${HOST}:41111,${HOST}:41113/${HOST}:9?noudp=1&min=4`,
  });
  const { peers } = await untilInstance(
    master,
    client.id,
    ({ peers: each = [] }) => each[0]?.connected === true && each[1]?.reason !== "",
  );
  expect(peers).toMatchObject([
    { number: 1, address: `${HOST}:41111`, connected: true, reason: "" },
    { number: 2, address: `${HOST}:41113`, connected: false, reason: /refused/i },
  ]);
}, 60_000);

it("puts servers with one tunnel address into one thread: they share the port, but no key", async () => {
  const master = await realMaster({ workers: 2 });
  onTestFinished(() => master.close());
  const { manager } = master;
  const echo = await startEcho();
  onTestFinished(() => echo.close());
  const url = (key: string, entry: number) =>
    `server://${key}@${HOST}:41121/${HOST}:${entry}?mode=1&noudp=1&tls=1`;
  const servers = [];
  for (const [at, key] of ["a", "b", "c", "d"].entries()) {
    servers.push(await manager.create({ url: url(key, 41_122 + at) }));
  }
  expect(servers.map(({ status, reason }) => [status, reason])).toEqual(
    servers.map(() => ["running", ""]),
  );
  await expect(manager.create({ url: url("a", 41_130) })).rejects.toMatchObject({
    code: "CONFLICT",
  });
  for (const [at, key] of ["a", "b", "c", "d"].entries()) {
    await manager.create({
      url: `client://${key}@${HOST}:41121/127.0.0.1:${echo.port}?mode=2&noudp=1&min=4`,
    });
    await untilInstance(master, servers[at]?.id ?? "", ({ pool }) => pool > 0);
    expect(await say(41_122 + at, key)).toBe(key);
  }
  // One that is not like the others cannot come, nor become so; nothing changes then.
  const [one] = servers;
  const before = await manager.get(one?.id ?? "");
  for (const [more, why] of [
    ["&type=2", "with type=0: several on one address need the same type"],
    ["&path=/x", "with path=/: several on one address need the same path"],
    ["&tls=0", "with tls=1: several on one address need the same tls, or 1 and 2"],
  ]) {
    const refused = { code: "CONFLICT", message: expect.stringMatching(`:41121 .* ${why}$`) };
    const other = url("f", 41_131).replace("&tls=1", "");
    await expect(manager.create({ url: other + (more ?? "") })).rejects.toMatchObject(refused);
    const changed = url("a", 41_122).replace("&tls=1", "") + more;
    await expect(manager.replaceUrl(one?.id ?? "", changed)).rejects.toMatchObject(refused);
    expect(await say(41_122, "still")).toBe("still");
  }
  const { url: kept, status, since } = (await manager.get(one?.id ?? "")) ?? {};
  expect([kept, status, since]).toEqual([before?.url, "running", before?.since]);
  // One that moves to another key and back takes nothing from the others.
  const moved = await manager.replaceUrl(one?.id ?? "", url("e", 41_122));
  expect(moved.status).toBe("running");
  expect(await say(41_123, "still")).toBe("still");
  await manager.remove(servers[1]?.id ?? "");
  expect(await say(41_124, "there")).toBe("there");
}, 60_000);
