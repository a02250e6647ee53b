import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  createFleetIdentity,
  decodeFleetSecrets,
  encodeFleetSecrets,
  type FleetSecrets,
} from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { z } from "zod";
import { createTokenSecret, type TokenSecret } from "./access/token-text.ts";

/** The file of a hub's folder that holds everything: 0600, or a secret of an orchestrator. */
export const HUB_SECRETS_FILE = "fleet.json";

/** Members may be where nothing but HTTPS gets out; hubs are beside the engine. */
const memberUrl = z.string().regex(/^(?:tls|nats|wss|ws):\/\/[^\s/]+$/);
const engineUrl = z.string().regex(/^(?:tls|nats):\/\/[^\s/]+$/);
const hubUrl = z.url({ protocol: /^https?$/ });

const shape = {
  /** URLs of the engine for hubs: `tls://10.0.0.1:4222`, tried in turn. */
  servers: z.array(engineUrl).min(1).max(32),
  /** URLs of the engine for members, as they reach it from outside. */
  memberServers: z.array(memberUrl).min(1).max(32),
  /** CA certificate(s) of the engine in PEM; empty: the system's. */
  ca: z.string().default(""),
  /** URLs of the hubs' API with prefix, as members reach them: `https://hub.example/api`. */
  hubs: z.array(hubUrl).min(1).max(32),
  /** Host names `{mid}.<suffix>` lead to the members' APIs; empty: none. */
  gateway: z.string().default(""),
  /** The admin token that the fleet begins with: stored by the hub that makes the store. */
  firstToken: z.object({ id: z.string(), hash: z.string().regex(/^[\w-]{43}$/) }).optional(),
};

const FileSchema = z.object({ version: z.literal(1), ...shape, secrets: z.unknown() });

/** What a hub must know to be one of its fleet's. All hubs of a fleet have the same. */
export interface HubSecrets {
  readonly secrets: FleetSecrets;
  readonly servers: readonly string[];
  readonly memberServers: readonly string[];
  /** PEM; empty: the system's. */
  readonly ca: string;
  readonly hubs: readonly string[];
  readonly gateway: string;
  /** SHA-256 of its secret, base64url. */
  readonly firstToken?: { readonly id: string; readonly hash: string } | undefined;
}

/** What `nodepass fleet init` asks for. */
export interface CreateFleetOptions {
  /** 1 to 32 of lower-case letters, digits and inner hyphens. */
  readonly fleet: string;
  /** `tls://host:port` or `nats://host:port`. */
  readonly servers: readonly string[];
  /** @default servers */
  readonly memberServers?: readonly string[] | undefined;
  /** @default the system's */
  readonly ca?: string | undefined;
  /** With prefix: `https://hub.example/api`. */
  readonly hubs: readonly string[];
  /** @default none */
  readonly gateway?: string | undefined;
}

/** A new fleet; nothing of it is stored anywhere yet. */
export interface CreatedFleet {
  readonly hub: HubSecrets;
  /** `SO…`: the operator's root, for a safe place away from hubs; see `createFleetIdentity`. */
  readonly operatorSeed: string;
  /** The first admin's token (`npf_…`): shown once. It works as soon as a hub runs. */
  readonly adminToken: string;
}

/**
 * Makes a fleet's keys and its first admin token.
 *
 * @throws {ServiceError} `INVALID_OPTIONS` naming the field, its value and what is allowed
 * @throws {FleetSetupError} `INVALID_OPTIONS` if the name is none
 */
export async function createFleet(options: CreateFleetOptions): Promise<CreatedFleet> {
  const { fleet, servers, memberServers = servers, ca = "", hubs, gateway = "" } = options;
  const read = z
    .object(shape)
    .safeParse({ servers: [...servers], memberServers: [...memberServers], ca, hubs, gateway });
  if (!read.success) {
    const [issue] = read.error.issues;
    const field = issue?.path.map(String).join(".") ?? "";
    const allowed = field.startsWith("hubs")
      ? "http(s) URLs of hubs with their prefix"
      : "tls:// or nats:// with host:port, and for members wss:// or ws://";
    throw new ServiceError("INVALID_OPTIONS", `${field} of the fleet: allowed are ${allowed}`);
  }
  const { secrets, operatorSeed } = await createFleetIdentity(fleet);
  return { ...withNewFirstToken({ ...read.data, secrets }), operatorSeed };
}

/**
 * Another first admin token: the former one is good in no store that is made from then on. Stores that
 * are there keep the tokens that they have.
 */
export function withNewFirstToken(hub: HubSecrets): Pick<CreatedFleet, "hub" | "adminToken"> {
  const first: TokenSecret = createTokenSecret();
  const hash = Buffer.from(first.hash).toString("base64url");
  return { hub: { ...hub, firstToken: { id: first.id, hash } }, adminToken: first.token };
}

/** JSON, for a file that only its owner may read. */
export function encodeHubSecrets(hub: HubSecrets): string {
  const { secrets, ...rest } = hub;
  const inner: unknown = JSON.parse(encodeFleetSecrets(secrets));
  return `${JSON.stringify({ version: 1, ...rest, secrets: inner }, undefined, 2)}\n`;
}

/** @throws {ServiceError} `INVALID_OPTIONS` naming the field, never its value; {@link FleetSetupError} */
export function decodeHubSecrets(text: string): HubSecrets {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ServiceError("INVALID_OPTIONS", `${HUB_SECRETS_FILE} is no JSON`);
  }
  const read = FileSchema.safeParse(json);
  if (!read.success) {
    const where = read.error.issues[0]?.path.map(String).join(".") ?? "";
    throw new ServiceError(
      "INVALID_OPTIONS",
      `${HUB_SECRETS_FILE} has another shape at ${where === "" ? "the top" : where}`,
    );
  }
  const { version: _, secrets, ...rest } = read.data;
  return { ...rest, secrets: decodeFleetSecrets(JSON.stringify(secrets)) };
}

/**
 * Reads a hub's folder.
 *
 * @throws {ServiceError} `INVALID_OPTIONS` if the file is not there, can't be read, or others may read it
 */
export async function readHubSecrets(directory: string): Promise<HubSecrets> {
  const file = join(directory, HUB_SECRETS_FILE);
  let text: string;
  try {
    const { mode } = await stat(file);
    // An orchestrator's secret may be its group's to read; it is made so for the hub's own group.
    if (process.platform !== "win32" && (mode & 0o027) !== 0) {
      const found = (mode & 0o777).toString(8);
      throw new ServiceError(
        "INVALID_OPTIONS",
        `${file} has mode ${found}: others may read it; allowed are 600 and, in a secret of an orchestrator, 440`,
      );
    }
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError("INVALID_OPTIONS", `${file} can't be read`, { cause: error });
  }
  return decodeHubSecrets(text);
}

/** Writes it whole or not at all: a new file takes the old one's place. 0600, its folder 0700 if it is made. */
export async function writeHubSecrets(directory: string, hub: HubSecrets): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, HUB_SECRETS_FILE);
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(encodeHubSecrets(hub));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}
