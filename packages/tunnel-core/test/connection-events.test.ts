import { once } from "node:events";
import type { Socket } from "node:net";
import type { ConnectionEvent, Tunnel } from "@nodepass/tunnel-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OwnTunnels } from "./support/own-tunnels.ts";
import { eventually } from "./support/tunnel-pair.ts";

/** This file's own loopback address. */
const HOST = "127.31.7.2";
const own = new OwnTunnels(HOST);
const knock = (tunnel: Tunnel): Socket => own.knock(tunnel);
let at = "";

beforeEach(async () => {
  at = await own.start();
});
afterEach(() => own.stop());

async function open(url: string, events: ConnectionEvent[] = []): Promise<Tunnel> {
  const tunnel = await own.open(url);
  tunnel.on("connection", (event) => events.push(event));
  return tunnel;
}

async function join(tunnel: Tunnel): Promise<Socket> {
  const user = knock(tunnel);
  await once(user, "connect");
  return user;
}

/** Says something, hears it, leaves. */
async function visit(tunnel: Tunnel, text: string): Promise<string> {
  const user = await join(tunnel);
  const remote = `${user.localAddress}:${user.localPort}`;
  user.end(text);
  let heard = "";
  for await (const chunk of user) heard += String(chunk);
  expect(heard).toBe(text);
  return remote;
}

test("both ends tell of a connection: opened, then closed with its bytes", async () => {
  const [atServer, atClient]: [ConnectionEvent[], ConnectionEvent[]] = [[], []];
  const server = await open(`server://k@${HOST}:0/${HOST}:0?mode=1`, atServer);
  const port = server.tunnelAddress?.port;
  const client = await open(`client://k@${HOST}:${port}/${at}?mode=2`, atClient);
  await client.ready();
  const remote = await visit(server, "twelve bytes");
  const carried = { receivedBytes: 12, sentBytes: 12, reason: undefined, remote };
  const none = { ...carried, receivedBytes: 0, sentBytes: 0 };
  const due = [
    { what: "opened", ...none },
    { what: "closed", ...carried },
  ];
  await eventually(() => expect(atServer).toEqual(due));
  await eventually(() => expect(atClient).toEqual(due));
});

test("a refusal says why: all slots, no target, no peer, a blocked protocol", async () => {
  const slots: ConnectionEvent[] = [];
  const full = await open(`client://${HOST}:0/${at}?mode=1&slot=1`, slots);
  await join(full);
  await eventually(() => expect(slots).toMatchObject([{ what: "opened" }]));
  knock(full);
  await eventually(() => expect(slots.at(-1)).toMatchObject({ what: "refused", reason: "slots" }));

  const down: ConnectionEvent[] = [];
  knock(await open(`client://${HOST}:0/${HOST}:1?mode=1`, down));
  await eventually(() => expect(down).toMatchObject([{ what: "refused", reason: "target" }]));

  const alone: ConnectionEvent[] = [];
  knock(await open(`server://k@${HOST}:0/${HOST}:0?mode=1`, alone));
  await eventually(() =>
    expect(alone).toMatchObject([{ what: "refused", reason: "pool-timeout" }]),
  );

  const blocked: ConnectionEvent[] = [];
  const user = knock(await open(`client://${HOST}:0/${at}?mode=1&block=2`, blocked));
  user.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually(() =>
    expect(blocked.at(-1)).toMatchObject({ what: "closed", reason: "blocked", sentBytes: 0 }),
  );
});

test("who comes late hears of what comes then; who leaves hears no more", async () => {
  const tunnel = await own.open(`client://${HOST}:0/${at}?mode=1`);
  await visit(tunnel, "nobody listens");
  await eventually(() => expect(tunnel.counters().tcps).toBe(0));
  const events: ConnectionEvent[] = [];
  const listener = (event: ConnectionEvent): void => void events.push(event);
  tunnel.on("connection", listener);
  await visit(tunnel, "abc");
  await eventually(() => expect(events.map(({ what }) => what)).toEqual(["opened", "closed"]));
  tunnel.off("connection", listener);
  await visit(tunnel, "nobody again");
  await eventually(() => expect(tunnel.counters().tcps).toBe(0));
  expect(events.length).toBe(2);
});
