import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reservePort } from "test-support";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { findProgram } from "./support/find-program.ts";
import { ask, type MasterProcess, startMaster, temporaryFolder } from "./support/run-master.ts";

const deploy = fileURLToPath(new URL("../../../deploy", import.meta.url));
const prometheus = findProgram("prometheus", "prometheus");
const promtool = findProgram("promtool", "prometheus");

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard: { readonly panels: readonly Panel[]; readonly templating: unknown } = JSON.parse(
  readFileSync(join(deploy, "grafana/nodepass.json"), "utf8"),
);
const rules: { groups: { rules: { alert: string; expr: string }[] }[] } = parse(
  readFileSync(join(deploy, "prometheus/nodepass.rules.yml"), "utf8"),
);
const panels = dashboard.panels.filter(({ targets }) => targets !== undefined);
const alerts = rules.groups.flatMap((group) => group.rules);

/** A master with a pair that carries users to a target, and a forwarder. */
async function startBusyMaster(): Promise<MasterProcess> {
  const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  onTestFinished(() => void echo.close());
  const target = (echo.address() as { port: number }).port;
  const [tunnel, entry, forward] = [await reservePort(), await reservePort(), await reservePort()];
  const master = await startMaster(temporaryFolder(), {
    environment: { NP_REPORT_INTERVAL: "1s" },
  });
  for (const [alias, url] of [
    ["entry", `server://k@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1&clients=2`],
    ["exit", `client://k@127.0.0.1:${tunnel}/127.0.0.1:${target}?mode=2&min=2`],
    ["forward", `client://127.0.0.1:${forward}/127.0.0.1:${target}?mode=1`],
  ]) {
    expect((await ask(master, "POST", "/instances", { alias, url })).status).toBe(201);
  }
  for (const port of [entry, forward]) {
    await expect.poll(() => visit(port), { timeout: 20_000 }).toBe("hello");
  }
  const users = setInterval(() => {
    for (const port of [entry, forward]) void visit(port);
  }, 50);
  onTestFinished(() => clearInterval(users));
  return master;
}

function visit(port: number): Promise<string> {
  return new Promise((resolve) => {
    const user = connect(port, "127.0.0.1", () => user.write("hello"));
    user.on("data", (bytes: Buffer) => {
      user.end();
      resolve(String(bytes));
    });
    user.on("error", (error) => resolve(error.message));
    user.on("close", () => resolve("closed"));
  });
}

async function scrape({ url, key }: MasterProcess): Promise<string> {
  const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  return answer.text();
}

/** Runs promtool. @returns all that it said */
async function check(argv: readonly string[], input = ""): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(promtool ?? "promtool", argv, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr });
    });
    // It may have ended before it has read all.
    child.stdin?.on("error", () => {}).end(input);
  });
}

/** What a page says of its metrics: those that Prometheus adds are there, too. */
function metricsOf(page: string): Set<string> {
  const names = new Set(["up"]);
  for (const [, name = "", type = ""] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== "histogram") names.add(name);
    else for (const part of ["bucket", "sum", "count"]) names.add(`${name}_${part}`);
  }
  return names;
}

/** The metrics that an expression names. */
function namedIn(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '""').replace(/\b(?:by|without|on) ?\([^)]*\)/g, "");
  return [...bare.matchAll(/\b(?:nodepass|process|nodejs|up)(?:_[a-z_]+)?\b(?=[\s{[)]|$)/g)].map(
    ([name]) => name,
  );
}

it("promtool finds nothing in a master's metrics, which have every histogram", async (context) => {
  const page = await scrape(await startBusyMaster());
  for (const [alias, times] of Object.entries({
    entry: ["handshake", "pool_wait", "first_byte"],
    exit: ["handshake", "pool_dial", "dial", "first_byte"],
    forward: ["dial", "first_byte"],
  })) {
    const counted = Array.from(
      page.matchAll(
        new RegExp(`^nodepass_instance_(\\w+)_seconds_count\\{.*alias="${alias}"`, "gm"),
      ),
      ([, name]) => name,
    );
    expect([alias, counted.sort()]).toEqual([alias, times.sort()]);
  }
  if (promtool === undefined) return context.skip();
  expect(await check(["check", "metrics"], page)).toEqual({ code: 0, said: "" });
});

it("every metric of dashboard and alerts is in /metrics", async () => {
  const there = metricsOf(await scrape(await startBusyMaster()));
  const expressions = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...alerts.map(({ expr }) => expr),
    ...[...JSON.stringify(dashboard.templating).matchAll(/label_values\(([^"\\]*)/g)].map(
      ([, metric = ""]) => metric.replace(/,.*/, ""),
    ),
  ];
  const named = new Set(expressions.flatMap(namedIn));
  expect(named.size).toBeGreaterThan(30);
  expect([...named].filter((name) => !there.has(name))).toEqual([]);
  // And the other way: what is measured of instances is shown, but for what only says how it is set up.
  const shown = [...there].filter(
    (name) => /^nodepass_(?:instance|peer)_/.test(name) && !named.has(name),
  );
  const parts = /_(?:sum|count)$/;
  expect(shown.filter((name) => !parts.test(name))).toEqual(["nodepass_instance_mode"]);
});

it("docs/metrics.md names every metric of a page, and no other", async () => {
  const page = await scrape(await startBusyMaster());
  const there = Array.from(page.matchAll(/^# TYPE (\S+) /gm), ([, name = ""]) => name);
  const document = readFileSync(join(deploy, "../docs/metrics.md"), "utf8");
  const rows = Array.from(document.matchAll(/^\| (`[^|]*) \|/gm), ([, names = ""]) => names);
  const told = rows
    .flatMap((names) => Array.from(names.matchAll(/`([a-z_]+)`/g), ([, name = ""]) => name))
    .map((name) =>
      /^(?:nodepass|process|nodejs)_/.test(name) ? name : `nodepass_instance_${name}`,
    );
  expect(told.sort()).toEqual(there.sort());
});

it("every alert says what it is, is documented, and is tested", () => {
  const tests = readFileSync(join(deploy, "prometheus/nodepass.rules.test.yml"), "utf8");
  const document = readFileSync(join(deploy, "../docs/metrics.md"), "utf8");
  for (const { alert } of alerts) {
    expect(tests).toContain(`alertname: ${alert}\n`);
    expect(document).toContain(`\`${alert}\``);
  }
});

describe.skipIf(promtool === undefined)("promtool", () => {
  const folder = join(deploy, "prometheus");

  it("takes the alert rules, and they pass their tests", async () => {
    for (const name of ["nodepass", "fleet"]) {
      const checked = await check(["check", "rules", join(folder, `${name}.rules.yml`)]);
      expect(checked).toEqual({ code: 0, said: expect.stringContaining("SUCCESS") });
      const tested = await check(["test", "rules", join(folder, `${name}.rules.test.yml`)]);
      expect(tested).toEqual({ code: 0, said: expect.stringContaining("SUCCESS") });
    }
  });

  it("takes the scrape configuration, and what the documents give OpenTelemetry's receiver", async () => {
    const document = readFileSync(join(deploy, "../docs/metrics.md"), "utf8");
    const [, block = ""] = /```yaml\n(receivers:[\s\S]*?)```/.exec(document) ?? [];
    const received = join(temporaryFolder(), "received.yml");
    writeFileSync(received, JSON.stringify(parse(block).receivers.prometheus.config));
    for (const path of [join(folder, "prometheus.yml"), received]) {
      const checked = await check(["check", "config", "--syntax-only", path]);
      expect(checked).toEqual({ code: 0, said: expect.stringContaining("SUCCESS") });
    }
  });
});

it.skipIf(prometheus === undefined)(
  "a real Prometheus scrapes a master as the configuration says, and answers every panel",
  async () => {
    const master = await startBusyMaster();
    const folder = temporaryFolder();
    const config = parse(readFileSync(join(deploy, "prometheus/prometheus.yml"), "utf8"));
    const [job] = config.scrape_configs;
    writeFileSync(join(folder, "key"), master.key);
    job.authorization.credentials_file = join(folder, "key");
    job.static_configs = [{ targets: [new URL(master.url).host] }];
    Object.assign(config, { scrape_configs: [job] });
    config.rule_files = [join(deploy, "prometheus/nodepass.rules.yml")];
    config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
    writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
    const api = await startPrometheus(folder);

    const query = async (text: string) => {
      const answer = await fetch(`${api}/api/v1/query?query=${encodeURIComponent(text)}`);
      const { status, error, data } = (await answer.json()) as {
        status: string;
        error?: string;
        data?: { result: readonly unknown[] };
      };
      return { status, error, results: data?.result.length ?? 0 };
    };
    const rate = "sum(rate(nodepass_instance_first_byte_seconds_count[10s])) > 0";
    await expect.poll(() => query(rate), { timeout: 40_000 }).toMatchObject({ results: 1 });

    const empty: string[] = [];
    for (const { title, targets = [] } of panels) {
      let results = 0;
      for (const { expr } of targets) {
        const answer = await query(
          expr.replaceAll("$__rate_interval", "10s").replace(/\$(?:job|instance|id)\b/g, ".*"),
        );
        expect([title, answer.status, answer.error]).toEqual([title, "success", undefined]);
        results += answer.results;
      }
      if (results === 0) empty.push(title);
    }
    expect(empty).toEqual([]);

    const told = await fetch(`${api}/api/v1/rules`);
    const { data } = (await told.json()) as { data: { groups: { rules: { health: string }[] }[] } };
    const healths = data.groups.flatMap((group) => group.rules.map(({ health }) => health));
    expect(healths).toEqual(alerts.map(() => "ok"));
  },
);

/** Starts Prometheus with the configuration of a folder. @returns its URL */
async function startPrometheus(folder: string): Promise<string> {
  const listen = `127.31.9.2:${await reservePort()}`;
  const child: ChildProcess = spawn(
    prometheus ?? "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${listen}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr?.on("data", (text: Buffer) => {
    log = (log + String(text)).slice(-4000);
  });
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${log}`);
      const ready = await fetch(`http://${listen}/-/ready`);
      expect([ready.status, log]).toEqual([200, log]);
    },
    { timeout: 40_000, interval: 100 },
  );
  return `http://${listen}`;
}
