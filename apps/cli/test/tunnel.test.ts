import { once } from "node:events";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { reservePort } from "test-support";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { workspaceFolder } from "./support/pack.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, askUdp, startEcho } from "./support/sockets.ts";

const key = "a-key-that-nobody-guesses";
const line = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}(?:DEBUG|INFO |WARN |ERROR|EVENT) {2}\S.*$/;
const environment = { NP_REPORT_INTERVAL: "200ms" };

/** Starts a server and a client in processes of their own, and waits until traffic passes. */
async function startPair(serverQuery: string, entry?: string) {
  const [tunnel, users, echo] = [await reservePort(), await reservePort(), await startEcho()];
  const serverUrl = `server://${key}@127.0.0.1:${tunnel}/127.0.0.1:${users}?mode=1&${serverQuery}`;
  const clientUrl = `client://${key}@127.0.0.1:${tunnel}/127.0.0.1:${echo}?mode=2&min=2`;
  const server = startCli([serverUrl], { environment, entry });
  const client = startCli([clientUrl], { environment, entry });
  await expect.poll(() => askTcp(users, "ready").catch(String), { timeout: 20_000 }).toBe("ready");
  return { server, client, entry: users };
}

describe("a server and a client, each a process", () => {
  it.each(["tls=0", "tls=1"])(
    "carry TCP and UDP with %s and end with 0 at SIGTERM",
    async (query) => {
      const { server, client, entry } = await startPair(query);
      const text = "hello, tunnel ".repeat(10_000);
      expect(await askTcp(entry, text)).toBe(text);
      expect(await askUdp(entry, "hello")).toBe("hello");
      await server.waitFor(/\|TCPRX=1\d{5}\|TCPTX=1\d{5}\|UDPRX=[1-9]\d*\|UDPTX=[1-9]/);
      await client.waitFor(
        /EVENT {2}CHECK_POINT\|MODE=2\|PING=\d+ms\|POOL=\d+\|TCPS=0\|UDPS=\d+\|/,
      );

      server.child.kill("SIGTERM");
      client.child.kill("SIGINT");
      for (const { ended } of [server, client]) {
        const { code, stdout, stderr } = await ended;
        expect([code, stderr]).toEqual([0, ""]);
        expect(stdout.trimEnd().split("\n")).toEqual(
          expect.not.arrayContaining([expect.not.stringMatching(line)]),
        );
        expect(stdout).toMatch(/INFO {3}stopped\n$/);
        expect(stdout).not.toContain(key);
      }
    },
  );

  it("carry both over a carrier that is a package beside the command", async () => {
    // The carrier has its own copy of what the command's files have in them.
    const [folder, cli] = [temporaryFolder(), join(workspaceFolder, "apps/cli")];
    cpSync(join(cli, "dist"), join(folder, "dist"), { recursive: true });
    cpSync(join(cli, "package.json"), join(folder, "package.json"));
    mkdirSync(join(folder, "node_modules/@nodepass"), { recursive: true });
    const carrier = join(workspaceFolder, "packages/carrier-quic");
    symlinkSync(carrier, join(folder, "node_modules/@nodepass/carrier-quic"));

    const main = join(folder, "dist/main.js");
    const { server, client, entry } = await startPair("tls=1&type=1", main);
    const text = "hello, tunnel ".repeat(10_000);
    expect(await askTcp(entry, text)).toBe(text);
    expect(await askUdp(entry, "hello")).toBe("hello");
    server.child.kill("SIGTERM");
    client.child.kill("SIGTERM");
    for (const { ended } of [server, client]) {
      expect(await ended).toMatchObject({ code: 0, stderr: "" });
    }
  });
});

it("has QUIC in a checkout", async () => {
  const { entry } = await startPair("type=1");
  expect(await askTcp(entry, "hello")).toBe("hello");
});

describe("a server with log=debug", () => {
  it("writes a line for each connection that it takes", async () => {
    const { server } = await startPair("log=debug");
    await server.waitFor(/DEBUG {2}tcp connection opened remote=127\.0\.0\.1:\d+\n/);
    await server.waitFor(/DEBUG {2}tcp connection closed /);
  });
});

describe("a forwarder in a process", () => {
  async function startForwarder(query: string, argv: readonly string[] = []) {
    const [port, echo] = [await reservePort(), await startEcho()];
    const url = `client://${key}@127.0.0.1:${port}/127.0.0.1:${echo}?mode=1&${query}`;
    const running = startCli([...argv, url], { environment });
    await expect.poll(() => askTcp(port, "ready").catch(String), { timeout: 20_000 }).toBe("ready");
    return { ...running, port };
  }

  it("writes JSON lines when asked to", async () => {
    const { child, ended, waitFor } = await startForwarder("", ["--log-format", "json"]);
    await waitFor(/check point/);
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(lines).toContainEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: "event",
      message: "check point",
      fields: expect.objectContaining({ mode: 1, tcps: expect.any(Number) }),
    });
    expect(stdout).not.toContain(key);
  });

  it.each([
    ["log=event", /CHECK_POINT/, /INFO/],
    ["log=info", /INFO.*CHECK_POINT/s, /DEBUG/],
  ])("with %s writes what that level lets through", async (query, shown, hidden) => {
    const { child, ended, waitFor } = await startForwarder(query);
    await waitFor(shown);
    child.kill("SIGTERM");
    expect((await ended).stdout).not.toMatch(hidden);
  });

  it("with log=none writes nothing at all", async () => {
    const { child, ended, port } = await startForwarder("log=none");
    expect(await askTcp(port, "hello")).toBe("hello");
    child.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("lets a running connection finish, and takes no new one", async () => {
    const { child, ended, waitFor, port } = await startForwarder("");
    const socket = connect(port, "127.0.0.1");
    socket.write("before");
    expect(String((await once(socket, "data"))[0])).toBe("before");
    child.kill("SIGTERM");
    await waitFor(/stopping/);
    await expect.poll(() => askTcp(port, "new").catch(() => "refused")).toBe("refused");
    socket.write("after");
    expect(String((await once(socket, "data"))[0])).toBe("after");
    socket.end();
    expect((await ended).code).toBe(0);
  });

  it("is cut by a second signal", async () => {
    const { child, ended, waitFor, port } = await startForwarder("");
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    socket.write("held");
    await once(socket, "data");
    child.kill("SIGINT");
    await waitFor(/stopping/);
    // Within a second they are one.
    const again = setInterval(() => child.kill("SIGINT"), 100);
    const { code, stderr } = await ended;
    clearInterval(again);
    expect(code).toBe(130);
    expect(stderr).toBe("nodepass: cut by a second signal (SIGINT)\n");
    socket.destroy();
  });

  it("ends with 0 when the reader of its log goes away", async () => {
    const { child, ended, stderr } = await startForwarder("");
    child.stdout.destroy();
    expect((await ended).code).toBe(0);
    expect(stderr()).toBe("");
  });
});

describe("a port in use", () => {
  it("ends a server with 1 and the reason", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const url = `server://${key}@127.0.0.1:${port}/127.0.0.1:1?mode=2`;
    const { code, stderr } = await runCli([url]);
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^nodepass: .*${port}.*in use.*\n$`));
  });
});

describe("nodepass demo", () => {
  it("serves a page through a tunnel, and ends with 0 at SIGINT", async () => {
    const { child, ended, waitFor } = startCli(["demo"], { environment });
    const [, url = ""] = await waitFor(/Open (http:\/\/\S+)/);
    const page = await fetch(url);
    expect(await page.text()).toContain("It works");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const numbers = await (await fetch(new URL("numbers", url))).json();
    expect(numbers).toMatchObject({ tcprx: expect.any(Number), requests: expect.any(Number) });
    await waitFor(/CHECK_POINT\|MODE=1\|.*\|TCPTX=[1-9]/);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/page fetched through the tunnel status=200/);
  });

  it("ends when the reader of its output goes away", async () => {
    const { child, ended, waitFor } = startCli(["demo"], { environment });
    await waitFor(/Open http/);
    child.stdout.destroy();
    expect((await ended).code).toBe(0);
  });
});
