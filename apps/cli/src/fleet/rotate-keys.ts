import { chmod, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FleetSecrets } from "@nodepass/fleet-protocol";
import type { CliContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-code.ts";

/** `data`: of the records; `members`, `hubs`: what signs them; `operator`: what signs the account. */
export type RotatedKey = "data" | "members" | "hubs" | "operator";

/** Options of `fleet rotate`. */
export interface FleetRotateOptions {
  readonly operatorSeed?: string | undefined;
}

/** What is to be done for a new key to be used everywhere. */
const next: Readonly<Record<RotatedKey, string>> = {
  data: "Stop all hubs, give each the new fleet.json, and start them: what is written from then on has the new key.",
  members:
    "Restart the nats-servers, then the hubs, each with the new files. Members go on with the JWTs that they have and get new ones in time.",
  hubs: "Restart the nats-servers, then the hubs, each with the new files.",
  operator:
    "Restart the nats-servers, then the hubs, each with the new files. Whoever had the former key can change no account any more.",
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
  const secrets = await rotated(hub.secrets, which, operatorSeed);
  // The servers' files first: hubs with new keys would be strangers to servers without.
  const files = await replaceJwts(directory, hub.secrets, secrets);
  await writeHubSecrets(directory, { ...hub, secrets });
  context.stdout.write(`wrote ${["fleet.json", ...files].join(", ")}\n`);
  context.stderr.write(`${next[which]}\n`);
}

async function rotated(
  secrets: FleetSecrets,
  which: RotatedKey,
  seedFile: string | undefined,
): Promise<FleetSecrets> {
  const { createDataKey, rotateOperatorSigner, rotateSigner } = await import(
    "@nodepass/fleet-protocol"
  );
  if (which === "data") {
    return secrets.with({ dataKeys: [createDataKey(), ...secrets.dataKeys] });
  }
  const { jwt } = secrets.reveal().account;
  if (which !== "operator") return (await rotateSigner(secrets, jwt, which)).secrets;
  let seed: string;
  try {
    seed = (await readFile(seedFile ?? "", "utf8")).trim();
  } catch (error) {
    throw new CliError(`can't read ${seedFile}: ${error instanceof Error ? error.message : error}`);
  }
  return rotateOperatorSigner(secrets, seed, jwt);
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
