import { type MasterAddress, parseMasterAddress } from "@nodepass/master-client";
import type { Profile, ProfileBook, Trust } from "@nodepass/master-client/node";
import { CliError, exitCodes } from "../exit-code.ts";

/** What a command line says about the master. */
export interface MasterOptions {
  /** An address, the name of a profile, or `MASTER@FLEET`: one of a fleet, passed on by its hub. */
  readonly master?: string | undefined;
  readonly key?: string | undefined;
  readonly profile?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** A fingerprint. */
  readonly pin?: string | undefined;
}

/** The master that is meant. */
export interface MasterChoice {
  /** Of the hub, where a member of its fleet is meant. */
  readonly address: MasterAddress;
  /** mid or name of the member. */
  readonly member: string | undefined;
  readonly key: string;
  readonly trust: Trust;
  /** The profile that the key is from. */
  readonly profile: string | undefined;
  /** `NP_API_KEY` is set, and not what is sent. */
  readonly ignoresVariable: boolean;
}

/** Where `nodepass 'master://…'` listens unless told otherwise. */
const defaultMaster = "http://127.0.0.1:9090";

/**
 * Finds the master that is meant. The address: `--master`, `--profile`, `NP_MASTER_URL`, the current
 * profile, else this machine; `--master` may name a profile, and `MASTER@` before either a member of
 * that fleet. The key: `--key`, `NP_API_KEY`, a profile's. A key never goes to a
 * master that it does not belong to: that of the environment only where the environment says, if it
 * does; that of a profile only to the profile's master.
 *
 * @throws {CliError} usage for options that exclude each other, failure for an unknown profile,
 *   unauthorized without a key
 * @param isHub a fleet's hub is meant: what is missing is its token
 */
export function chooseMaster(
  given: MasterOptions,
  environment: Readonly<Record<string, string | undefined>>,
  book: ProfileBook,
  isHub = false,
): MasterChoice {
  if (given.master !== undefined && given.profile !== undefined) {
    throw new CliError("--master and --profile exclude each other", { exitCode: exitCodes.usage });
  }
  const [, member, fleet] = memberOfFleet.exec(given.master ?? "") ?? [];
  if (fleet !== undefined && isBareWord(fleet) && !book.profiles.has(fleet)) {
    const { message, details } = noProfile(fleet, book);
    throw new CliError(message, {
      details: [...details, "The hub of a fleet that is not saved: MASTER@https://host:port"],
    });
  }
  const options = withProfile({ ...given, master: fleet ?? given.master }, book);
  return { ...chooseAddress(options, environment, book, isHub || member !== undefined), member };
}

/** A name or mid, and the fleet; what has `/` or `:` before the `@` is a URL. */
const memberOfFleet = /^([^/:@]+)@(.+)$/;

/** What is no address that anybody would give of a hub. */
function isBareWord(fleet: string): boolean {
  return /^[\w-]+$/.test(fleet) && fleet !== "localhost";
}

/** A master that is called by the name of a profile is that profile's. */
function withProfile({ master, ...rest }: MasterOptions, book: ProfileBook): MasterOptions {
  if (master === undefined || !book.profiles.has(master)) return { ...rest, master };
  return { ...rest, profile: master };
}

function chooseAddress(
  options: MasterOptions,
  environment: Readonly<Record<string, string | undefined>>,
  book: ProfileBook,
  isHub: boolean,
): Omit<MasterChoice, "member"> {
  const { NP_MASTER_URL: masterOfEnvironment = "", NP_API_KEY: keyOfEnvironment = "" } =
    environment;
  const told = options.master ?? (options.profile === undefined ? masterOfEnvironment : "");
  const [name, profile] = told === "" ? pickProfile(options, book) : profileOf(told, book);
  const master = told || (profile?.master ?? defaultMaster);
  const address = parseMasterAddress(master);

  const belongs =
    options.profile === undefined &&
    (masterOfEnvironment === "" ? true : isSame(masterOfEnvironment, address));
  const key =
    options.key ??
    ((belongs && (told !== "" || profile === undefined) && keyOfEnvironment) || profile?.key);
  if (key === undefined || key === "") throw isHub ? noToken(address) : noKey(address);
  if (options.pin !== undefined && address.origin.startsWith("http:")) {
    throw new CliError("--pin needs an https:// master: without TLS there is no certificate", {
      exitCode: exitCodes.usage,
    });
  }
  return {
    address,
    key,
    trust: chooseTrust(options, profile),
    profile: key === profile?.key ? name : undefined,
    ignoresVariable:
      options.key === undefined && keyOfEnvironment !== "" && key !== keyOfEnvironment,
  };
}

type NamedProfile = readonly [name: string | undefined, profile: Profile | undefined];

function pickProfile({ profile: name }: MasterOptions, book: ProfileBook): NamedProfile {
  const picked = name ?? book.current;
  if (picked === undefined) return [undefined, undefined];
  const profile = book.profiles.get(picked);
  if (profile === undefined && name !== undefined) throw noProfile(name, book);
  return [picked, profile];
}

/** The profile of a master that was named by its address, so that its key need not be given again. */
function profileOf(master: string, book: ProfileBook): NamedProfile {
  const address = parseMasterAddress(master);
  const entries = [...book.profiles].filter(([, profile]) => isSame(profile.master, address));
  return entries.find(([name]) => name === book.current) ?? entries[0] ?? [undefined, undefined];
}

function isSame(master: string, address: MasterAddress): boolean {
  try {
    const { origin, basePaths } = parseMasterAddress(master);
    return origin === address.origin && basePaths.some((path) => address.basePaths.includes(path));
  } catch {
    // Said where it is used; here it is just no match.
    return false;
  }
}

function chooseTrust({ insecure, pin }: MasterOptions, profile: Profile | undefined): Trust {
  if (insecure === true && pin !== undefined) {
    throw new CliError("--insecure and --pin exclude each other", { exitCode: exitCodes.usage });
  }
  if (pin !== undefined) return { kind: "pin", fingerprint: pin };
  if (insecure === true) return { kind: "any" };
  if (profile?.pin !== undefined) return { kind: "pin", fingerprint: profile.pin };
  return { kind: profile?.insecure === true ? "any" : "system" };
}

function noProfile(name: string, book: ProfileBook): CliError {
  const known = [...book.profiles.keys()].join(", ") || "none";
  return new CliError(`no profile ${JSON.stringify(name)}`, { details: [`saved: ${known}`] });
}

function noToken({ origin }: MasterAddress): CliError {
  return new CliError(`no fleet's token for a hub at ${origin}`, {
    exitCode: exitCodes.unauthorized,
    details: [
      (command) => `Log in to the fleet's hub: ${command} login NAME --master https://host:port`,
      "It asks for a token of the fleet: fleet init has printed the first one, an admin makes others.",
    ],
  });
}

function noKey({ origin }: MasterAddress): CliError {
  return new CliError(`no API key for the master at ${origin}`, {
    exitCode: exitCodes.unauthorized,
    details: [
      (command) =>
        `Give it with --key or NP_API_KEY, or save it once: ${command} login --master <url>`,
      "The master prints its key when it starts for the first time; in a container only with NP_SHOW_KEY=1.",
    ],
  });
}
