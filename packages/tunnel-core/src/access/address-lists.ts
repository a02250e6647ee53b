import { readFileSync, statSync } from "node:fs";
import { isNetwork, readAddressRule } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { AddressSet } from "./address-set.ts";

/** Least time between two looks at the files, ms: they are looked at when somebody comes. */
const CHECK_INTERVAL_MS = 1000;
/** Bounds of one file. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_NETWORKS = 100_000;

/** Which port's lists are wanted: `all` for an API. */
export type AddressPlace = "users" | "peers" | "all";

/** Whose lists they are, and what is told of their files. */
export interface AddressListsOptions {
  /** Items as in `allow` and `deny`, see `AddressRule` of url-config. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly place: AddressPlace;
  /** What becomes of a file that has changed: `reason` if it can't be used and the old one stays. */
  readonly onFile?: ((file: string, reason: string | undefined) => void) | undefined;
  /** Monotonic clock, ms. @default performance.now */
  readonly now?: (() => number) | undefined;
}

/**
 * Who may come to one port. A file that changes is read again when the next one comes, a second after
 * the last look at the earliest; one that can't be read then, or has a line that is no network, is
 * not used: what it said before stays.
 */
export class AddressLists {
  readonly #allow: List;
  readonly #deny: List;
  readonly #files: readonly NetworkFile[];
  readonly #now: () => number;
  #checkedAt: number;

  /** @throws {TunnelError} `INVALID_OPTIONS` for a file that can't be used, naming it */
  constructor(options: AddressListsOptions) {
    this.#now = options.now ?? (() => performance.now());
    const { place, onFile } = options;
    this.#allow = new List(options.allow, place, onFile);
    this.#deny = new List(options.deny, place, onFile);
    this.#files = [...this.#allow.files, ...this.#deny.files];
    this.#checkedAt = this.#now();
  }

  /** Whether nobody is kept out. */
  get isOpen(): boolean {
    return !this.#allow.isGiven && !this.#deny.isGiven;
  }

  /** @param address IP address as a socket tells it */
  admits(address: string): boolean {
    if (this.#files.length > 0) this.#check();
    if (this.#deny.isGiven && this.#deny.has(address)) return false;
    return !this.#allow.isGiven || this.#allow.has(address);
  }

  #check(): void {
    const now = this.#now();
    if (now - this.#checkedAt < CHECK_INTERVAL_MS) return;
    this.#checkedAt = now;
    for (const file of this.#files) file.check();
  }
}

class List {
  readonly isGiven: boolean;
  readonly files: readonly NetworkFile[];
  readonly #own: AddressSet;

  constructor(
    items: readonly string[],
    place: AddressPlace,
    onFile: AddressListsOptions["onFile"],
  ) {
    const rules = items
      .map((item) => {
        const rule = readAddressRule(item);
        if (rule === undefined) {
          throw new TunnelError("INVALID_OPTIONS", `${item} is no address, network or file:PATH`);
        }
        return rule;
      })
      .filter(({ at }) => at === "all" || at === place);
    this.isGiven = rules.length > 0;
    this.#own = new AddressSet(rules.flatMap(({ network = [] }) => network));
    this.files = rules.flatMap(({ file }) =>
      file === undefined ? [] : [new NetworkFile(file, onFile)],
    );
  }

  has(address: string): boolean {
    return this.#own.has(address) || this.files.some((file) => file.has(address));
  }
}

/** A file of networks, followed. */
class NetworkFile {
  readonly #path: string;
  readonly #onFile: AddressListsOptions["onFile"];
  #version: string;
  #set: AddressSet;
  #reported: string | undefined;

  constructor(path: string, onFile: AddressListsOptions["onFile"]) {
    this.#path = path;
    this.#onFile = onFile;
    this.#version = versionOf(path);
    this.#set = new AddressSet(readNetworks(path));
  }

  has(address: string): boolean {
    return this.#set.has(address);
  }

  check(): void {
    // Taken before reading: what is written in between makes another version, read next time.
    const version = versionOf(this.#path);
    if (version === this.#version) return;
    try {
      this.#set = new AddressSet(readNetworks(this.#path));
      this.#version = version;
      this.#reported = undefined;
      this.#onFile?.(this.#path, undefined);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Not remembered as seen: it is read again at every look until it is whole.
      if (this.#reported === `${version} ${reason}`) return;
      this.#reported = `${version} ${reason}`;
      this.#onFile?.(this.#path, reason);
    }
  }
}

/** Changes when a file is written or replaced; a missing one has a version too. */
function versionOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    // Missing, or not ours to look at: reading it says which.
    return "-";
  }
}

/** The networks of a file, one a line; `#` begins a comment. */
function readNetworks(path: string): string[] {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) {
      throw new TunnelError("INVALID_OPTIONS", `it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    const reason =
      error instanceof Error && "code" in error && !(error instanceof TunnelError)
        ? String(error.code)
        : String(error instanceof Error ? error.message : error);
    throw new TunnelError("INVALID_OPTIONS", `file ${path} cannot be used: ${reason}`, {
      cause: error,
    });
  }
  const networks: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const network = line.replace(/#.*/, "").trim();
    if (network === "") continue;
    if (!isNetwork(network)) {
      throw new TunnelError(
        "INVALID_OPTIONS",
        `file ${path}, line ${index + 1}: ${JSON.stringify(network.slice(0, 64))} is no address or network such as 10.0.0.0/8`,
      );
    }
    networks.push(network);
    if (networks.length > MAX_NETWORKS) {
      throw new TunnelError(
        "INVALID_OPTIONS",
        `file ${path} has more than ${MAX_NETWORKS} networks`,
      );
    }
  }
  return networks;
}
