import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/nats-core";
import { createFleetIdentity, memberSubjects, serverConfig } from "@nodepass/fleet-protocol";
import { findNatsServer, startNatsServer } from "test-support/nats";
import { expect, onTestFinished, test } from "vitest";
import { Connections, joinMember } from "./support/fleet-engine.ts";

const MID = "00000000000000a1";

/** Connections of a member, as the server counts them. */
async function connectionsOf(userPublicKey: string, system: NatsConnection): Promise<number> {
  const answer = await system.request(
    "$SYS.REQ.SERVER.PING.CONNZ",
    JSON.stringify({ auth: true }),
    {
      timeout: 20_000,
    },
  );
  const { data } = answer.json<{ data: { connections: { authorized_user?: string }[] } }>();
  return data.connections.filter(({ authorized_user }) => authorized_user === userPublicKey).length;
}

test.skipIf(findNatsServer() === undefined)(
  "a member whose road went dark is given up by the server",
  async () => {
    const connections = new Connections();
    const { secrets } = await createFleetIdentity("demo");
    const server = await startNatsServer(({ name, listen, dir }) =>
      serverConfig(secrets, { name, listen, storeDir: dir }),
    );
    onTestFinished(() => server.close());
    onTestFinished(() => connections.close());

    const [host, port] = server.url.split(":");
    const sockets: Socket[] = [];
    const road = createServer((near) => {
      const far = dial({ host, port: Number(port) });
      for (const socket of [near, far]) socket.on("error", () => socket.destroy());
      near.pipe(far);
      far.pipe(near);
      sockets.push(near, far);
    }).listen(0, "127.0.0.1");
    await once(road, "listening");
    onTestFinished(() => {
      road.close();
      for (const socket of sockets) socket.destroy();
    });

    const system = await connections.system(server.url, secrets);
    const address = road.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const credentials = await joinMember(secrets, MID);
    const member = await connections.member(`127.0.0.1:${address.port}`, credentials);
    const { heartbeat } = memberSubjects("demo", MID);
    member.publish(heartbeat);
    await member.flush();
    expect(await connectionsOf(credentials.userPublicKey, system)).toBe(1);

    const began = performance.now();
    for (const socket of sockets) socket.unpipe().pause();
    while ((await connectionsOf(credentials.userPublicKey, system)) > 0) await delay(100);
    const seconds = (performance.now() - began) / 1000;
    console.log(`a dark road is noticed by the server after ${seconds.toFixed(1)} s`);
    // The first question at the earliest after one interval, given up at the earliest after another.
    expect(seconds).toBeGreaterThan(3.3);
  },
);
