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
}

/** What is to be done for a new key to be used everywhere. */
const next: Readonly<Record<Exclude<RotatedKey, "box">, string>> = {
  data: "Stop all hubs, give each the new fleet.json, and start them: what is written from then on has the new key.",
  members:
    "Restart the nats-servers, then the hubs, each with the new files. Members go on with the JWTs that they have and get new ones in time.",
  hubs: "Restart the nats-servers, then the hubs, each with the new files.",
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

/** Runs `nodepass fleet rotate`: a new key in the fleet's folder, and in the servers' configurations. */
export async function rotateKey(
  context: CliContext,
  directory: string,
  which: RotatedKey,
  { operatorSeed }: FleetRotateOptions,
): Promise<void> {
  if ((which === "operator") !== (operatorSeed !== undefined)) {
    throw new CliError("operator needs --operator-seed, the file of keep-elsewhere, and it alone", {
      exitCode: exitCodes.usage,
    });
  }
  const { readHubSecrets, writeHubSecrets } = await import("@nodepass/fleet-hub");
  const hub = await readHubSecrets(directory);
  const { secrets, todo } = await rotated(hub.secrets, which, operatorSeed);
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
    return { secrets: secrets.with({ dataKeys: [createDataKey(), ...secrets.dataKeys] }), todo };
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
