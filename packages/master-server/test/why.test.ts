import { once } from "node:events";
import { connect } from "node:net";
import { reservePort } from "test-support";
import { expect, it } from "vitest";
import type { InstanceAnswer } from "./support/api-client.ts";
import { startMaster } from "./support/start-master.ts";
import { fetchPage, servePage } from "./support/tunnel-page.ts";

/** Value of a metric's series whose labels have all these; undefined where there is none. */
function seriesOf(metrics: string, name: string, ...labels: readonly string[]): number | undefined {
  const line = metrics
    .split("\n")
    .find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
}

it("counts why connections fail, in the API and in the metrics, and names the target that rests", async () => {
  const { api } = await startMaster({
    url: "master://127.0.0.1:0/api?log=error",
    environment: { reportIntervalMs: 100, poolGetTimeoutMs: 100 },
  });
  const metrics = async (): Promise<string> => String(await api.get("/metrics"));
  const page = await servePage("a page");
  const dead = `127.31.9.1:${await reservePort()}`;
  const listen = await reservePort();
  const url = `client://127.0.0.1:${listen}/${dead},127.0.0.1:${page}?mode=1`;
  const { id } = await api.create(url, "forwarder");
  for (let user = 0; user < 4; user++) expect(await fetchPage(listen)).toBe("a page");
  const find = async (which: string) => {
    const all = await api.get<InstanceAnswer[]>("/instances");
    return all.find((one) => one.id === which);
  };
  await expect
    .poll(() => find(id))
    .toMatchObject({
      accepted: 4,
      failed: 0,
      restingTargets: [
        { target: dead, protocol: "tcp", reason: expect.stringMatching(/refused/i) },
      ],
    });
  const text = await metrics();
  expect(seriesOf(text, "nodepass_instance_target_resting", id, dead, 'protocol="tcp"')).toBe(1);
  expect(seriesOf(text, "nodepass_instance_accepted_connections_total", id)).toBe(4);
  expect(seriesOf(text, "nodepass_instance_dial_errors_total", id)).toBeGreaterThanOrEqual(1);

  const entry = await reservePort();
  const alone = await api.create(`server://k@127.0.0.1:0/127.0.0.1:${entry}?mode=1`);
  const user = connect({ host: "127.0.0.1", port: entry });
  user.on("error", () => {});
  while (!user.closed) await once(user, "close").catch(() => {});
  await expect.poll(() => find(alone.id)).toMatchObject({ accepted: 1, refusedPeer: 1 });
  const refused = "nodepass_instance_refused_connections_total";
  expect(seriesOf(await metrics(), refused, alone.id, 'reason="peer"')).toBe(1);
  expect(seriesOf(await metrics(), refused, alone.id, 'reason="slot"')).toBe(0);
});
