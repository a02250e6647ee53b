import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "./support/folder.ts";
import { workspaceFolder } from "./support/pack.ts";
import { runCli, startCli } from "./support/run-cli.ts";

/** Loopback addresses of this file alone, in place of the document's names. */
const PLACES = new Map([
  ["edge.example.com", "127.61.3.11"],
  ["a.example.com", "127.61.3.12"],
  ["b.example.com", "127.61.3.13"],
]);
/** In place of 127.0.0.1, where the services are. */
const SERVICES = "127.61.3.14";

const document = readFileSync(`${workspaceFolder}/docs/many-to-many.md`, "utf8");

/** The commands of a section, each with its arguments, addressed to this file's own places. */
function commandsOf(heading: string): { readonly argument: string; readonly where: string }[] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const [, code = ""] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  return code
    .trim()
    .split("\n")
    .map((line) => {
      const [, argument = "", where = ""] =
        /^nodepass (?:run )?'?([^' ]+)'? +# (.*)$/.exec(line) ?? [];
      const here = PLACES.get(where.replace("on ", "")) ?? "";
      let text = argument.replace("127.0.0.1", SERVICES);
      for (const [name, address] of PLACES) text = text.replaceAll(name, address);
      return { argument: text.replace("@:", `@${here}:`).replace("/:", `/${here}:`), where };
    });
}

/** A service that says its name and closes. */
async function serve(name: string, port: number, host = SERVICES): Promise<void> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(name);
  }).listen(port, host);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
}

/** What a user reads, empty if he is refused. */
async function visit(place: string, port: number): Promise<string> {
  const socket = connect(port, PLACES.get(place));
  let text = "";
  socket.on("data", (bytes) => {
    text += String(bytes);
  });
  await new Promise<void>((resolve) => {
    socket.on("error", () => resolve()).on("close", () => resolve());
  });
  return text;
}

const eventually = (read: () => Promise<unknown>, value: unknown) =>
  expect.poll(read, { timeout: 30_000 }).toEqual(value);

it("several clients on one server: both are used, and one that is killed is not", async () => {
  const [server, one, other] = commandsOf("Several clients on one server");
  await serve("one", 8001);
  await serve("other", 8002);
  await startCli([server?.argument ?? ""]).waitFor(/server listening/);
  const clients = [one, other].map((each) => startCli([each?.argument ?? ""]));
  await Promise.all(clients.map((client) => client.waitFor(/session established/)));
  const both = async () =>
    [
      ...new Set([await visit("edge.example.com", 8080), await visit("edge.example.com", 8080)]),
    ].sort();
  await eventually(both, ["one", "other"]);
  clients[0]?.child.kill("SIGKILL");
  await clients[0]?.ended;
  await eventually(both, ["other"]);
});

it("several servers for one client: it is the exit of each", async () => {
  const [a, b, client] = commandsOf("Several servers for one client");
  await serve("service", 3000);
  for (const each of [a, b]) await startCli([each?.argument ?? ""]).waitFor(/server listening/);
  startCli([client?.argument ?? ""]);
  await eventually(() => visit("a.example.com", 8080), "service");
  await eventually(() => visit("b.example.com", 8080), "service");
});

it("several tunnels on one port: each client finds its own", async () => {
  const [run, one, other] = commandsOf("Several tunnels on one port");
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(document) ?? [];
  const file = join(temporaryFolder(), run?.argument ?? "");
  writeFileSync(file, yaml.replaceAll('":', `"${PLACES.get("edge.example.com")}:`));
  await serve("web", 3000);
  await serve("ssh", 2022);
  await startCli(["run", file]).waitFor(/configuration in force/);
  for (const each of [one, other]) startCli([each?.argument ?? ""]);
  await eventually(() => visit("edge.example.com", 8080), "web");
  await eventually(() => visit("edge.example.com", 2222), "ssh");
});

it("check says what they mean, and what can't be", async () => {
  const [server] = commandsOf("Several clients on one server");
  const [, , client] = commandsOf("Several servers for one client");
  expect((await runCli(["check", server?.argument ?? ""])).stdout).toContain(
    "Up to 2 clients may have the tunnel at once; the next user goes to the one with the fewest connections.",
  );
  expect((await runCli(["check", client?.argument ?? ""])).stdout).toMatch(
    /It knows 2 servers: 127\.61\.3\.12:10101, 127\.61\.3\.13:10102\./,
  );
  const bad = await runCli(["check", "client://a:1,b:2/127.0.0.1:80"]);
  expect(bad.code).not.toBe(0);
  expect(bad.stderr + bad.stdout).toContain("has several ports, of which no key can be derived");
});
