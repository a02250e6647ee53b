import { renameSync } from "node:fs";
import { expect, it } from "vitest";
import { startMaster } from "./support/start-master.ts";

it("is not ready while its state cannot be written, and is again when it can", async () => {
  const { api, master, stateDirectory } = await startMaster({
    url: "master://127.0.0.1:0/api?log=none",
  });
  const { id } = await api.create("client://127.0.0.1:0/127.0.0.1:9?mode=1");
  const ready = async (): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${master.address.port}/readyz`);
    return [answer.status, await answer.text()];
  };
  expect(await ready()).toEqual([200, "state ok\nworkers ok\n"]);
  const away = `${stateDirectory}-away`;
  renameSync(stateDirectory, away);
  try {
    const refused = await api.ask("PATCH", `/instances/${id}`, { alias: "lost" });
    expect(refused.status).toBeGreaterThanOrEqual(500);
    const [status, text] = await ready();
    expect([status, text]).toEqual([503, expect.stringMatching(/^state (?!ok).*\nworkers ok\n$/)]);
  } finally {
    renameSync(away, stateDirectory);
  }
  const taken = await api.ask("PATCH", `/instances/${id}`, { alias: "kept" });
  expect(taken).toMatchObject({ status: 200, body: { alias: "kept" } });
  expect((await ready())[0]).toBe(200);
});
