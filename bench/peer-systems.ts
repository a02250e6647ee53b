import { execFileSync } from "node:child_process";
import { accessSync, constants, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { goSystems } from "./nodepass-systems.ts";
import type { Missing, Places, System } from "./system.ts";

/** Folders with programs that are not always on the path of users. */
const MORE_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const HOW = "see bench/peers/README.md";

interface Found {
  readonly systems: readonly System[];
  readonly missing: readonly Missing[];
}

/** The peers that are installed, or named in the environment. */
export function findPeers(environment: NodeJS.ProcessEnv): Found {
  const systems: System[] = [];
  const missing: Missing[] = [];
  const add = (
    name: string,
    files: readonly (string | undefined)[],
    make: (...found: string[]) => readonly System[],
  ): void => {
    const found = files.filter((file) => file !== undefined);
    if (found.length === files.length) systems.push(...make(...found));
    else missing.push({ name, why: `not installed, ${HOW}` });
  };
  // By its variable only: on the path there may be our own command, which has the same name.
  add("nodepass-go", [usable(environment.NODEPASS_BIN)], (file) =>
    goSystems(file, versionOf(file, [])),
  );
  add("rathole", [find("rathole", "RATHOLE_BIN", environment)], ratholeSystems);
  add(
    "frp",
    [find("frps", "FRPS_BIN", environment), find("frpc", "FRPC_BIN", environment)],
    (frps, frpc) => [frp(frps, frpc)],
  );
  add("chisel", [find("chisel", "CHISEL_BIN", environment)], (file) => [chisel(file)]);
  add("haproxy", [find("haproxy", "HAPROXY_BIN", environment)], (file) => [haproxy(file)]);
  add("socat", [find("socat", "SOCAT_BIN", environment)], (file) => [socat(file)]);
  return { systems, missing };
}

function usable(file: string | undefined): string | undefined {
  if (file === undefined || file === "") return undefined;
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

function find(name: string, variable: string, environment: NodeJS.ProcessEnv): string | undefined {
  const given = environment[variable];
  if (given !== undefined && given !== "") return usable(given);
  const folders = [...(environment.PATH ?? "").split(delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => usable(join(folder, name))).find((file) => file !== undefined);
}

/** The first thing in the program's output that looks like a version. */
function versionOf(file: string, args: readonly string[]): string {
  let text: string;
  try {
    text = execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    // Some print it together with their usage, and fail.
    const { stdout, stderr } = error as { stdout?: unknown; stderr?: unknown };
    text = `${String(stdout ?? "")}${String(stderr ?? "")}`;
  }
  const version = /version\W+(\d+\.\d+\S*)/i.exec(text) ?? /(\d+\.\d+\S*)/.exec(text);
  return version?.[1] ?? "unknown version";
}

const PEER = { reference: false, patienceSeconds: 20 } as const;

function put(places: Places, name: string, content: string): string {
  const file = join(places.folder, name);
  writeFileSync(file, content);
  return file;
}

function ratholeSystems(file: string): readonly System[] {
  const version = versionOf(file, ["--version"]);
  const services = (side: "server" | "client", port: number): string => {
    const address = side === "server" ? "bind_addr" : "local_addr";
    const service = (type: string): string =>
      `[${side}.services.${type}]\ntype = "${type}"\n${address} = "127.0.0.1:${port}"\n`;
    return service("tcp") + service("udp");
  };
  const commands = (places: Places, serverNoise: string, clientNoise: string) => {
    const control = `"127.0.0.1:${places.control}"\ndefault_token = "benchmark"\n`;
    const server = `[server]\nbind_addr = ${control}${serverNoise}${services("server", places.entry)}`;
    const client = `[client]\nremote_addr = ${control}${clientNoise}${services("client", places.target)}`;
    return [
      { file, args: ["--server", put(places, "server.toml", server)] },
      { file, args: ["--client", put(places, "client.toml", client)] },
    ];
  };
  const noise = (side: string, key: string): string =>
    `[${side}.transport]\ntype = "noise"\n[${side}.transport.noise]\n${key}\n`;
  return [
    {
      ...PEER,
      name: "rathole",
      group: "two hops",
      udp: true,
      version,
      commands: (places) => commands(places, "", ""),
    },
    {
      ...PEER,
      name: "rathole-noise",
      group: "two hops, encrypted",
      udp: true,
      version,
      commands: (places) => {
        const text = execFileSync(file, ["--genkey"], { encoding: "utf8" });
        const [secret = "", open = ""] = text.match(/[A-Za-z0-9+/]{40,}=*/g) ?? [];
        return commands(
          places,
          noise("server", `local_private_key = "${secret}"`),
          noise("client", `remote_public_key = "${open}"`),
        );
      },
    },
  ];
}

/** At its defaults: TLS, and all connections over one. */
function frp(frps: string, frpc: string): System {
  return {
    ...PEER,
    name: "frp",
    group: "two hops, encrypted",
    udp: true,
    version: versionOf(frps, ["--version"]),
    commands: (places) => {
      const proxy = (type: string): string =>
        `[[proxies]]\nname = "${type}"\ntype = "${type}"\nlocalIP = "127.0.0.1"\n` +
        `localPort = ${places.target}\nremotePort = ${places.entry}\n`;
      const server = `bindAddr = "127.0.0.1"\nbindPort = ${places.control}\nlog.level = "error"\n`;
      const client =
        `serverAddr = "127.0.0.1"\nserverPort = ${places.control}\nlog.level = "error"\n` +
        proxy("tcp") +
        proxy("udp");
      return [
        { file: frps, args: ["-c", put(places, "frps.toml", server)] },
        { file: frpc, args: ["-c", put(places, "frpc.toml", client)] },
      ];
    },
  };
}

/** SSH inside WebSocket, always. */
function chisel(file: string): System {
  return {
    ...PEER,
    name: "chisel",
    group: "two hops, encrypted",
    udp: true,
    version: versionOf(file, ["--version"]),
    commands: ({ entry, control, target }) => {
      const remote = `R:127.0.0.1:${entry}:127.0.0.1:${target}`;
      return [
        {
          file,
          args: ["server", "--host", "127.0.0.1", "--port", String(control), "--reverse"],
        },
        { file, args: ["client", `http://127.0.0.1:${control}`, remote, `${remote}/udp`] },
      ];
    },
  };
}

function haproxy(file: string): System {
  return {
    ...PEER,
    name: "haproxy",
    group: "one hop",
    udp: false,
    version: versionOf(file, ["-v"]),
    commands: (places) => {
      const content =
        "global\n  maxconn 8000\ndefaults\n  mode tcp\n  timeout connect 5s\n" +
        "  timeout client 10m\n  timeout server 10m\n" +
        `listen relay\n  bind 127.0.0.1:${places.entry}\n` +
        `  server service 127.0.0.1:${places.target}\n`;
      return [{ file, args: ["-db", "-q", "-f", put(places, "haproxy.cfg", content)] }];
    },
  };
}

/** A process for each connection. */
function socat(file: string): System {
  const options = "bind=127.0.0.1,reuseaddr,fork";
  return {
    ...PEER,
    name: "socat",
    group: "one hop",
    udp: true,
    version: versionOf(file, ["-V"]),
    commands: ({ entry, target }) => [
      {
        file,
        args: [`TCP-LISTEN:${entry},backlog=4096,${options}`, `TCP:127.0.0.1:${target}`],
      },
      { file, args: [`UDP-LISTEN:${entry},${options}`, `UDP:127.0.0.1:${target}`] },
    ],
  };
}
