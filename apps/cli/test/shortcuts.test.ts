import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import decodeQR from "qr/decode.js";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { askTcp, startEcho } from "./support/sockets.ts";

/** This file's own loopback address: its ports are nobody else's. */
const HOST = "127.31.8.2";

it("expose says what the server runs, also as a QR code, and both together work", async () => {
  const echo = await startEcho();
  const environment = { NP_TUNNEL_KEY: "a key of ours" };
  const argv = ["expose", String(echo), "--on", `${HOST}:5201`, "--port", `${HOST}:5202`];
  const planned = await runCli([...argv, "--dry-run"], { environment });
  expect([planned.code, planned.stderr]).toEqual([0, ""]);
  const [, server = ""] = /^On the server: {2}nodepass '(.*)'$/m.exec(planned.stdout) ?? [];
  expect(server).toBe(`server://a%20key%20of%20ours@:5201/${HOST}:5202?mode=1&tls=1`);
  expect(decodeQR(pictureOf(planned.stdout))).toBe(`nodepass '${server}'`);

  // On the test's own address instead of all.
  const running = startCli([server.replace("@:5201", `@${HOST}:5201`)]);
  await running.waitFor(/server listening/);
  const client = startCli(argv, { environment });
  await client.waitFor(/session established/);
  expect(await askTcp(5202, "hello", HOST)).toBe("hello");
});

it("expose makes a key where none is given, another one each time", async () => {
  const argv = ["expose", "8080", "--on", "edge.example.com:10101", "--dry-run", "--no-qr"];
  const keys = await Promise.all(
    [1, 2].map(async () => /server:\/\/(.*?)@/.exec((await runCli(argv)).stdout)?.[1]),
  );
  expect(keys[0]).toMatch(/^[\w-]{32}$/);
  expect(keys[0]).not.toBe(keys[1]);
});

it("forward is a single end", async () => {
  const echo = await startEcho();
  const argv = ["forward", `${HOST}:5211`, "--to", `127.0.0.1:${echo}`];
  expect((await runCli([...argv, "--dry-run"])).stdout).toBe(
    `nodepass 'client://${HOST}:5211/127.0.0.1:${echo}?mode=1'\n`,
  );
  const running = startCli(argv);
  await running.waitFor(/forwarding/);
  expect(await askTcp(5211, "hello", HOST)).toBe("hello");
});

it.each([
  [["forward", "x", "--to", "h:1"], /^nodepass: .*"x" has no port/],
  [["forward", "1", "--to", "h"], /"h" has no port/],
  [["expose", "0", "--on", "h:1"], /port 0/],
  [["expose", "1"], /required option '--on <host:port>'/],
])("refuses %j as wrong usage", async (argv, message) => {
  const { code, stderr } = await runCli(argv);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

it.runIf(process.platform === "linux")(
  "installs, asks about and removes a user's service, whatever systemd there is",
  async () => {
    const home = temporaryFolder();
    const bin = join(home, "bin");
    mkdirSync(bin);
    // In place of systemd, which no test machine lets itself be changed: it notes what it is asked.
    writeFileSync(join(bin, "systemctl"), `#!/bin/sh\necho "$@" >> "${home}/asked"\n`);
    chmodSync(join(bin, "systemctl"), 0o755);
    const environment = { HOME: home, PATH: `${bin}:${process.env.PATH}` };
    const url = "client://very-secret@edge:10101/127.0.0.1:80?mode=2";
    const service = (...argv: string[]) => runCli(["service", ...argv, "--user"], { environment });

    const planned = await service("install", url, "--dry-run");
    expect(planned.stdout).toContain("systemctl --user enable --now nodepass-main.service");
    expect(planned.stdout).not.toContain("very-secret");
    expect(existsSync(join(home, ".config"))).toBe(false);

    const installed = await service("install", url);
    expect([installed.code, installed.stderr]).toEqual([0, ""]);
    const urlFile = join(home, ".config/nodepass/services/main.url");
    expect(readFileSync(urlFile, "utf8")).toBe(`${url}\n`);
    expect(statSync(urlFile).mode & 0o777).toBe(0o600);
    const unit = join(home, ".config/systemd/user/nodepass-main.service");
    expect(readFileSync(unit, "utf8")).toContain(`run --file ${urlFile}`);
    expect((await service("status")).code).toBe(0);

    expect((await service("uninstall")).code).toBe(0);
    expect([existsSync(unit), existsSync(urlFile)]).toEqual([false, false]);
    expect((await service("uninstall")).code).toBe(3);
    expect(readFileSync(join(home, "asked"), "utf8").split("\n")).toEqual([
      "--user daemon-reload",
      "--user enable --now nodepass-main.service",
      "--user status --no-pager nodepass-main.service",
      "--user disable --now nodepass-main.service",
      "",
    ]);
  },
);

/** The picture of a QR code that was printed in half blocks, as a camera sees it. */
function pictureOf(printed: string): { width: number; height: number; data: Uint8Array } {
  const rows = printed.split("\n").filter((line) => /^[█▀▄ ]+$/.test(line));
  const scale = 4;
  const cells = rows.flatMap((line) => [
    [...line].map((cell) => cell === "█" || cell === "▀"),
    [...line].map((cell) => cell === "█" || cell === "▄"),
  ]);
  const width = (cells[0]?.length ?? 0) * scale;
  const height = cells.length * scale;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Light is what is drawn: terminals are dark.
      const light = cells[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
      data.fill(light ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { width, height, data };
}
