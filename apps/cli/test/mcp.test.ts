import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, it, onTestFinished } from "vitest";
import { fakeInstance, startFakeMaster } from "./support/fake-master.ts";
import { temporaryFolder } from "./support/folder.ts";
import { startRealMaster } from "./support/real-master.ts";
import { mainPath, runCli, startCli } from "./support/run-cli.ts";
import { hasTerminals, startAtTerminal } from "./support/terminal.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Starts `nodepass mcp` as an agent's host does. */
async function connect(
  environment: Readonly<Record<string, string>>,
  options: readonly string[] = [],
  era: "legacy" | "auto" = "legacy",
) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [mainPath, "mcp", ...options],
    env: { PATH: process.env.PATH ?? "", ...environment },
    stderr: "pipe",
  });
  let said = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: era } },
  );
  await client.connect(transport);
  onTestFinished(() => client.close());
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const { content, structuredContent, isError } = await client.callTool({
      name,
      arguments: args,
    });
    const [first] = content;
    const text = first?.type === "text" ? first.text : "";
    return { isError: isError === true, text, fields: Object(structuredContent ?? {}) as Fields };
  };
  return { client, call, stderr: () => said };
}

const forward = {
  role: "client",
  tunnel_address: "127.81.7.6",
  tunnel_port: "0",
  target_address: "127.81.7.6",
  target_port: "9",
  mode: "1",
};

it.each(["legacy", "auto"] as const)(
  "manages a master of ours over standard streams: %s",
  async (era) => {
    const master = await startRealMaster();
    const { client, call, stderr } = await connect(master.environment, [], era);
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(19);
    const made = await call("create_instance", { ...forward, alias: "web" });
    expect(made.fields.instance).toMatchObject({ alias: "web", status: "running" });
    expect(await master.json(["ls"])).toMatchObject([{ alias: "web" }]);
    const { messages } = await client.getPrompt({
      name: "why_is_this_tunnel_down",
      arguments: { instance: "web" },
    });
    expect(JSON.stringify(messages)).toContain("web");
    expect((await call("export_instances")).fields.result).toEqual({
      file: "nodepass.json",
      count: 1,
    });
    expect(existsSync(join(master.environment.NP_STATE_DIR ?? "", "nodepass.json"))).toBe(true);
    expect(stderr()).toBe("");
  },
);

it("offers only what reads: by --read-only, and to a key that may only read", async () => {
  const master = await startRealMaster();
  const names = async (environment: Record<string, string>, options: string[] = []) => {
    const { client } = await connect(environment, options);
    return (await client.listTools()).tools.map(({ name }) => name).sort();
  };
  const reading = ["get_instance", "get_instance_config", "get_master_info", "list_instances"];
  expect(await names({ ...master.environment }, ["--read-only"])).toEqual([
    ...reading,
    "tcping_target",
  ]);
  const headers = { "X-API-Key": master.key };
  const answer = await fetch(`${master.url}/keys/read`, { method: "POST", headers });
  const { key } = (await answer.json()) as { readonly key: string };
  expect(await names({ ...master.environment, NP_API_KEY: key })).toEqual(reading);
});

it("manages a master of the Go program, by a profile, with a file of one's own", async () => {
  const master = await startFakeMaster({ looksUntilStopped: 2 });
  master.instances.set("a1b2c3d4", fakeInstance());
  const folder = temporaryFolder();
  const environment = { XDG_CONFIG_HOME: folder };
  const login = ["login", "old", "--master", master.url, "--key", master.key];
  expect(await runCli(login, { environment })).toMatchObject({ code: 0 });
  const file = join(folder, "kept.json");
  const { call } = await connect(environment, ["--profile", "old", "--file", file]);
  expect((await call("list_instances")).fields.instances).toMatchObject([{ id: "a1b2c3d4" }]);
  expect(
    (await call("control_instance", { id: "a1b2c3d4", action: "stop" })).fields.instance,
  ).toMatchObject({
    status: "stopped",
  });
  expect((await call("export_instances")).fields.result).toEqual({ file: "kept.json", count: 1 });
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject([{ alias: "web" }]);
});

it("writes nothing but the protocol to standard output, and ends with its reader or a signal", async () => {
  const environment = {
    NP_MASTER_URL: "http://127.81.7.6:1",
    NP_API_KEY: "k",
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  const agent = startCli(["mcp"], { environment });
  const say = (message: unknown) => agent.child.stdin.write(`${JSON.stringify(message)}\n`);
  agent.child.stdin.write("\nno js");
  agent.child.stdin.write("on\r\n");
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  };
  say({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  await agent.waitFor(/"id":1/);
  say({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "list_instances" } });
  await agent.waitFor(/"id":2/);
  agent.child.stdin.end();
  const { code, stdout, stderr } = await agent.ended;
  expect(code).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.every(({ jsonrpc }) => jsonrpc === "2.0")).toBe(true);
  expect(lines.map(({ id }) => id)).toEqual([null, 1, 2]);
  expect(lines[0].error).toMatchObject({ code: -32_700 });
  expect(lines.at(-1).result).toMatchObject({
    isError: true,
    content: [
      { text: expect.stringMatching(/^no answer of the master at http:\/\/127\.81\.7\.6:1/) },
    ],
  });
  for (const line of stderr.split("\n")) expect(line).toMatch(/^(?:nodepass: .*)?$/);

  const stopped = startCli(["mcp"], { environment });
  stopped.child.stdin.write(
    `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`,
  );
  await stopped.waitFor(/"id":1/);
  stopped.child.kill("SIGTERM");
  expect((await stopped.ended).code).toBe(0);
});

it.runIf(hasTerminals)("says at a terminal what it waits for", async () => {
  const environment = {
    NP_MASTER_URL: "http://127.81.7.6:1",
    NP_API_KEY: "k",
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  const terminal = startAtTerminal(["mcp"], environment);
  await terminal.waitFor(/waiting for an agent on standard input/);
  terminal.signal("SIGINT");
  expect((await terminal.ended()).code).toBe(0);
});

it("gives up on a message of more than 1 MiB, and says so", async () => {
  const environment = {
    NP_MASTER_URL: "http://127.81.7.6:1",
    NP_API_KEY: "k",
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  const { child, ended } = startCli(["mcp"], { environment });
  child.stdin.on("error", () => undefined);
  child.stdin.write("x".repeat(3_000_000));
  const { stdout, stderr } = await ended;
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^nodepass: .*1048576/m);
});

it("costs a tunnel nothing: it loads nothing for agents", async () => {
  const hooks = `import { registerHooks } from "node:module";
    registerHooks({ load(url, context, next) {
      if (/modelcontextprotocol|packages\\/mcp\\/|src\\/mcp\\//.test(url)) console.error("loaded", url);
      return next(url, context);
    } });`;
  const nodeArguments = ["--import", `data:text/javascript,${encodeURIComponent(hooks)}`];
  const tunnel = startCli(["client://127.81.7.6:0/127.81.7.6:9?mode=1"], { nodeArguments });
  await tunnel.waitFor(/forwarding/);
  tunnel.child.kill("SIGTERM");
  expect(await tunnel.ended).toMatchObject({ code: 0, stderr: "" });
  // The hooks would have said so.
  const environment = {
    NP_MASTER_URL: "http://127.81.7.6:1",
    NP_API_KEY: "k",
    XDG_CONFIG_HOME: temporaryFolder(),
  };
  const agent = await runCli(["mcp"], { nodeArguments, environment });
  expect(agent.stderr).toMatch(/loaded .*modelcontextprotocol/);
});

it("says what is missing before anything is served", async () => {
  const environment = { XDG_CONFIG_HOME: temporaryFolder(), NP_MASTER_URL: "http://127.81.7.6:1" };
  const noKey = await runCli(["mcp"], { environment });
  expect(noKey).toMatchObject({ code: 4, stdout: "" });
  expect(noKey.stderr).toMatch(/no API key for the master/);
  const noProfile = await runCli(["mcp", "--profile", "x"], { environment });
  expect(noProfile.stderr).toMatch(/no profile "x"/);
});
