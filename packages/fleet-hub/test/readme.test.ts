import { readFileSync } from "node:fs";
import {
  MAX_MEMBER_REQUESTS,
  MAX_MEMBER_STREAMS,
  MAX_PASSED_BODY_BYTES,
  PASS_TIMEOUT_MS,
} from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { Readme } from "test-support/readme";
import { expect, it, onTestFinished } from "vitest";
import { MEMBER_SILENCE_MS, STREAM_WINDOW_BYTES } from "../src/gateway/answer-stream.ts";
import { MAX_PASSED_HEADERS, NOT_A_MEMBERS_MATTER } from "../src/gateway/passed-headers.ts";
import { hubFigures } from "../src/http/hub-figures.ts";
import * as fleetHub from "../src/index.ts";
import { createMessageCounts } from "../src/members/message-counts.ts";
import { MAX_HUB_STREAMS } from "../src/members/messenger.ts";
import { createAskedHub } from "./support/asked-hub.ts";
import { TestFleet } from "./support/test-fleet.ts";

const readme = new Readme(import.meta.url);

it.skipIf(findNatsServer() === undefined)("README's example prints what it says", async () => {
  const fleet = await TestFleet.start(1, "home");
  onTestFinished(() => fleet.close());
  const { hub: secrets, adminToken } = fleet.created;
  const said = /print\(.*\); \/\/ (.*)$/m.exec(readme.text)?.[1];
  expect(await readme.run({ ...fleetHub, secrets, adminToken }, "ts")).toBe(`${said}\n`);
});

/** The fleet's metrics of a page, all that there are. */
async function metricsOfPage(): Promise<string[]> {
  const counts = { ...createMessageCounts(), busy: 1 };
  const figures = { leading: true, connected: true, counts, openOrders: 0, badRecords: 0 };
  const { ask } = createAskedHub({ figures: () => hubFigures({ ...figures, droppedEvents: 0 }) });
  const page = await (await ask("GET", "/fleet/metrics")).text();
  const there = [...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
  return there.filter((name) => /^nodepass_(?:fleet|hub)_/.test(name));
}

it("README names every metric of a page, and no other", async () => {
  const own = await metricsOfPage();
  const rows = [...readme.text.matchAll(/^\| (`nodepass_[^|]*) \|/gm)].map(
    ([, names = ""]) => names,
  );
  const told = rows.flatMap((names) => [...names.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
  expect(told.sort()).toEqual(own.sort());
});

it("alerts and dashboard of deploy/ ask for metrics that there are, and each alert is tested", async () => {
  const read = (path: string) =>
    readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), "utf8");
  const there = new Set(await metricsOfPage());
  const rules = read("prometheus/fleet.rules.yml");
  for (const text of [rules, read("grafana/fleet.json")]) {
    const named = [...text.matchAll(/\bnodepass_(?:fleet|hub)_[a-z_]+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => !there.has(name))).toEqual([]);
  }
  const tests = read("prometheus/fleet.rules.test.yml");
  const document = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  for (const [, alert = ""] of rules.matchAll(/- alert: (\S+)/g)) {
    expect(tests).toContain(`alertname: ${alert}\n`);
    expect(document).toContain(`\`${alert}\``);
  }
});

it("README has the limits as they are", () => {
  const has = (row: string) => expect(readme.text).toContain(`| ${row} |`);
  expect(MAX_PASSED_BODY_BYTES).toBe(1_048_576);
  has(`headers | ${MAX_PASSED_HEADERS}`);
  has(`streams of a hub | ${MAX_HUB_STREAMS} (\`maxStreams\`)`);
  has(`streams, requests in flight of a master | ${MAX_MEMBER_STREAMS}, ${MAX_MEMBER_REQUESTS}`);
  has(`wait for the head of an answer | ${PASS_TIMEOUT_MS / 1000} s`);
  expect(readme.text).toContain(`at most ${STREAM_WINDOW_BYTES / 1024} KiB of each`);
  expect(readme.text).toContain(`silent for ${MEMBER_SILENCE_MS / 1000} s`);
});

it("README names every header of a master's that the gateway drops", () => {
  for (const name of NOT_A_MEMBERS_MATTER) {
    expect(readme.text.toLowerCase()).toContain(`\`${name}\``);
  }
});
