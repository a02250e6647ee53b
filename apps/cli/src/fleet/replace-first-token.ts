import type { CliContext } from "../context.ts";

/** Runs `nodepass fleet rotate DIR token`. The token alone goes to standard output. */
export async function replaceFirstToken(
  { stdout, stderr }: CliContext,
  directory: string,
): Promise<void> {
  const { readHubSecrets, withNewFirstToken, writeHubSecrets } = await import(
    "@nodepass/fleet-hub"
  );
  const { hub, adminToken } = withNewFirstToken(await readHubSecrets(directory));
  await writeHubSecrets(directory, hub);
  stdout.write(`${adminToken}\n`);
  stderr.write(`wrote fleet.json. Above is the first admin token of a store that is made anew, shown this once; the former one is none any more.
Give all hubs the new fleet.json and restart them. The tokens of the store that runs now stay as they are: fleet token rm ends one.
`);
}
