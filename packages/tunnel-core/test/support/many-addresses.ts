// Users of a wildcard entry on a host with several addresses; prints who was answered from where.
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openTunnel, type Tunnel } from "../../src/index.ts";

const echo = createSocket("udp4");
echo.on("message", (datagram, { port, address }) => echo.send(datagram, port, address));
echo.bind(0, "127.0.0.1");
await once(echo, "listening");

/** Whether a user with a socket connected to `host` gets an answer. */
async function answered(host: string, port: number, tries = 20): Promise<boolean> {
  const user = createSocket(host.includes(":") ? "udp6" : "udp4");
  // The system would choose the address that is asked, and answer from the right one by chance.
  user.bind({ address: host.includes(":") ? "::1" : "127.0.0.1" });
  await once(user, "listening");
  user.connect(port, host);
  await once(user, "connect");
  user.on("error", () => {});
  const answer = once(user, "message").then(() => true);
  let got = false;
  for (let tried = 0; tried < tries && !got; tried++) {
    user.send("x");
    got = await Promise.race([answer, sleep(100, false)]);
  }
  user.close();
  return got;
}

async function trial(open: () => Promise<{ entry: Tunnel; ends: Tunnel[] }>) {
  const { entry, ends } = await open();
  const port = entry.entryAddress?.port ?? 0;
  const given = {
    loopback: await answered("127.0.0.1", port),
    second: await answered("127.0.0.9", port),
    other: await answered("10.77.0.1", port),
    unlisted: await answered("127.0.0.77", port),
    six: await answered("fd77::1", port),
  };
  const { udps, udpDropped, udprx } = entry.counters();
  execFileSync("ip", ["addr", "add", "10.77.0.2/32", "dev", "lo"]);
  // Long enough for the entry to have seen it.
  await sleep(2500);
  const appeared = await answered("10.77.0.2", port, 100);
  execFileSync("ip", ["addr", "del", "10.77.0.2/32", "dev", "lo"]);
  await sleep(4500);
  const after = { gone: entry.counters().udps };
  execFileSync("ip", ["addr", "add", "10.77.0.2/32", "dev", "lo"]);
  const again = await answered("10.77.0.2", port, 100);
  execFileSync("ip", ["addr", "del", "10.77.0.2/32", "dev", "lo"]);
  // A second entry on the same port is refused, as ever.
  const taken = await openTunnel(
    `client://:${port}/127.0.0.1:${echo.address().port}?mode=1&notcp=1`,
  )
    .then((tunnel) => tunnel.close({ timeoutMs: 0 }).then(() => "bound"))
    .catch((error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
  for (const end of ends) await end.close({ timeoutMs: 0 });
  return { given, udps, udpDropped, udprx, appeared, gone: after.gone, again, taken };
}

const target = `127.0.0.1:${echo.address().port}`;
const single = await trial(async () => {
  const entry = await openTunnel(`client://:0/${target}?mode=1`);
  return { entry, ends: [entry] };
});
const reverse = await trial(async () => {
  const entry = await openTunnel("server://secret@127.0.0.1:0/:0?mode=1");
  const port = entry.tunnelAddress?.port ?? 0;
  const client = await openTunnel(`client://secret@127.0.0.1:${port}/${target}?mode=2`);
  await client.ready();
  return { entry, ends: [client, entry] };
});
echo.close();
process.stdout.write(JSON.stringify({ single, reverse }));
