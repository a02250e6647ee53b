import { LATENCY_NAMES, latenciesOf, NO_COUNTERS } from "@nodepass/model";
import { expect, test } from "vitest";
import { type InstanceFigures, writeInstanceMetrics } from "./instance-metrics.ts";
import { MetricsPage } from "./metrics-page.ts";

function instance(fields: Partial<InstanceFigures> = {}): InstanceFigures {
  return {
    ...NO_COUNTERS,
    ...{ id: "one", alias: "", type: "server", status: "running", link: "up", mode: 1 },
    restingTargets: [],
    ...fields,
  } as InstanceFigures;
}

function write(
  instances: readonly InstanceFigures[],
  latencies: Parameters<typeof writeInstanceMetrics>[2] = new Map(),
  maxInstances?: number,
): string[] {
  const page = new MetricsPage();
  writeInstanceMetrics(page, instances, latencies, { maxInstances });
  return page.toString().split("\n");
}

const none = { boundsMs: [1], counts: [0, 0], sumMs: 0 };

test("has a histogram for each time that the instance measured, and no other", () => {
  const some = { boundsMs: [1], counts: [2, 3], sumMs: 9000 };
  for (const measured of LATENCY_NAMES) {
    const latencies = latenciesOf((name) => (name === measured ? some : none));
    const lines = write([instance()], new Map([["one", latencies]]));
    const buckets = lines.filter((line) => line.includes("_bucket"));
    expect(buckets).toHaveLength(2);
    expect(lines.filter((line) => /_seconds_(?:sum|count)/.test(line))).toHaveLength(2);
    expect(buckets[1]).toMatch(/le="\+Inf"\} 5$/);
  }
});

test("instances over the limit are counted, and have no series", () => {
  const all = ["a", "b", "c"].map((id) =>
    instance({ id, status: id === "c" ? "error" : "running" }),
  );
  const lines = write(all, new Map(), 2);
  expect(lines).toContain("nodepass_instances_left_out 1");
  expect(lines).toContain('nodepass_instances{status="error"} 1');
  expect(lines.some((line) => line.includes('id="b"'))).toBe(true);
  expect(lines.some((line) => line.includes('id="c"'))).toBe(false);
  expect(write(all)).toContain("nodepass_instances_left_out 0");
});

test("resting targets are bounded, and numbers that are none are 0", () => {
  const restingTargets = Array.from({ length: 200 }, (_, at) => ({
    target: `host-${at}:80`,
    protocol: "tcp" as const,
    reason: "",
  }));
  const lines = write([instance({ restingTargets, ping: Number.NaN })]);
  expect(lines.filter((line) => line.startsWith("nodepass_instance_target_resting"))).toHaveLength(
    64,
  );
  expect(lines).toContain('nodepass_instance_ping_seconds{id="one",alias="",type="server"} 0');
});

test("a forwarder expects no peer", () => {
  const lines = write([instance({ type: "client", link: "none" })]);
  const labels = '{id="one",alias="",type="client"}';
  expect(lines).toContain(`nodepass_instance_peer_expected${labels} 0`);
  expect(lines).toContain(`nodepass_instance_peer_connected${labels} 0`);
});
