import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";

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

it("has some traffic, and a link that opens the dashboard signed in, once", async () => {
  const { running, api, key } = await start(temporaryFolder());
  const [, link = ""] = await running.waitFor(/Open: +(\S+)/);
  await running.waitFor(/opens signed in, once, within a minute/);
  expect(link).not.toContain(key);
  const [site, token] = link.split("#sign-in=");
  expect(await (await fetch(site ?? "")).text()).toContain("<title>NodePass</title>");
  const signIn = () => fetch(`${api}/sign-in`, { method: "POST", body: JSON.stringify({ token }) });
  const answer = await signIn();
  expect([answer.status, await answer.json()]).toEqual([200, { key }]);
  expect((await signIn()).status).toBe(401);
  const headers = { "X-API-Key": key };
  const sent = async () => {
    const list = (await (await fetch(`${api}/instances`, { headers })).json()) as {
      readonly type: string;
      readonly tcptx: number;
    }[];
    return list.find(({ type }) => type === "server")?.tcptx ?? 0;
  };
  const before = await sent();
  await expect.poll(sent, { timeout: 20_000 }).toBeGreaterThan(before + 40_000);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
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

it("says who runs and where at a second start, and opens nothing", async () => {
  const folder = temporaryFolder();
  const { running, api, page } = await start(folder);
  const second = await runCli(["quickstart", "--state", folder], { environment });
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toContain(`runs already, as process ${running.child.pid}`);
  expect(second.stderr).toContain(`API URL: ${api}\n`);
  expect(second.stderr).toContain(`Page:    ${page}\n`);
  running.child.kill("SIGKILL");
  await running.ended;
  // What a killed one has left is in nobody's way.
  const third = await start(folder);
  third.running.child.kill("SIGTERM");
  expect((await third.running.ended).code).toBe(0);
});

it("starts the client after its server, at every start", async () => {
  const folder = temporaryFolder();
  for (const _ of [1, 2]) {
    const { running } = await start(folder);
    const output = running.stdout();
    expect(output.indexOf("server listening")).toBeGreaterThan(-1);
    expect(output.indexOf("session established")).toBeGreaterThan(
      output.indexOf("server listening"),
    );
    expect(output).not.toContain("ECONNREFUSED");
    running.child.kill("SIGTERM");
    await running.ended;
  }
});

it("does not announce a page whose tunnel has failed", async () => {
  const folder = temporaryFolder();
  const first = await start(folder);
  first.running.child.kill("SIGTERM");
  await first.running.ended;
  // Somebody else is where users connect.
  const taken = createServer((socket) => socket.destroy());
  taken.listen(Number(new URL(first.page).port), "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => {
    taken.close();
  });
  const argv = ["quickstart", "--state", folder, "--port", "0"];
  const running = startCli(argv, { environment });
  await running.waitFor(/Ctrl-C stops it/);
  expect(running.stdout()).not.toContain("Page:");
  expect(running.stdout()).toMatch(/WARN/);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

it("names commands as its starter says", async () => {
  const more = { ...environment, NODEPASS_COMMAND: "npm start --" };
  const running = startCli(["quickstart", "--state", temporaryFolder(), "--port", "0"], {
    environment: more,
  });
  await running.waitFor(/npm start -- login --master \S+ && npm start -- top\n/);
  running.child.kill("SIGTERM");
  await running.ended;
});
