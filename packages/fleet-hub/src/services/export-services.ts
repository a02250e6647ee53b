import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { MemberRecordSchema, ServiceRecordSchema } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { z } from "zod";
import type { ExportSignature, ServiceParts } from "./service-operations.ts";

/** What tells an export from other JSON. */
const FORMAT = "nodepass-fleet-export";

const ExportedMemberSchema = MemberRecordSchema.omit({ box: true }).extend({ box: z.string() });

/** What an export holds: all services with their keys, and the public halves of all members. */
const ExportSchema = z.object({
  format: z.literal(FORMAT),
  v: z.literal(1),
  fleet: z.string(),
  hub: z.string(),
  time: z.iso.datetime(),
  revision: z.int().min(0),
  members: z.record(z.string(), ExportedMemberSchema),
  services: z.record(z.string(), ServiceRecordSchema),
});

/** An export that has been read and whose signature holds. */
export interface Exported {
  readonly time: string;
  readonly members: ReadonlyMap<string, MemberRecord>;
  readonly services: ReadonlyMap<string, ServiceRecord>;
}

/**
 * All services and members as JSON, signed: whoever has it has every tunnel's key.
 *
 * @returns one line for each record, so that two exports can be compared
 */
export function writeExport({
  fleet,
  hub,
  index,
  signature,
  clock,
}: Pick<ServiceParts, "fleet" | "hub" | "index" | "signature" | "clock">): string {
  const members = sorted(index.members).map(([mid, { value }]) => [
    mid,
    { ...value, box: Buffer.from(value.box).toString("base64url") },
  ]);
  const body = {
    format: FORMAT,
    v: 1,
    fleet,
    hub,
    time: new Date(clock.now()).toISOString(),
    revision: index.revision,
    members: Object.fromEntries(members),
    services: Object.fromEntries(sorted(index.services).map(([sid, { value }]) => [sid, value])),
  };
  const signed = { ...body, signature: signature.sign(bytesOf(body)) };
  return `${JSON.stringify(signed, null, 1)}\n`;
}

/**
 * Reads an export of this fleet.
 *
 * @throws {ServiceError} `INVALID`: no export, another fleet's, or changed since it was written
 */
export function readExport(text: string, fleet: string, signature: ExportSignature): Exported {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ServiceError("INVALID", "the export is no JSON", { cause: error });
  }
  const signed = z.looseObject({ signature: z.string() }).safeParse(json);
  if (!signed.success) throw new ServiceError("INVALID", "the export has no signature");
  const { signature: given, ...body } = signed.data;
  if (!signature.verify(bytesOf(body), given)) {
    throw new ServiceError(
      "INVALID",
      "the export was not written by a hub of this fleet, or was changed since",
    );
  }
  const read = ExportSchema.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new ServiceError(
      "INVALID",
      `the export can't be read at ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
  }
  if (read.data.fleet !== fleet) {
    throw new ServiceError("INVALID", `the export is of fleet ${read.data.fleet}, not ${fleet}`);
  }
  const members = Object.entries(read.data.members).map(([mid, member]): [string, MemberRecord] => [
    mid,
    { ...member, box: new Uint8Array(Buffer.from(member.box, "base64url")) },
  ]);
  return {
    time: read.data.time,
    members: new Map(members),
    services: new Map(Object.entries(read.data.services)),
  };
}

/** What is signed: the same text however the file is indented. */
function bytesOf(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

function sorted<Value>(entries: ReadonlyMap<string, Value>): [string, Value][] {
  return [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
}
