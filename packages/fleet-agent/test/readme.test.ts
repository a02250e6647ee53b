import { readFileSync } from "node:fs";
import { fleetExtension } from "@nodepass/fleet-agent";
import { runMaster } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { findNatsServer } from "test-support/nats";
import { Readme } from "test-support/readme";
import { expect, test } from "vitest";
import { HonestHub } from "./support/honest-hub.ts";
import { temporaryFolder } from "./support/member.ts";

const readme = new Readme(import.meta.url);

test.skipIf(findNatsServer() === undefined)("README's example prints what it says", async () => {
  const closers: (() => unknown)[] = [];
  const hub = await HonestHub.start();
  closers.push(() => hub.close());
  try {
    const stateDirectory = temporaryFolder(closers);
    const given = { stateDirectory, token: hub.token() };
    const printed = await readme.run({ fleetExtension, runMaster, parseMasterUrl, ...given });
    expect(printed).toBe(readme.printed);
  } finally {
    for (const close of closers.reverse()) await close();
  }
});

test("README names every error code and the limits", () => {
  expect(readme.untold(readme.codesOf("fleet-agent-error.ts"))).toEqual([]);
  const ports = readFileSync(new URL("../src/parts/auto-ports.ts", import.meta.url), "utf8");
  const [, first = "", last = ""] = /first: ([\d_]+), last: ([\d_]+)/.exec(ports) ?? [];
  for (const port of [first, last]) expect(readme.text).toContain(port.replace("_", ""));
});
