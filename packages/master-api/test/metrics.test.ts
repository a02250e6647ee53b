import { latenciesOf } from "@nodepass/model";
import { expect, test } from "vitest";
import { createAsked } from "./support/ask.ts";

test("GET /metrics is the Prometheus text format with live values of every instance", async () => {
  const { ask, service } = createAsked();
  service.add({
    id: "one",
    alias: 'a"b\\c\nd',
    tcprx: 10,
    tcptx: 20,
    udprx: 30,
    udptx: 40,
    ping: 25,
  });
  service.add({ id: "two", type: "client", status: "stopped", link: "down" });
  const response = await ask("GET", "/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  const labels = 'id="one",alias="a\\"b\\\\c\\nd",type="server"';
  for (const line of [
    `nodepass_instance_up{${labels}} 1`,
    'nodepass_instance_up{id="two",alias="",type="client"} 0',
    `nodepass_instance_peer_connected{${labels}} 1`,
    'nodepass_instance_peer_connected{id="two",alias="",type="client"} 0',
    `nodepass_instance_ping_seconds{${labels}} 0.025`,
    `nodepass_instance_tcp_received_bytes_total{${labels}} 10`,
    `nodepass_instance_tcp_sent_bytes_total{${labels}} 20`,
    `nodepass_instance_udp_received_bytes_total{${labels}} 30`,
    `nodepass_instance_udp_sent_bytes_total{${labels}} 40`,
    'nodepass_instances{status="running"} 1',
    'nodepass_instances{status="stopped"} 1',
    'nodepass_instances{status="error"} 0',
    'nodepass_build_info{version="9.8.7"} 1',
    "process_cpu_seconds_total 2",
    "process_resident_memory_bytes 50000000",
    "nodepass_workers 2",
    "nodepass_worker_restarts_total 1",
    "# TYPE nodepass_instance_tcp_received_bytes_total counter",
    "# TYPE nodepass_instance_up gauge",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

test("values follow the service from scrape to scrape; deleted instances are gone", async () => {
  const { ask, service } = createAsked();
  service.add({ id: "one", tcprx: 10 });
  await ask("GET", "/metrics");
  service.change("one", { tcprx: 12, tcps: 3 });
  const second = await (await ask("GET", "/metrics")).text();
  expect(second).toMatch(/tcp_received_bytes_total\{id="one".*\} 12$/m);
  expect(second).toMatch(/tcp_connections\{id="one".*\} 3$/m);
  service.change("one", { tcprx: 0 });
  expect(await (await ask("GET", "/metrics")).text()).toMatch(
    /received_bytes_total\{id="one".*\} 0$/m,
  );
  service.instances.clear();
  expect(await (await ask("GET", "/metrics")).text()).not.toContain('id="one"');
});

test("neither keys nor URLs are in the metrics", async () => {
  const { ask, service } = createAsked();
  service.add({ url: "client://tunnelsecret@h:1/h:2", config: "client://tunnelsecret@h:1/h:2" });
  const text = await (await ask("GET", "/metrics")).text();
  expect(text).not.toContain(service.apiKey());
  expect(text).not.toContain("tunnelsecret");
});

test("what the platform does not tell is left out, not shown as 0", async () => {
  const { ask, service } = createAsked();
  const all = await service.processMetrics();
  service.processMetrics = async () => ({
    ...all,
    openFileDescriptors: undefined as never,
    workers: undefined as never,
  });
  const text = await (await ask("GET", "/metrics")).text();
  expect(text).not.toMatch(/^process_open_fds /m);
  expect(text).not.toMatch(/^nodejs_eventloop_lag_seconds /m);
});

test("two masters in one process have their own metrics", async () => {
  const first = createAsked();
  const second = createAsked();
  first.service.add({ id: "first" });
  second.service.add({ id: "second" });
  expect(await (await first.ask("GET", "/metrics")).text()).not.toContain('id="second"');
  expect(await (await second.ask("GET", "/metrics")).text()).not.toContain('id="first"');
});

test("instances over the limit are counted, and what others measured is shown", async () => {
  const { ask, service } = createAsked({ metricsInstances: 1 });
  const boundsMs = [1, 10];
  const none = { boundsMs, counts: [0, 0, 0], sumMs: 0 };
  for (const id of ["one", "two"]) {
    service.add({ id });
    const dial = { boundsMs, counts: [1, 2, 3], sumMs: 4500 };
    service.measured.set(
      id,
      latenciesOf((name) => (name === "dial" ? dial : none)),
    );
  }
  const lines = (await (await ask("GET", "/metrics")).text()).split("\n");
  const at = 'id="one",alias="",type="server"';
  expect(lines.filter((line) => line.startsWith("nodepass_instance_dial_seconds"))).toEqual([
    `nodepass_instance_dial_seconds_bucket{${at},le="0.001"} 1`,
    `nodepass_instance_dial_seconds_bucket{${at},le="0.01"} 3`,
    `nodepass_instance_dial_seconds_bucket{${at},le="+Inf"} 6`,
    `nodepass_instance_dial_seconds_sum{${at}} 4.5`,
    `nodepass_instance_dial_seconds_count{${at}} 6`,
  ]);
  expect(lines).toContain("nodepass_instances_left_out 1");
  expect(lines).toContain('nodepass_instances{status="running"} 2');
});
