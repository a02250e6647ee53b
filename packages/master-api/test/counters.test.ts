import { COUNTER_NAMES, COUNTERS, type CounterDefinition, countersOf } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";
import { readEvents } from "./support/event-reader.ts";

// A number of its own for each counter: what is shown can be of no other.
const counters = countersOf((name) => 1000 + COUNTER_NAMES.indexOf(name));

test("every counter of the table is in answers, events, metrics and the document", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one", ...counters });
  expect(await (await ask("GET", "/instances/one")).json()).toMatchObject(counters);

  const reader = readEvents(await ask("GET", "/events"));
  service.emit({ type: "shutdown" });
  expect(JSON.stringify(await reader.rest())).toContain(JSON.stringify(counters).slice(1, -1));

  const metrics = await (await ask("GET", "/metrics")).text();
  const document = JSON.stringify(await (await ask("GET", "/openapi.json")).json());
  for (const name of COUNTER_NAMES) {
    const { metric, metricLabels = {}, metricScale = 1, help }: CounterDefinition = COUNTERS[name];
    const labels = Object.entries(metricLabels).map(([label, value]) => `,${label}="${value}"`);
    const line = `nodepass_instance_${metric}{id="one",alias="",type="server"${labels.join("")}}`;
    expect(metrics).toContain(`${line} ${counters[name] * metricScale}`);
    expect(document).toContain(JSON.stringify(help).slice(1, -1));
  }
});

test("metrics of the table are named by the conventions", () => {
  for (const name of COUNTER_NAMES) {
    const { metric, kind }: CounterDefinition = COUNTERS[name];
    expect(metric).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(metric.endsWith("_total")).toBe(kind === "total");
  }
});
