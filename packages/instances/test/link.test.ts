import { expect, it, onTestFinished } from "vitest";
import { realMaster, untilInstance } from "./support/real-master.ts";

const HOST = "127.84.6.1";

it("tells a real server without its client from one that has it, and has lost it", async () => {
  const master = await realMaster({ workers: 1 });
  onTestFinished(() => master.close());
  const { manager } = master;
  const server = await manager.create({
    url: `server://key@${HOST}:41101/${HOST}:41102?mode=1&noudp=1`,
  });
  expect(server).toMatchObject({ status: "running", link: "down", reason: "" });
  const client = await manager.create({
    url: `client://key@${HOST}:41101/${HOST}:9?mode=2&noudp=1`,
  });
  await untilInstance(
    master,
    server.id,
    ({ status, link }) => status === "running" && link === "up",
  );
  await untilInstance(
    master,
    client.id,
    ({ status, link }) => status === "running" && link === "up",
  );
  await manager.remove(client.id);
  const lost = await untilInstance(master, server.id, ({ link }) => link === "down");
  expect(lost).toMatchObject({ status: "error", reason: expect.stringContaining("session ended") });
  // Its own retry is the tunnel's business: it waits for its peer.
  expect(lost.nextRetry).toBeNull();
  const { lines } = await manager.logs(server.id, {});
  expect(lines.map(({ line }) => line)).toContain("warn session ended");
}, 60_000);
