import { expect, it } from "vitest";
import { connectAgent, memoryFile } from "./support/agent.ts";
import { startOldMaster } from "./support/old-master.ts";

const forward = {
  role: "client",
  tunnel_port: "8080",
  target_address: "h",
  target_port: "80",
  mode: 1,
};

async function setUp(content?: string) {
  const master = await startOldMaster();
  const file = memoryFile(content);
  const agent = await connectAgent(master.url, master.key, file);
  return { master, file, agent };
}

it("gets from NodePass 1.14 the state that it asked for, by as many requests as that takes", async () => {
  const { master, agent } = await setUp();
  const made = await agent.call("create_instance", { ...forward, alias: "web", slot: "9" });
  // The alias by a request of its own; fields that 1.14 does not know are filled in.
  expect(made.fields.instance).toMatchObject({
    id: "00000001",
    alias: "web",
    status: "running",
    url: "client://:8080/h:80?mode=1&slot=9",
    link: "",
    reason: "",
    nextRetry: null,
  });
  const id = "00000001";
  const stopped = await agent.call("control_instance", { id, action: "stop" });
  expect(stopped.fields.instance).toMatchObject({ status: "stopped" });
  const started = await agent.call("control_instance", { id, action: "start" });
  expect(started.fields.instance).toMatchObject({ status: "running" });
  const looks = master.requests.filter((each) => each === `GET /api/v1/instances/${id}`);
  expect(looks.length).toBeGreaterThan(1);
});

it("rewrites URLs there, and finds no change where only the order differs", async () => {
  const { agent, master } = await setUp();
  await agent.call("create_instance", forward);
  const id = "00000001";
  const set = await agent.call("set_instance_network", { id, rate: 5, dns: "1m" });
  expect(set.fields).toEqual({
    instance: expect.objectContaining({ url: "client://:8080/h:80?dns=1m&mode=1&rate=5" }),
  });
  expect((await agent.call("set_instance_network", { id, rate: "5" })).text).toMatch(/no changes/);
  // 1.14 would take the default without a word.
  const before = master.requests.length;
  expect((await agent.call("set_instance_connection", { id, mode: "7" })).text).toMatch(
    /^mode "7"/,
  );
  expect(master.requests.slice(before)).toEqual([`GET /api/v1/instances/${id}`]);
  await agent.call("update_instance", { id, peer: { sid: "s" }, tags: { a: 1 } });
  expect(master.instances.get(id)?.meta).toEqual({
    peer: { sid: "s", type: "", alias: "" },
    tags: { a: "1" },
  });
});

it("says what NodePass 1.14 does not keep, and what is not there", async () => {
  const { agent } = await setUp();
  await agent.call("create_instance", { ...forward, alias: "web" });
  const nothingKept = "this master keeps no log lines, as NodePass 1.14";
  expect((await agent.call("get_instance", { id: "00000001", logs: 5 })).text).toBe(nothingKept);
  const uri = "nodepass://instances/00000001/logs";
  await expect(agent.client.readResource({ uri })).rejects.toThrow(nothingKept);
  const { messages } = await agent.client.getPrompt({
    name: "why_is_this_tunnel_down",
    arguments: { instance: "web" },
  });
  expect(JSON.stringify(messages)).toContain(nothingKept);
  for (const tool of ["get_instance", "delete_instance", "get_instance_config"]) {
    expect((await agent.call(tool, { id: "ffffffff" })).text).toBe(
      'no instance "ffffffff"; there are: 00000001 (web)',
    );
  }
});

it("does the rest there as well", async () => {
  const { agent } = await setUp();
  expect((await agent.call("tcping_target", { target: "h:1" })).fields.result).toEqual({
    target: "h:1",
    connected: true,
    latency: 3,
    error: "",
  });
  await agent.call("update_master_info", { alias: "old" });
  expect((await agent.call("get_master_info")).fields.info).toMatchObject({ alias: "old" });
});

it("moves instances from one master to another by the file", async () => {
  const one = await setUp();
  await one.agent.call("create_instance", { ...forward, alias: "web", password: "k" });
  await one.agent.call("create_instance", { ...forward, alias: "rests" });
  await one.agent.call("update_instance", { id: "00000002", restart: false, tags: { a: "b" } });
  await one.agent.call("export_instances");
  const other = await setUp(one.file.content());
  const { fields } = await other.agent.call("import_instances");
  expect(fields.result).toEqual({ file: "memory.json", count: 2, failed: [] });
  expect(fields.instances).toMatchObject([
    { alias: "web", status: "running", url: "client://k@:8080/h:80?mode=1" },
    { alias: "rests", status: "stopped", restart: false, meta: { tags: { a: "b" } } },
  ]);
});

it("says of a master that is away, or wants another key, what the command line says", async () => {
  const { master } = await setUp();
  const wrong = await connectAgent(master.url, "guess");
  expect((await wrong.call("list_instances")).text).toMatch(
    /^the master at http:\/\/127\.0\.0\.1:\d+ refuses: Unauthorized: Invalid API key \(401\)$/,
  );
  const away = await connectAgent("http://127.81.7.9:9999", "key");
  expect((await away.call("list_instances")).text).toMatch(/^no answer of the master.*refused/);
  await expect(away.client.readResource({ uri: "nodepass://master" })).rejects.toThrow(/no answer/);
});
