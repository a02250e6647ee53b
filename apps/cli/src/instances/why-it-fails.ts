import type { MasterClient, RemoteInstance } from "@nodepass/master-client";
import type { InstanceLogLine } from "@nodepass/model";
import { asCliError, CliError, type DetailLine } from "../exit-code.ts";
import { shownName } from "../output/instance-name.ts";
import { shownRetry } from "../output/show-instance.ts";
import { plainText } from "../output/terminal-text.ts";

/** Log lines that are shown beside a failure. */
const shownLines = 5;

/** The last log lines of an instance; none from masters that keep none. */
export async function lastLines(
  client: MasterClient,
  { id }: RemoteInstance,
): Promise<readonly InstanceLogLine[]> {
  try {
    return (await client.logs(id, { tail: shownLines })).lines;
  } catch (error) {
    // NodePass 1.14 keeps no lines; a failure should not hide the one that is told about.
    if (asCliError(error) === undefined) throw error;
    return [];
  }
}

/**
 * Passes on an instance that runs.
 *
 * @throws {CliError} if it does not: why, since when, the next try, the last lines of its log
 */
export async function withReason(
  client: MasterClient,
  outcome: Promise<RemoteInstance>,
): Promise<RemoteInstance> {
  const instance = await outcome;
  if (instance.status !== "error") return instance;
  const lines = await lastLines(client, instance);
  const retry = shownRetry(instance, Date.now());
  const details: DetailLine[] = [
    ...(retry === "" ? [] : [retry]),
    ...lines.map(({ line }) => plainText(line.trimEnd())),
    (command) => `Its log goes on with: ${command} logs -f ${plainText(instance.id)}`,
  ];
  const reason = instance.reason === "" ? "" : `: ${plainText(instance.reason)}`;
  throw new CliError(`${shownName(instance)} does not run${reason}`, { details });
}
