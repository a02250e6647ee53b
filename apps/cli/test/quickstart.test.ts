import { expect, it } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { startCli } from "./support/run-cli.ts";

const environment = { NP_WORKERS: "1", NP_REPORT_INTERVAL: "200ms" };

async function start(folder: string) {
  const argv = ["quickstart", "--state", folder, "--port", "0"];
  const running = startCli(argv, { environment });
  const [, api = ""] = await running.waitFor(/API URL: (\S+)/);
  const [, key = ""] = await running.waitFor(/API KEY: (\S+)/);
  const [, docs = ""] = await running.waitFor(/API docs: (\S+)/);
  const [, page = ""] = await running.waitFor(/Page: +(\S+)/);
  return { running, api, key, docs, page };
}

it("runs a master whose tunnel carries a page, and the same one at the next start", async () => {
  const folder = temporaryFolder();
  const first = await start(folder);
  await first.running.waitFor(/page fetched through the tunnel status=200/);
  expect(await (await fetch(first.page)).text()).toContain("<h1>It works</h1>");
  const numbers = await (await fetch(`${first.page}numbers`)).json();
  expect(numbers).toMatchObject({ requests: expect.any(Number), tcprx: expect.any(Number) });
  expect((await fetch(first.docs)).status).toBe(200);
  const headers = { "X-API-Key": first.key };
  const list = await (await fetch(`${first.api}/instances`, { headers })).json();
  expect(list).toMatchObject([{ type: "" }, { type: "server" }, { type: "client" }]);
  first.running.child.kill("SIGTERM");
  expect(await first.running.ended).toMatchObject({ code: 0, stderr: "" });
  await expect(fetch(first.page)).rejects.toThrow();

  const second = await start(folder);
  expect([second.key, second.page]).toEqual([first.key, first.page]);
  await second.running.waitFor(/page fetched through the tunnel status=200/);
  second.running.child.kill("SIGINT");
  expect((await second.running.ended).code).toBe(0);
});

it("takes a page away with its instances", async () => {
  const folder = temporaryFolder();
  const { running, api, key, page } = await start(folder);
  await running.waitFor(/page fetched through the tunnel status=200/);
  const headers = { "X-API-Key": key };
  const answer = await fetch(`${api}/instances`, { headers });
  const list = (await answer.json()) as { readonly id: string; readonly type: string }[];
  for (const { id } of list.filter(({ type }) => type !== "")) {
    const { status } = await fetch(`${api}/instances/${id}`, { method: "DELETE", headers });
    expect(status).toBe(204);
  }
  await expect(fetch(page)).rejects.toThrow();
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});
