import { randomBytes, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { dirname, join, resolve } from "node:path";
import type { HubSecrets } from "@nodepass/fleet-hub";
import { isFleetName } from "@nodepass/fleet-protocol";
import { type CertificateWithKey, createAuthority, issueCertificate } from "@nodepass/tunnel-core";
import type { CliContext } from "../../context.ts";
import { CliError, exitCodes } from "../../exit-code.ts";
import { commandName } from "../../output/command-name.ts";
import { shellQuote } from "../../output/shell-quote.ts";
import { readVersion } from "../../version.ts";
import { HUB_SETTINGS_FILE } from "../hub-settings.ts";
import { composeFile } from "./compose-file.ts";
import { ENGINE_CA, ENGINE_CERTIFICATE, engineFiles } from "./engine-files.ts";
import { kubernetesFiles } from "./kubernetes-files.ts";
import {
  at,
  type FleetPlan,
  fleetUrls,
  innerHosts,
  isSpread,
  listenAddress,
  type PlannedFile,
  serverNames,
} from "./plan.ts";
import { systemdFiles } from "./systemd-files.ts";

/** Options of `fleet init`. */
export interface FleetInitOptions {
  readonly name: string;
  readonly host: readonly string[];
  readonly servers: 1 | 3;
  readonly listen: string;
  readonly port: number;
  readonly enginePort: number;
  readonly websocketPort: number;
  /** 0: no such page. */
  readonly monitorPort: number;
  readonly tls: "own" | "files" | "none";
  readonly crt?: string | undefined;
  readonly crtKey?: string | undefined;
  readonly gateway?: string | undefined;
}

/** Folders that programs write into. */
const written = (plan: FleetPlan) => [
  "exports",
  ...serverNames(plan).map((name) => `data/${name}`),
];

/** Runs `nodepass fleet init`: writes all that a fleet needs, and starts nothing. */
export async function initFleet(
  context: CliContext,
  folder: string,
  options: FleetInitOptions,
): Promise<void> {
  const plan = planFleet(options);
  const directory = resolve(folder);
  if (/\p{Cc}/u.test(directory)) {
    // It would begin a line of its own in a unit.
    throw usage(`the folder ${JSON.stringify(directory)} has a control character in its name`);
  }
  await refuseToOverwrite(directory);
  const certificates = await readCertificates(plan, options);
  const { createFleet, encodeHubSecrets } = await import("@nodepass/fleet-hub");
  const { hub, operatorSeed, adminToken } = await createFleet({
    fleet: plan.name,
    ...fleetUrls(plan),
    ca: certificates?.ca ?? "",
    gateway: plan.gateway,
  });
  const files: PlannedFile[] = [
    { path: "fleet.json", text: encodeHubSecrets(hub) },
    { path: HUB_SETTINGS_FILE, text: hubSettings(plan) },
    ...certificateFiles(certificates),
    { path: "keep-elsewhere/operator.seed", text: `${operatorSeed}\n` },
    ...layout(plan, { directory, secrets: hub.secrets }),
  ];
  await writeAll(directory, files, written(plan));
  say(context, { plan, directory, adminToken, certificates });
}

/**
 * What is in the folder but secrets.
 *
 * @param directory where it will be, for units
 */
function layout(
  plan: FleetPlan,
  { directory, secrets }: { readonly directory: string; readonly secrets: HubSecrets["secrets"] },
): PlannedFile[] {
  return [
    ...engineFiles(plan, secrets, randomBytes(24).toString("base64url")),
    ...(isSpread(plan) ? [] : [{ path: "compose.yaml", text: composeFile(plan) }]),
    ...systemdFiles(plan, directory),
    ...(plan.servers > 1 && !isSpread(plan) ? kubernetesFiles(plan) : []),
  ];
}

const HOST_NAME = /^[A-Za-z0-9][\w.-]{0,252}$/;

function planFleet(options: FleetInitOptions): FleetPlan {
  const { name, host: hosts, servers, listen, gateway = "" } = options;
  if (!isFleetName(name)) {
    const allowed = "1 to 32 lower-case letters, digits and inner hyphens";
    throw usage(`--name ${JSON.stringify(name)}: allowed are ${allowed}`);
  }
  const bad = hosts.find((each) => isIP(each) === 0 && !HOST_NAME.test(each));
  if (bad !== undefined) {
    throw usage(`--host ${JSON.stringify(bad)}: allowed are host names and IP addresses`);
  }
  if (gateway !== "" && !HOST_NAME.test(gateway)) {
    throw usage(`--gateway ${JSON.stringify(gateway)}: allowed are host names`);
  }
  if (hosts.length !== 1 && hosts.length !== servers) {
    throw usage(`${servers} servers have one --host together, or one each; given: ${hosts.length}`);
  }
  if (new Set(hosts).size !== hosts.length) throw usage("--host names a machine twice");
  if (listen !== "host" && isIP(listen) === 0) {
    throw usage(`--listen ${JSON.stringify(listen)}: allowed are an IP address, and host`);
  }
  const { port: hub, enginePort: engine, websocketPort: websocket, monitorPort: monitor } = options;
  const ports = { hub, engine, websocket, cluster: 6222, monitor };
  const monitors = Array.from({ length: monitor === 0 ? 0 : servers }, (_, at) => monitor + at);
  const used = [hub, engine, websocket, ports.cluster, ...monitors];
  if (new Set(used).size !== used.length) {
    const given = `--port ${hub}, --engine-port ${engine}, --websocket-port ${websocket}`;
    const own = `--monitor-port ${monitors.join(", ") || 0}; ${ports.cluster} is the cluster's`;
    throw usage(`the ports are not all different: ${given}, ${own}`);
  }
  const { getuid, getgid } = process;
  const user = getuid === undefined || getgid === undefined ? "" : `${getuid()}:${getgid()}`;
  const version = readVersion();
  const tls = options.tls !== "none";
  return { name, hosts, servers, listen, ports, tls, gateway, user, version };
}

function usage(message: string): CliError {
  return new CliError(message, { exitCode: exitCodes.usage });
}

async function refuseToOverwrite(directory: string): Promise<void> {
  const there = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new CliError(`can't use ${directory}: ${error instanceof Error ? error.message : error}`);
  });
  if (there.length === 0) return;
  throw new CliError(`${directory} is not empty: nothing is overwritten`, {
    details: ["A fleet's keys exist once. Name a folder that is empty or not there."],
  });
}

/** Whom members and hubs trust, and what the listeners show. */
interface Certificates {
  /** PEM; empty: whom the system trusts. */
  readonly ca: string;
  readonly caKey: string;
  readonly engine: CertificateWithKey;
  readonly hub: CertificateWithKey;
}

async function readCertificates(
  plan: FleetPlan,
  { tls, crt, crtKey }: FleetInitOptions,
): Promise<Certificates | undefined> {
  const hasFiles = crt !== undefined || crtKey !== undefined;
  if (hasFiles !== (tls === "files") || (hasFiles && (crt === undefined || crtKey === undefined))) {
    throw usage("--tls files needs --crt and --crt-key, and they need it");
  }
  if (tls === "none") return undefined;
  if (crt !== undefined && crtKey !== undefined) {
    const given = { cert: await readText(crt), key: await readText(crtKey) };
    return { ca: "", caKey: "", engine: given, hub: given };
  }
  const authority = await createAuthority(`NodePass fleet ${plan.name}`);
  const { hosts, gateway } = plan;
  const engineNames = [...new Set([...hosts, ...innerHosts(plan), "localhost", "127.0.0.1"])];
  const hubNames = [
    ...hosts,
    ...(gateway === "" ? [] : [`*.${gateway}`]),
    "localhost",
    "127.0.0.1",
  ];
  return {
    ca: authority.cert,
    caKey: authority.key,
    engine: await issueCertificate(authority, { names: engineNames }),
    hub: await issueCertificate(authority, { names: hubNames }),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CliError(`can't read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function certificateFiles(certificates: Certificates | undefined): PlannedFile[] {
  if (certificates === undefined) return [];
  const { ca, caKey, engine, hub } = certificates;
  return [
    { path: ENGINE_CERTIFICATE.cert, text: engine.cert },
    { path: ENGINE_CERTIFICATE.key, text: engine.key },
    // Of a public authority's certificate the last is taken for whoever vouches for it.
    { path: ENGINE_CA, text: ca === "" ? engine.cert : ca },
    { path: "tls/hub.crt", text: hub.cert },
    { path: "tls/hub.key", text: hub.key },
    ...(caKey === "" ? [] : [{ path: "keep-elsewhere/ca.key", text: caKey }]),
  ];
}

function hubSettings(plan: FleetPlan): string {
  const settings = {
    listen: at(listenAddress(plan, 0), plan.ports.hub),
    ...(plan.tls && { crt: "tls/hub.crt", key: "tls/hub.key" }),
  };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

async function writeAll(
  directory: string,
  files: readonly PlannedFile[],
  folders: readonly string[],
): Promise<void> {
  try {
    for (const path of [...folders, ...files.map((file) => dirname(file.path))]) {
      await mkdir(join(directory, path), { recursive: true, mode: 0o700 });
    }
    for (const { path, text } of files) {
      await writeFile(join(directory, path), text, { mode: 0o600, flag: "wx" });
    }
  } catch (error) {
    throw new CliError(`can't write the fleet: ${error instanceof Error ? error.message : error}`);
  }
}

interface Written {
  readonly plan: FleetPlan;
  readonly directory: string;
  readonly adminToken: string;
  readonly certificates: Certificates | undefined;
}

/** The token alone goes to standard output. */
function say(
  { stdout, stderr, environment }: CliContext,
  { plan, directory, adminToken, certificates }: Written,
): void {
  const command = commandName(environment);
  const [hub = ""] = fleetUrls(plan).hubs;
  const more = plan.servers > 1 && !isSpread(plan) ? ", kustomization.yaml" : "";
  const compose = isSpread(plan) ? "" : ", compose.yaml";
  // Who trusts no authority for it trusts this certificate.
  const pin =
    certificates === undefined || certificates.ca === ""
      ? ""
      : ` --pin ${new X509Certificate(certificates.hub.cert).fingerprint256}`;
  stdout.write(`${adminToken}\n`);
  stderr.write(
    `wrote the fleet ${plan.name} into ${directory}: keys, certificates, nats/*.conf, systemd/*.service${compose}${more}
Above is its first admin token, shown this once. Take ${join(directory, "keep-elsewhere")} to where no hub is.
${startLines(plan, shellQuote(directory), command)}
  ${command} login ${plan.name} --master ${hub}${pin}
`,
  );
}

/** How what was written is started: a machine, three of them, or what runs containers. */
function startLines(plan: FleetPlan, directory: string, command: string): string {
  if (plan.servers === 1) {
    return `Next, in ${directory}, one after the other or as the files do it:
  nats-server -c nats/nats-0.conf
  ${command} fleet hub .`;
  }
  if (!isSpread(plan)) {
    return `Next, in ${directory}, for a try on this machine:
  NODEPASS_SOURCE=CHECKOUT docker compose build
  docker compose up -d
or in Kubernetes, with the image that kustomization.yaml names:
  kubectl create namespace nodepass-fleet
  kubectl apply -n nodepass-fleet -k .
(nats/*.conf name the servers as these two do; for machines of their own give three --host.) Then:`;
  }
  const each = plan.hosts.map((host, index) => {
    // It names the first machine's address.
    const settings =
      plan.listen === "host" && index > 0
        ? `  (in ${HUB_SETTINGS_FILE}: "listen": "${at(host, plan.ports.hub)}")\n`
        : "";
    return `on ${host}:
${settings}  nats-server -c nats/nats-${index}.conf
  ${command} fleet hub .`;
  });
  return `Next, copy ${directory} without keep-elsewhere to the same place on each of the three machines. In it,
or by the units in systemd/,
${each.join("\n")}
Two of the three have to run. Then, from anywhere:`;
}
