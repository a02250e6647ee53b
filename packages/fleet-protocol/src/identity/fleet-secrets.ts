import { inspect } from "node:util";
import { z } from "zod";
import { DATA_KEY_BYTES } from "../seal/at-rest.ts";
import { BoxKeys, fingerprintOf } from "../seal/box-keys.ts";
import { FleetSetupError } from "../setup-error.ts";
import { isFleetName } from "../subjects.ts";
import { readAccount } from "./nats-jwt.ts";
import { createSigner, type Signer } from "./signer.ts";

/** What {@link FleetSecrets} is made of. Seeds are NKey seeds (`SO…`, `SA…`). */
export interface FleetSecretsData {
  /** The fleet's name. */
  fleet: string;
  operator: {
    /** For the server's configuration. */
    jwt: string;
    /** Of the operator's signing key, by which accounts are changed. */
    signingSeed: string;
  };
  system: {
    /** The system account's, as it was made. */
    jwt: string;
    /** Of the system account: its users ask the server and push JWTs. */
    seed: string;
  };
  account: {
    /** The fleet's account, as it was when this was written; the newest one is the server's. */
    jwt: string;
    /** Of the scoped key that signs members. */
    memberSeed: string;
    /** Of the key that signs hubs. */
    hubSeed: string;
    /** When a later key than the first was made, ms since 1970. */
    since?: { members?: number | undefined; hubs?: number | undefined } | undefined;
    /** Public keys (`A…`) that sign no more: hubs see to it that the server has none of them. */
    retired?: readonly string[] | undefined;
  };
  /** X25519 private keys, 32 bytes; the first one is the fleet's, the others were. */
  boxKeys: readonly Uint8Array[];
  /** The one that is to be the first: hubs open by it and tell members of it, nobody seals by it yet. */
  nextBoxKey?: Uint8Array | undefined;
  /** Data keys, 32 bytes; the first one seals, all open. */
  dataKeys: readonly Uint8Array[];
  /** When a later data key than the first was made, ms since 1970. */
  dataSince?: number | undefined;
}

/**
 * All that a hub must know, and nobody else: who has it has the fleet. Neither `console.log` nor
 * `JSON.stringify` shows more than what is public; {@link encodeFleetSecrets} writes it.
 */
export class FleetSecrets {
  readonly fleet: string;
  /** `A…`: the fleet's account. */
  readonly account: string;
  /** `A…`: the system account. */
  readonly systemAccount: string;
  /** The fleet's keys for boxes, those that it had before, and the one that comes. */
  readonly boxKeys: BoxKeys;
  readonly formerBoxKeys: readonly BoxKeys[];
  readonly nextBoxKey: BoxKeys | undefined;
  readonly #data: FleetSecretsData;
  readonly #signers = new Map<string, Signer>();

  /** @throws {FleetSetupError} `BAD_SECRETS`, `BAD_JWT`; {@link SealError} `BAD_KEY` */
  constructor(data: FleetSecretsData) {
    if (!isFleetName(data.fleet)) {
      throw new FleetSetupError("BAD_SECRETS", `no name of a fleet: ${data.fleet}`);
    }
    const [first, ...former] = data.boxKeys.map((key) => new BoxKeys(key));
    if (first === undefined || data.dataKeys.length === 0) {
      throw new FleetSetupError("BAD_SECRETS", "a fleet has a box key and a data key");
    }
    if (data.dataKeys.some((key) => key.byteLength !== DATA_KEY_BYTES)) {
      throw new FleetSetupError("BAD_SECRETS", `a data key has ${DATA_KEY_BYTES} bytes`);
    }
    this.fleet = data.fleet;
    this.account = readAccount(data.account.jwt).sub;
    this.systemAccount = readAccount(data.system.jwt).sub;
    this.boxKeys = first;
    this.formerBoxKeys = former;
    this.nextBoxKey = data.nextBoxKey && new BoxKeys(data.nextBoxKey);
    this.#data = data;
  }

  /** Everything. Not to be logged or sent. */
  reveal(): FleetSecretsData {
    return this.#data;
  }

  /** What signs with the seed of that name; internal to the package. */
  signer(which: "members" | "hubs" | "operator" | "system"): Signer {
    const known = this.#signers.get(which);
    if (known !== undefined) return known;
    const { operator, system, account } = this.#data;
    const seeds = {
      members: account.memberSeed,
      hubs: account.hubSeed,
      operator: operator.signingSeed,
      system: system.seed,
    };
    const signer = createSigner(seeds[which]);
    this.#signers.set(which, signer);
    return signer;
  }

  /** The same with something else in place of what is named. */
  with(changes: Partial<FleetSecretsData>): FleetSecrets {
    return new FleetSecrets({ ...this.#data, ...changes });
  }

  /** The one that every member knows: a former one while there is one. */
  get oldestBoxKey(): BoxKeys {
    return this.formerBoxKeys.at(-1) ?? this.boxKeys;
  }

  /** All keys that hubs open boxes by: the fleet's, the one that comes, the former ones. */
  get allBoxKeys(): readonly [BoxKeys, ...BoxKeys[]] {
    const { boxKeys, nextBoxKey, formerBoxKeys } = this;
    return [boxKeys, ...(nextBoxKey === undefined ? [] : [nextBoxKey]), ...formerBoxKeys];
  }

  /** For `openAtRest`; the first one is for `sealAtRest`. */
  get dataKeys(): readonly Uint8Array[] {
    return this.#data.dataKeys;
  }

  toJSON(): object {
    const { fleet, account } = this;
    return { fleet, account, fingerprint: fingerprintOf(this.boxKeys.publicKey) };
  }

  [inspect.custom](): string {
    return `FleetSecrets ${inspect(this.toJSON())}`;
  }
}

const seed = (kind: string) => z.string().regex(new RegExp(`^S${kind}[A-Z2-7]{56}$`));
const key = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .transform((text) => new Uint8Array(Buffer.from(text, "base64url")));
const keys = z.array(key);
const SecretsFileSchema = z.object({
  version: z.literal(1),
  fleet: z.string(),
  operator: z.object({ jwt: z.string(), signingSeed: seed("O") }),
  system: z.object({ jwt: z.string(), seed: seed("A") }),
  account: z.object({
    jwt: z.string(),
    memberSeed: seed("A"),
    hubSeed: seed("A"),
    since: z.object({ members: z.number().optional(), hubs: z.number().optional() }).optional(),
    retired: z.array(z.string()).optional(),
  }),
  boxKeys: keys,
  nextBoxKey: key.optional(),
  dataKeys: keys,
  dataSince: z.number().optional(),
});

/** JSON, for a file that only its owner may read (0600). */
export function encodeFleetSecrets(secrets: FleetSecrets): string {
  const { boxKeys, nextBoxKey, dataKeys, account, ...rest } = secrets.reveal();
  const { retired, ...signing } = account;
  const text = (key: Uint8Array) => Buffer.from(key).toString("base64url");
  const file: z.input<typeof SecretsFileSchema> = {
    version: 1,
    ...rest,
    account: { ...signing, ...(retired && { retired: [...retired] }) },
    boxKeys: boxKeys.map(text),
    ...(nextBoxKey !== undefined && { nextBoxKey: text(nextBoxKey) }),
    dataKeys: dataKeys.map(text),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/**
 * Reads what {@link encodeFleetSecrets} wrote.
 *
 * @throws {FleetSetupError} `BAD_SECRETS` naming the field, never its value; `BAD_JWT`
 */
export function decodeFleetSecrets(text: string): FleetSecrets {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message quotes what it read.
    throw new FleetSetupError("BAD_SECRETS", "the fleet's secrets are no JSON");
  }
  const read = SecretsFileSchema.safeParse(json);
  if (!read.success) {
    const where = read.error.issues[0]?.path.map(String).join(".");
    const place = where === undefined || where === "" ? "" : ` at ${where}`;
    throw new FleetSetupError("BAD_SECRETS", `the fleet's secrets have another shape${place}`);
  }
  const { version: _version, ...data } = read.data;
  return new FleetSecrets(data);
}
