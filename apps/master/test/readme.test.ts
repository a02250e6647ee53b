import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { reservePort } from "test-support";
import { expect, it, onTestFinished, vi } from "vitest";
import { ask, runCommand, startMaster, temporaryFolder } from "./support/run-master.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it("README's command prints what it says", async () => {
  const [, printed = ""] = /```text\n([\s\S]*?)```/.exec(readme) ?? [];
  const { child, ended } = await startMaster(temporaryFolder());
  child.kill("SIGTERM");
  const { stdout } = await ended;
  // What differs from start to start has one form.
  const normalize = (text: string) =>
    text
      .replace(/^[\d-]{10} [\d:.]{12}/gm, "<time>")
      .replace(/127\.0\.0\.1:\d+/g, "<address>")
      .replace(/\b[0-9a-f]{32}\b/g, "<key>");
  expect(normalize(stdout).startsWith(normalize(printed))).toBe(true);
  expect(printed).toContain("API KEY");
});

it("README's request makes a tunnel that is there again after a restart", async () => {
  const [, request = ""] = /-d '(.*)'$/m.exec(readme) ?? [];
  const { url, alias } = JSON.parse(request);
  const site = createServer((_request, response) => response.end("example")).listen(0, "127.0.0.1");
  await once(site, "listening");
  onTestFinished(() => {
    site.close();
  });
  const { port } = site.address() as AddressInfo;
  const entry = await reservePort();
  const ours = url.replace("127.0.0.1:8080", `127.0.0.1:${entry}`);
  const state = temporaryFolder();
  const fetchPage = async () => {
    const headers = { Connection: "close" };
    return (await fetch(`http://127.0.0.1:${entry}/`, { headers })).text();
  };

  const first = await startMaster(state);
  const body = { url: ours.replace("example.com:80", `127.0.0.1:${port}`), alias };
  expect(await ask(first, "POST", "/instances", body)).toMatchObject({ status: 201, body });
  expect(await vi.waitFor(fetchPage)).toBe("example");
  first.child.kill("SIGTERM");
  await first.ended;
  await startMaster(state);
  expect(await vi.waitFor(fetchPage, { timeout: 20_000 })).toBe("example");
});

it("README names what the help names", async () => {
  const { stdout } = await runCommand({ argv: ["--help"] });
  for (const name of stdout.match(/NP_[A-Z_]+/g) ?? []) expect(readme).toContain(name);
});
