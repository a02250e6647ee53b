import { type FleetRole, JOIN_TOKEN_DEFAULTS } from "@nodepass/model/fleet";
import type { CliContext } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { printData, printTable } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { tryEach } from "../output/try-each.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";
import { shownLabels } from "./show-master.ts";

/** Options of `fleet token create`. */
export interface TokenCreateOptions extends RemoteOptions {
  readonly role?: FleetRole | undefined;
  readonly selector?: string | undefined;
  readonly label?: Readonly<Record<string, string>> | undefined;
  readonly uses?: number | undefined;
  /** Seconds. */
  readonly ttl?: number | undefined;
  readonly note?: string | undefined;
}

/** Runs `nodepass fleet token create`; standard output is the token and nothing else. */
export async function createToken(context: CliContext, options: TokenCreateOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { role, selector, label, uses, ttl, note } = options;
  const made = await fleet.createToken({
    ...(role === undefined
      ? { kind: "join", ...JOIN_TOKEN_DEFAULTS, ...(label !== undefined && { labels: label }) }
      : { kind: "api", role }),
    ...(selector !== undefined && { selector }),
    ...(uses !== undefined && { uses }),
    ...(ttl !== undefined && { ttl }),
    ...(note !== undefined && { note }),
  });
  if (options.json === true) {
    await printData(context, made, options);
    return;
  }
  context.stdout.write(`${plainText(made.token)}\n`);
  const command = commandName(context.environment);
  const use =
    made.kind === "join"
      ? "on the machine of a master: nodepass-master --join TOKEN"
      : `${command} login NAME --master ${fleet.origin}`;
  context.stderr.write(`shown this once; ${use}\n`);
}

/** Runs `nodepass fleet token ls`. */
export async function listTokens(context: CliContext, options: RemoteOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const tokens = await fleet.tokens();
  if (options.json === true) {
    await printData(context, tokens, options);
    return;
  }
  printTable(
    context,
    [
      { title: "ID", cell: ({ id }) => plainText(id) },
      {
        title: "FOR",
        cell: ({ kind, role }) => (kind === "join" ? "joining" : (role ?? "people")),
      },
      { title: "SELECTOR", cell: ({ selector }) => plainText(selector) || "-", hideIfEmpty: "-" },
      { title: "LABELS", cell: ({ labels }) => shownLabels(labels) || "-", hideIfEmpty: "-" },
      { title: "USES LEFT", cell: ({ uses }) => (uses === null ? "any" : String(uses)) },
      { title: "EXPIRES", cell: ({ expires }) => plainText(expires ?? "never") },
      { title: "CREATED", cell: ({ created }) => plainText(created), dropOrder: 1 },
      { title: "NOTE", cell: ({ note }) => plainText(note) || "-", hideIfEmpty: "-" },
    ],
    tokens,
  );
}

/** Runs `nodepass fleet token rm`. */
export async function removeTokens(
  context: CliContext,
  ids: readonly string[],
  options: RemoteOptions,
): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const removed: string[] = [];
  await tryEach(context, ids, async (id) => {
    await fleet.removeToken(id);
    removed.push(id);
    if (options.json !== true) context.stdout.write(`removed ${plainText(id)}\n`);
  });
  if (options.json === true) await printData(context, removed, options);
}
