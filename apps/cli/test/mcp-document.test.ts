import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { describe, expect, it, onTestFinished } from "vitest";
import { workspaceFolder } from "./support/pack.ts";
import { startRealMaster } from "./support/real-master.ts";
import { mainPath } from "./support/run-cli.ts";

const document = readFileSync(`${workspaceFolder}/docs/mcp.md`, "utf8");

interface Server {
  readonly url?: string;
  readonly httpUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly args?: string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Every server that the blocks of the document configure. */
const blocks = [...document.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = ""]) => {
  const { mcpServers, servers } = JSON.parse(text);
  return Object.values<Server>(mcpServers ?? servers)[0] ?? {};
});
const overHttp = blocks.filter(({ command }) => command === undefined);
const overStreams = blocks.filter(({ command }) => command !== undefined);

async function connect(transport: StreamableHTTPClientTransport | StdioClientTransport) {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

const rowsOf = (heading: string) => {
  const [, section = ""] = document.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/^\| (`[^|]*) \| ([^|]*) ?\|(?: ([^|]*) \|)?$/gm)].map(
    ([, name = "", second = "", third = ""]) => ({ name, second, third }),
  );
};

describe("docs/mcp.md", () => {
  it("has configurations for both ways, which lead to a master", async () => {
    expect([overHttp.length, overStreams.length]).toEqual([4, 2]);
    const master = await startRealMaster();
    for (const { url, httpUrl, headers = {} } of overHttp) {
      const given = new URL(url ?? httpUrl ?? "");
      expect(given.pathname).toBe("/api/v2");
      const real = new URL(given.pathname, master.url);
      // A variable or an input of the host stands for the key.
      const filled = Object.entries(headers).map(([name, text]) => {
        expect(text).toMatch(/^\$(?:\{(?:env:|input:)?[\w-]+\}|\w+)$/);
        return [name, master.key];
      });
      const requestInit = { headers: Object.fromEntries(filled) };
      const client = await connect(new StreamableHTTPClientTransport(real, { requestInit }));
      expect((await client.listTools()).tools).toHaveLength(19);
    }
    for (const { command, args = [], env = {} } of overStreams) {
      expect(command).toBe("nodepass");
      for (const name of Object.keys(env)) expect(name).toMatch(/^NP_(?:MASTER_URL|API_KEY)$/);
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [mainPath, ...args],
        env: { PATH: process.env.PATH ?? "", ...env, ...master.environment },
      });
      const { tools } = await (await connect(transport)).listTools();
      expect(tools.length).toBe(args.includes("--read-only") ? 5 : 19);
    }
  });

  it("tells every tool, resource and prompt with its arguments", async () => {
    const master = await startRealMaster();
    const requestInit = { headers: { "X-API-Key": master.key } };
    const client = await connect(
      new StreamableHTTPClientTransport(new URL(`${master.url}/v2`), { requestInit }),
    );
    const { tools } = await client.listTools();
    const told = rowsOf("Tools");
    expect(told.map(({ name }) => name).sort()).toEqual(
      tools.map(({ name }) => `\`${name}\``).sort(),
    );
    for (const { name, inputSchema, annotations } of tools) {
      const row = told.find((each) => each.name === `\`${name}\``);
      const { required = [], properties = {} } = inputSchema;
      const [own = ""] = (row?.second ?? "").split(",");
      const words = own
        .trim()
        .split(/ +/)
        .filter((word) => word !== "");
      const bold = words
        .filter((word) => word.startsWith("**"))
        .map((word) => word.replaceAll("*", ""));
      expect([name, bold]).toEqual([name, required]);
      const named = words.map((word) => word.replaceAll("*", ""));
      if (name === "create_instance")
        expect(Object.keys(properties)).toEqual(expect.arrayContaining(named));
      else expect([name, named]).toEqual([name, Object.keys(properties)]);
      const effect = annotations?.readOnlyHint
        ? "reads"
        : annotations?.destructiveHint
          ? "overwrites"
          : "adds";
      expect([name, row?.third]).toEqual([name, effect]);
    }
    const [{ resources }, { resourceTemplates }, { prompts }] = await Promise.all([
      client.listResources(),
      client.listResourceTemplates(),
      client.listPrompts(),
    ]);
    const rows = rowsOf("Resources and prompts")
      .map(({ name, second }) => `${name} ${second}`)
      .join("\n");
    for (const uri of [
      ...resources.map((each) => each.uri),
      ...resourceTemplates.map((each) => each.uriTemplate),
    ]) {
      expect(rows).toContain(`\`${uri}\``);
    }
    for (const { name, arguments: args = [] } of prompts) {
      const words = args.map((each) => (each.required ? `**${each.name}**` : each.name));
      expect(rows).toContain(`\`${name}\` ${words.join(" ")}`);
    }
  });
});
