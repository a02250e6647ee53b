import { chmod, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BoxRotationStep, FleetSecrets } from "@nodepass/fleet-protocol";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";

/**
 * `data`: of the records; `box`: of what hubs and members say; `members`, `hubs`: what signs them;
 * `operator`: what signs the account.
 */
export type RotatedKey = "data" | "box" | "members" | "hubs" | "operator";

/** Options of `fleet rotate`. */
export interface FleetRotateOptions {
  readonly operatorSeed?: string | undefined;
  readonly retire?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** What is to be done for a new key to be used everywhere. */
const next: Readonly<Record<Exclude<RotatedKey, "box">, string>> = {
  data: "Stop all hubs, give each the new fleet.json, and start them: what is written from then on has the new key, and the hub that leads seals the rest with it, once a day and 10 minutes after its start. After 90 days, when the audit of before is gone, end the former key: the same with --retire.",
  members:
    "Restart the nats-servers, then the hubs, each with the new files. Members go on with the JWTs that they have and get new ones in time. After 30 days, or at once where somebody has the former key, end it: the same with --retire.",
  hubs: "Restart the nats-servers, then the hubs, each with the new files. Then end the former key: the same with --retire.",
  operator:
    "Restart the nats-servers, then the hubs, each with the new files. Whoever had the former key can change no account any more.",
};

/** The same for each of the three steps to another box key. */
const nextOfBox: Readonly<Record<BoxRotationStep, string>> = {
  announced:
    "1 of 3: the next key is made, and used by nobody. Give all hubs the new fleet.json and restart them one after the other; members learn of the key when they sync with them. Then run this again.",
  changed:
    "2 of 3: the next key is the fleet's. Restart all hubs as before; members, and join tokens of before, go on. The former key opens what members send that were away: run this again when they have been back.",
  ended:
    "3 of 3: the former key is gone from fleet.json. Restart all hubs as before, and delete copies of the former file. A member that has not been there since step 1 comes back by a start with a new join token, which it does not use up; join tokens of before are refused.",
};

/** Whose former key can be ended by a command of its own. */
type RetiredKey = "data" | "members" | "hubs";

/** The same when a former key signs no more. */
const nextOfRetired: Readonly<Record<RetiredKey, string>> = {
  data: "Stop all hubs, give each the new fleet.json, and start them. What the former key has sealed can't be read any more: exports and entries of the audit of before.",
  members:
    "Restart the hubs with the new fleet.json: the one that leads takes the former key from the engine within seconds; the nats-servers need the new files for when they lose theirs. A member whose JWT it has signed is cut off, and gets another one from a hub.",
  hubs: "Restart the hubs with the new fleet.json: the one that leads takes the former key from the engine within seconds, and a hub that still has the file of before is cut off; the nats-servers need the new files for when they lose theirs.",
};

/** Runs `nodepass fleet rotate`: a new key in the fleet's folder, and in the servers' configurations. */
export async function rotateKey(
  context: CliContext,
  directory: string,
  which: RotatedKey,
  { operatorSeed, retire = false, force = false }: FleetRotateOptions,
): Promise<void> {
  if ((retire && (which === "box" || which === "operator")) || (force && !retire)) {
    throw new CliError("--retire is for data, members and hubs, and --force for --retire", {
      exitCode: exitCodes.usage,
    });
  }
  if ((which === "operator") !== (operatorSeed !== undefined)) {
    throw new CliError("operator needs --operator-seed, the file of keep-elsewhere, and it alone", {
      exitCode: exitCodes.usage,
    });
  }
  const { readHubSecrets, writeHubSecrets } = await import("@nodepass/fleet-hub");
  const hub = await readHubSecrets(directory);
  const { secrets, todo } =
    retire && (which === "data" || which === "members" || which === "hubs")
      ? await retired(hub.secrets, which, force)
      : await rotated(hub.secrets, which, operatorSeed);
  // The servers' files first: hubs with new keys would be strangers to servers without.
  const files = await replaceJwts(directory, hub.secrets, secrets);
  await writeHubSecrets(directory, { ...hub, secrets });
  context.stdout.write(`wrote ${["fleet.json", ...files].join(", ")}\n`);
  context.stderr.write(`${todo}\n`);
}

async function rotated(
  secrets: FleetSecrets,
  which: RotatedKey,
  seedFile: string | undefined,
): Promise<{ readonly secrets: FleetSecrets; readonly todo: string }> {
  const { createDataKey, rotateBoxKey, rotateOperatorSigner, rotateSigner } = await import(
    "@nodepass/fleet-protocol"
  );
  if (which === "box") {
    const made = rotateBoxKey(secrets);
    return { secrets: made.secrets, todo: nextOfBox[made.step] };
  }
  const todo = next[which];
  if (which === "data") {
    return {
      secrets: secrets.with({
        dataKeys: [createDataKey(), ...secrets.dataKeys],
        dataSince: Date.now(),
      }),
      todo,
    };
  }
  const { jwt } = secrets.reveal().account;
  if (which !== "operator") {
    return { secrets: (await rotateSigner(secrets, jwt, which)).secrets, todo };
  }
  let seed: string;
  try {
    seed = (await readFile(seedFile ?? "", "utf8")).trim();
  } catch (error) {
    throw new CliError(`can't read ${seedFile}: ${error instanceof Error ? error.message : error}`);
  }
  return { secrets: await rotateOperatorSigner(secrets, seed, jwt), todo };
}

async function retired(secrets: FleetSecrets, which: RetiredKey, isForced: boolean) {
  const { MEMBER_JWT_MS, retireSigners } = await import("@nodepass/fleet-protocol");
  const { AUDIT_AGE_MS } = await import("@nodepass/fleet-hub");
  const { account, dataKeys, dataSince } = secrets.reveal();
  if (which === "data" && dataKeys.length === 1) {
    throw new CliError("there is one data key, and no former one");
  }
  // One of before this was kept: as if it were made now. Hubs make their JWTs at each start.
  const needed = {
    data: [dataSince, AUDIT_AGE_MS],
    members: [account.since?.members, MEMBER_JWT_MS],
    hubs: [0, 0],
  } as const;
  const [since = Date.now(), forMs] = needed[which];
  const made =
    which === "data"
      ? secrets.with({ dataKeys: dataKeys.slice(0, 1) })
      : (await retireSigners(secrets, account.jwt, which)).secrets;
  if (since + forMs > Date.now() && !isForced) {
    const until = new Date(since + forMs).toISOString();
    throw new CliError(
      which === "data"
        ? `the audit has entries of the former key until ${until}; with --force they, and what no hub has sealed anew, can't be read any more`
        : `members have JWTs of the former key until ${until}; with --force they are cut off, and each gets another one from a hub as soon as it reaches one`,
    );
  }
  return { secrets: made, todo: nextOfRetired[which] };
}

/** Puts new JWTs where the former ones are. @returns the files that have changed */
async function replaceJwts(
  directory: string,
  former: FleetSecrets,
  secrets: FleetSecrets,
): Promise<string[]> {
  const jwts = (from: FleetSecrets) => {
    const { operator, system, account } = from.reveal();
    return [operator.jwt, system.jwt, account.jwt] as const;
  };
  const now = jwts(secrets);
  const changes = jwts(former).flatMap((jwt, index) =>
    jwt === now[index] ? [] : [[jwt, now[index] ?? ""] as const],
  );
  if (changes.length === 0) return [];
  const folder = join(directory, "nats");
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".conf"));
  for (const name of names) {
    const path = join(folder, name);
    const text = await readFile(path, "utf8");
    const changed = changes.reduce((all, [from, to]) => all.replaceAll(from, to), text);
    if (changed === text) {
      throw new CliError(`${path} has other keys than fleet.json: write them there by hand`);
    }
    await writeFile(`${path}.new`, changed, { mode: 0o600 });
    await chmod(`${path}.new`, 0o600);
    await rename(`${path}.new`, path);
  }
  return names.map((name) => `nats/${name}`);
}
