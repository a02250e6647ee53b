import { rm } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  CarriedSchema,
  ProofSchema,
  packMessage,
  SeenSchema,
  unpackMessage,
} from "@nodepass/fleet-protocol";
import { MEMBER_PERMISSIONS, ServicePolicySchema } from "@nodepass/model/fleet";
import { readPrivateFile, replacePrivateFile } from "@nodepass/store";
import { z } from "zod";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** Name of the file beside the master's state. */
export const FLEET_FILE_NAME = "fleet.msgpack";

/** 500 parts with the longest URLs, and some. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** A part of a service that this member runs, or is to run. */
const PartEntrySchema = z.object({
  sid: z.string(),
  part: z.int().min(0).max(1),
  rev: z.int().min(0),
  epoch: z.int().min(0),
  /** The bucket that `rev` is of. */
  bucket: z.string(),
  running: z.boolean(),
  url: z.string(),
  alias: z.string(),
  tags: z.record(z.string(), z.string()),
  strict: z.boolean(),
  ttlMs: z.int().min(0),
  /** The local id of its instance; `null` while there is none. */
  instance: z.string().nullable(),
  /** As they were ordered; see `PartOrder`. */
  policy: ServicePolicySchema.optional(),
  proof: ProofSchema.optional(),
  /** How often this record could not be applied. */
  tries: z.int().min(0),
  /** Why not, last; empty if it is applied. */
  reason: z.string(),
});
export type PartEntry = z.infer<typeof PartEntrySchema>;

/** A part that was given up: what comes late of it is not taken any more. */
const FormerPartSchema = z.object({
  sid: z.string(),
  part: z.int().min(0).max(1),
  rev: z.int().min(0),
  epoch: z.int().min(0),
  bucket: z.string(),
  carried: CarriedSchema.nullable(),
});

const FleetFileSchema = z.object({
  v: z.literal(1),
  fleet: z.string(),
  mid: z.string(),
  /** Seed of the NKey (`SU…`). */
  seed: z.string(),
  /** Private X25519 key, 32 bytes. */
  box: bytes,
  /** Empty while the hub's answer to the join is not here. */
  jwt: z.string(),
  /** Times of the JWT, s since 1970. */
  issued: z.number(),
  expires: z.number(),
  /** The fleet's public X25519 key, 32 bytes, and its fingerprint as in the join token. */
  hubKey: bytes,
  fingerprint: z.string(),
  /** Others that it has while the key is changed: one that comes, one that was. */
  otherHubKeys: z.array(bytes).optional(),
  /** Runs of hubs that it has heard of, the newest first. */
  hubRuns: z.array(z.string()).optional(),
  servers: z.array(z.string()),
  ca: z.string(),
  /** URLs of hubs with prefix, where the JWT is renewed. */
  hubs: z.array(z.string()).min(1),
  /** Fingerprint of their certificate; empty: the system decides. */
  pin: z.string(),
  /** Highest revision ever applied. */
  revision: z.int().min(0),
  /** Nonce of the bucket that it is of; empty at first. */
  bucket: z.string(),
  /** The highest revision of it that a hub has told of. */
  seen: SeenSchema.optional(),
  /** What its owner has said last: what the fleet may do here, and the text of `readTargets`. */
  allow: z.array(z.enum(MEMBER_PERMISSIONS)).optional(),
  targets: z.string().optional(),
  /** Why this process's line to the fleet is cut for good; empty: it is not. */
  left: z.string(),
  /** Its master has begun since, and has said so. */
  leftTold: z.boolean().optional(),
  parts: z.array(PartEntrySchema),
  former: z.array(FormerPartSchema),
});
export type FleetFileData = z.infer<typeof FleetFileSchema>;

/** What the owner of a master says of its fleet. */
export type OwnerLimits = Pick<FleetFileData, "allow" | "targets">;

/**
 * `fleet.msgpack`: all that a member knows of its fleet. It holds secrets, hence 0600, and neither `console.log`
 * nor `JSON.stringify` shows more of it than whose it is.
 */
export class FleetFile {
  /** Changed in place; `save` writes it. */
  readonly data: FleetFileData;
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, data: FleetFileData) {
    this.#path = path;
    this.data = data;
  }

  /**
   * @param directory of the master's state
   * @returns `undefined` if this master is in no fleet
   * @throws {FleetAgentError} `FILE_UNUSABLE`
   */
  static async open(directory: string): Promise<FleetFile | undefined> {
    const path = join(directory, FLEET_FILE_NAME);
    try {
      const bytes = await readPrivateFile(path, MAX_FILE_BYTES);
      if (bytes === undefined) return undefined;
      return new FleetFile(path, unpackMessage(FleetFileSchema, bytes));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FleetAgentError("FILE_UNUSABLE", `${path} can't be used: ${reason}`, {
        cause: error,
      });
    }
  }

  /** Makes it. @throws {FleetAgentError} `FILE_UNUSABLE` */
  static async create(directory: string, data: FleetFileData): Promise<FleetFile> {
    const file = new FleetFile(join(directory, FLEET_FILE_NAME), data);
    await file.save();
    return file;
  }

  /** Whether it is in the fleet: it has joined and not left. */
  get isMember(): boolean {
    return this.data.jwt !== "" && this.data.left === "";
  }

  toJSON(): object {
    const { fleet, mid, fingerprint, left } = this.data;
    return { fleet, mid, fingerprint, left };
  }

  [inspect.custom](): string {
    return `FleetFile ${inspect(this.toJSON())}`;
  }

  /** This master is in no fleet any more; no error if it was in none. */
  static async remove(directory: string): Promise<void> {
    await rm(join(directory, FLEET_FILE_NAME), { force: true });
  }

  /**
   * Resolves when the data as they are now, or later, are on disk.
   *
   * @throws {FleetAgentError} `FILE_UNUSABLE`
   */
  save(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    try {
      await replacePrivateFile(this.#path, packMessage(this.data));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FleetAgentError("FILE_UNUSABLE", `${this.#path} can't be written: ${reason}`, {
        cause: error,
      });
    }
  }
}
