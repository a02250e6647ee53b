import type { AuditEntry } from "@nodepass/model/fleet";
import type { CliContext } from "../context.ts";
import { printData, printTable, stdoutStyle } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { openFleet } from "../remote/open-master.ts";
import type { RemoteOptions } from "../remote/remote-options.ts";

/** Options of `fleet audit`. */
export interface FleetAuditOptions extends RemoteOptions {
  readonly limit: number;
  readonly before?: number | undefined;
}

/** Runs `nodepass fleet audit`. */
export async function printAudit(context: CliContext, options: FleetAuditOptions): Promise<void> {
  const { fleet } = await openFleet(context, options);
  const { limit, before } = options;
  const entries = await fleet.audit({ limit, ...(before !== undefined && { before }) });
  if (options.json === true) {
    await printData(context, entries, options);
    return;
  }
  const { green, red, yellow } = stdoutStyle(context);
  const shown = { done: green, intended: yellow, refused: red, failed: red };
  printTable(
    context,
    [
      { title: "#", cell: ({ sequence }) => String(sequence), align: "right" },
      { title: "TIME", cell: ({ time }) => plainText(time) },
      { title: "TOKEN", cell: ({ token }) => plainText(token) },
      { title: "ROLE", cell: ({ role }) => plainText(role), dropOrder: 2 },
      { title: "FROM", cell: ({ from }) => plainText(from), dropOrder: 1 },
      { title: "ACTION", cell: ({ action }) => plainText(action) },
      { title: "OBJECT", cell: ({ object }) => plainText(object) },
      { title: "REVISION", cell: shownRevisions, hideIfEmpty: "-" },
      { title: "OUTCOME", cell: ({ outcome }) => shown[outcome](outcome) },
      { title: "DETAIL", cell: ({ detail }) => plainText(detail) },
    ],
    entries,
  );
}

/** The revision that a thing had, and the one that it has since. */
function shownRevisions({ before, after }: AuditEntry): string {
  if (after === null || after === before) return plainText(before ?? "-");
  return plainText(before === null ? `-> ${after}` : `${before} -> ${after}`);
}
