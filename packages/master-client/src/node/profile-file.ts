import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { MasterClientError } from "../client-error.ts";
import { isRecord } from "../remote-instance.ts";

/** A master that was saved under a name. */
export interface Profile {
  /** Its URL, as it was given. */
  readonly master: string;
  /** The API key. */
  readonly key: string;
  /** Trust any certificate. */
  readonly insecure: boolean;
  /** Trust this certificate only: its fingerprint. */
  readonly pin: string | undefined;
}

/** All that is saved. */
export interface ProfileBook {
  /** The profile that is used without `--profile`. */
  readonly current: string | undefined;
  readonly profiles: ReadonlyMap<string, Profile>;
}

const version = 1;

/** Where profiles are: `nodepass/profiles.json` in the XDG configuration directory. */
export function profilePath(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: configured = "", HOME: home = "" } = environment;
  const folder = isAbsolute(configured) ? configured : join(home || homedir(), ".config");
  return join(folder, "nodepass", "profiles.json");
}

/** Reads the profiles; a missing file is an empty one. @throws {MasterClientError} `PROFILES_UNUSABLE` */
export async function readProfiles(path: string): Promise<ProfileBook> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return { current: undefined, profiles: new Map() };
    throw new MasterClientError(
      "PROFILES_UNUSABLE",
      `cannot read the profiles: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const book = parseBook(text);
  if (book === undefined) {
    throw new MasterClientError("PROFILES_UNUSABLE", `${path} is no file of profiles`, {
      details: ["Mend it, or remove it and log in again."],
    });
  }
  return book;
}

/** Whether others than its owner may read the file. */
export async function isReadByOthers(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  try {
    return ((await stat(path)).mode & 0o077) !== 0;
  } catch {
    // No file, nobody reads it.
    return false;
  }
}

/** Replaces the file at once, readable by its owner only. @throws {MasterClientError} `PROFILES_UNUSABLE` */
export async function writeProfiles(path: string, book: ProfileBook): Promise<void> {
  const text = `${JSON.stringify(
    { version, current: book.current, profiles: Object.fromEntries(book.profiles) },
    undefined,
    2,
  )}\n`;
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new MasterClientError(
      "PROFILES_UNUSABLE",
      `cannot save the profiles: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function parseBook(text: string): ProfileBook | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.version !== version || !isRecord(value.profiles)) return undefined;
  const profiles = new Map<string, Profile>();
  for (const [name, profile] of Object.entries(value.profiles)) {
    if (!isRecord(profile)) return undefined;
    const { master, key, insecure, pin } = profile;
    if (typeof master !== "string" || typeof key !== "string") return undefined;
    profiles.set(name, {
      master,
      key,
      insecure: insecure === true,
      pin: typeof pin === "string" ? pin : undefined,
    });
  }
  return { current: typeof value.current === "string" ? value.current : undefined, profiles };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
