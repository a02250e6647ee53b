import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";

/** Where a program of Debian is. */
const PLACES: readonly string[] = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];

/** A reverse proxy, or a proxy on the way out, that stands between two ends. */
export interface MiddleBox {
  /** Kills it, and with it what it carries, and starts it again at the same address. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The path of a program, or `undefined`, said in one line. */
export function findProgram(name: string, debian = name): string | undefined {
  const found = PLACES.map((place) => join(place, name)).find(
    (path) => spawnSync("test", ["-x", path]).status === 0,
  );
  if (found === undefined) {
    console.warn(`left out: there is no ${name} here (Debian's package ${debian})`);
  }
  return found;
}

/** An address of this process alone, so that ports can be fixed. @param last 1 to 254 */
export function ownAddress(last: number): string {
  return `127.${64 + ((process.pid >> 8) & 0x3f)}.${process.pid & 0xff}.${last}`;
}

/**
 * Runs a program in the foreground until it is closed.
 *
 * @param makeArguments given a folder for its files
 * @param listens where it takes connections once it is up
 */
async function run(
  program: string,
  makeArguments: (folder: string) => Promise<readonly string[]>,
  listens: { readonly host: string; readonly port: number },
): Promise<MiddleBox> {
  const folder = await mkdtemp(join(tmpdir(), "nodepass-box-"));
  const args = await makeArguments(folder);
  let child: ChildProcess | undefined;
  let output = "";
  const start = async (): Promise<void> => {
    const started = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    started.stdout.on("data", (chunk) => {
      output = `${output}${String(chunk)}`.slice(-4000);
    });
    started.stderr.on("data", (chunk) => {
      output = `${output}${String(chunk)}`.slice(-4000);
    });
    await vi.waitFor(
      async () => {
        if (started.exitCode !== null) throw new Error(`${program} ended: ${output}`);
        const socket = connect(listens);
        try {
          await once(socket, "connect");
        } finally {
          socket.destroy();
        }
      },
      { timeout: 10_000, interval: 20 },
    );
  };
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    // Some wait for what they carry.
    const late = setTimeout(() => child?.kill("SIGKILL"), 2000);
    await gone;
    clearTimeout(late);
  };
  try {
    await start();
  } catch (error) {
    await stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    restart: async () => {
      await stop();
      await start();
    },
    close: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A reverse proxy that ends TLS in front of a server. */
export interface FrontOptions {
  readonly program: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly server: { readonly host: string; readonly port: number };
  readonly certPath: string;
  readonly keyPath: string;
}

/** The configuration in docs/proxies.md, with its addresses replaced. */
async function documented(
  name: "nginx" | "haproxy" | "caddy",
  options: FrontOptions,
): Promise<string> {
  const document = await readFile(new URL("../../../../docs/proxies.md", import.meta.url), "utf8");
  const [, block] = new RegExp(`\`\`\`${name}\\n([\\s\\S]*?)\`\`\``).exec(document) ?? [];
  if (block === undefined) throw new Error(`docs/proxies.md has no configuration of ${name}`);
  const { listen, server, certPath, keyPath } = options;
  return block
    .replaceAll("127.0.0.1:10101", `${server.host}:${server.port}`)
    .replaceAll("listen 443 ssl", `listen ${listen.host}:${listen.port} ssl`)
    .replaceAll("bind :443 ssl", `bind ${listen.host}:${listen.port} ssl`)
    .replaceAll("/etc/ssl/tunnel.pem", certPath)
    .replaceAll("/etc/ssl/tunnel.key", keyPath);
}

/** HAProxy with a configuration of a test's own. */
export function startHaproxyWith(
  program: string,
  listens: { readonly host: string; readonly port: number },
  configuration: string,
): Promise<MiddleBox> {
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const path = join(folder, "haproxy.cfg");
    const times = "  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n";
    await writeFile(path, `global\n  maxconn 1000\n\ndefaults\n${times}\n${configuration}`);
    return ["-f", path, "-db"];
  };
  return run(program, makeArguments, listens);
}

/** nginx with a configuration of a test's own. @param main before the blocks, such as modules to load */
export function startNginxWith(
  program: string,
  listens: { readonly host: string; readonly port: number },
  configuration: string,
  main = "",
): Promise<MiddleBox> {
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const path = join(folder, "nginx.conf");
    await writeFile(
      path,
      `${main}\ndaemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr warn;\n` +
        `events { worker_connections 1000; }\n${configuration.replaceAll("FOLDER", folder)}`,
    );
    return ["-c", path, "-p", folder];
  };
  return run(program, makeArguments, listens);
}

export function startNginx(options: FrontOptions): Promise<MiddleBox> {
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const path = join(folder, "nginx.conf");
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
      .join("\n");
    await writeFile(
      path,
      `daemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr warn;\n` +
        "events { worker_connections 4096; }\n" +
        `http {\n  access_log off;\n${temporary}\n${await documented("nginx", options)}}\n`,
    );
    return ["-c", path, "-p", folder];
  };
  return run(options.program, makeArguments, options.listen);
}

export function startHaproxy(options: FrontOptions): Promise<MiddleBox> {
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const pem = join(folder, "both.pem");
    const [cert, key] = await Promise.all([
      readFile(options.certPath, "utf8"),
      readFile(options.keyPath, "utf8"),
    ]);
    await writeFile(pem, `${cert}\n${key}\n`, { mode: 0o600 });
    const path = join(folder, "haproxy.cfg");
    const documents = await documented("haproxy", { ...options, certPath: pem });
    await writeFile(path, `global\n  maxconn 4096\n\n${documents}`);
    return ["-f", path, "-db"];
  };
  return run(options.program, makeArguments, options.listen);
}

export function startCaddy(options: FrontOptions & { readonly name: string }): Promise<MiddleBox> {
  const { listen, name } = options;
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const path = join(folder, "Caddyfile");
    const site = (await documented("caddy", options)).replace(
      "tunnel.example.org {",
      `https://${name}:${listen.port} {\n  bind ${listen.host}`,
    );
    const own = `storage file_system ${folder}\n  auto_https disable_redirects`;
    await writeFile(path, `{\n  admin off\n  ${own}\n}\n${site}`);
    return ["run", "--config", path, "--adapter", "caddyfile"];
  };
  return run(options.program, makeArguments, listen);
}

/** A proxy on the way out, with a user and a password. */
export interface ProxyOptions {
  readonly program: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly user: string;
  readonly password: string;
}

export function startTinyproxy(options: ProxyOptions): Promise<MiddleBox> {
  const { listen, user, password } = options;
  const makeArguments = async (folder: string): Promise<readonly string[]> => {
    const path = join(folder, "tinyproxy.conf");
    await writeFile(
      path,
      `Port ${listen.port}\nListen ${listen.host}\nAllow 127.0.0.0/8\nMaxClients 2000\n` +
        `Timeout 600\nLogLevel Critical\nPidFile "${folder}/pid"\nBasicAuth ${user} ${password}\n`,
    );
    return ["-d", "-c", path];
  };
  return run(options.program, makeArguments, listen);
}

export function startMicrosocks(options: ProxyOptions): Promise<MiddleBox> {
  const { listen, user, password } = options;
  const args = ["-i", listen.host, "-p", String(listen.port), "-u", user, "-P", password];
  return run(options.program, () => Promise.resolve(args), listen);
}
