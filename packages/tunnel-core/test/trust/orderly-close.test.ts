import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { startScriptedTarget } from "../support/scripted-target.ts";
import {
  clientUrl,
  entryOf,
  eventually,
  openEnd,
  openServer,
  tunnelPort,
} from "../support/tunnel-pair.ts";
import { dial, endUsers } from "../support/users.ts";
import { openPath } from "./support/path.ts";

afterAll(expectNoSockets);

// An exit that closes in order serves what the entry opens until the entry has read that the session
// is over.
test("a user who comes while the client closes in order is served", async () => {
  const target = await startScriptedTarget();
  const options = { flow: "reverse" as const, target: target.at };
  const server = await openServer(options);
  const path = await openPath({ to: tunnelPort(server) });
  const first = await openEnd(clientUrl(options, path.port));
  await first.ready();
  await eventually(() => expect(server.counters().pool).toBeGreaterThan(0));
  // The news of the end is on its way when the user comes.
  for (const { client } of path.connections) client.pause();
  const closing = first.close({ timeoutMs: 5000 });
  const user = await dial(entryOf(server));
  user.on("error", () => {
    // The reset that this is about.
  });
  const outcome = Promise.race([
    once(user, "data").then(([bytes]) => String(bytes)),
    once(user, "close").then(() => "reset"),
  ]).catch(() => "reset");
  user.write("x");
  await eventually(() => expect(server.counters().tcprx).toBe(1));
  for (const { client } of path.connections) client.resume();
  const second = await openEnd(clientUrl(options, tunnelPort(server)));
  try {
    expect(await outcome).toBe("x");
  } finally {
    endUsers();
    await closing;
    await second.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
    await path.close();
    await target.close();
  }
});
