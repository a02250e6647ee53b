import { ENGINE_QUESTION_SUBJECT } from "@nodepass/fleet-protocol";
import { z } from "zod";
import type { EngineLink } from "./engine-link.ts";

const CLIENTS_SUBJECT = "$SYS.REQ.SERVER.PING.CONNZ";
/** How long servers are waited for, and how long after the last of them, ms. */
const QUESTION_MS = { most: 3000, stall: 500 } as const;
/** Clients that a server tells at once, and so often. */
const PAGE = 1024;
const MAX_PAGES = 64;

/** What the servers of an engine that answered in time carry. */
export interface EngineLoad {
  /** Of all of them. */
  readonly connections: number;
  /** From its clients since it began, by the server's id: one whose answer is late is not there. */
  readonly servers: ReadonlyMap<string, { readonly messages: number; readonly bytes: number }>;
}

/** One connection of the fleet's account. */
export interface EngineClient {
  /** Unique among all servers. */
  readonly id: string;
  /** `U…` */
  readonly nkey: string;
  /** From it, since it began. */
  readonly messages: number;
  readonly bytes: number;
  /** When it began, and when this was so, by its server's clock, ms since 1970. */
  readonly since: number;
  readonly at: number;
}

const LoadSchema = z.object({
  server: z.object({ id: z.string() }),
  statsz: z.object({
    connections: z.number(),
    received: z.object({ msgs: z.number(), bytes: z.number() }),
    received_from_clients: z.object({ msgs: z.number(), bytes: z.number() }).optional(),
  }),
});
const ClientsSchema = z.object({
  data: z.object({
    server_id: z.string(),
    now: z.coerce.date(),
    total: z.number(),
    connections: z
      .array(
        z.object({
          cid: z.number(),
          start: z.coerce.date(),
          authorized_user: z.string().optional(),
          in_msgs: z.number(),
          in_bytes: z.number(),
        }),
      )
      .nullish(),
  }),
});

/** @param link of a user of the system account @throws what its connection throws */
export async function askLoad(link: EngineLink): Promise<EngineLoad> {
  let connections = 0;
  const servers = new Map<string, { readonly messages: number; readonly bytes: number }>();
  const answers = await answersTo(link, ENGINE_QUESTION_SUBJECT, undefined, LoadSchema);
  for (const { server, statsz } of answers) {
    const { msgs, bytes } = statsz.received_from_clients ?? statsz.received;
    connections += statsz.connections;
    servers.set(server.id, { messages: msgs, bytes });
  }
  return { connections, servers };
}

/** @param account `A…` @throws what its connection throws */
export async function askClients(
  link: EngineLink,
  account: string,
): Promise<readonly EngineClient[]> {
  const clients: EngineClient[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const question = { auth: true, acc: account, sort: "cid", limit: PAGE, offset: page * PAGE };
    const answers = await answersTo(link, CLIENTS_SUBJECT, question, ClientsSchema);
    for (const { data } of answers) {
      const at = data.now.getTime();
      for (const { cid, start, authorized_user, in_msgs, in_bytes } of data.connections ?? []) {
        clients.push({
          id: `${data.server_id}/${cid}`,
          nkey: authorized_user ?? "",
          messages: in_msgs,
          bytes: in_bytes,
          since: start.getTime(),
          at,
        });
      }
    }
    if (answers.every(({ data }) => data.total <= (page + 1) * PAGE)) break;
  }
  return clients;
}

async function answersTo<Schema extends z.ZodType>(
  link: EngineLink,
  subject: string,
  question: unknown,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  const body = question === undefined ? undefined : JSON.stringify(question);
  const answers = await link.demand().requestMany(subject, body, {
    strategy: "stall",
    stall: QUESTION_MS.stall,
    maxWait: QUESTION_MS.most,
  });
  const all: z.output<Schema>[] = [];
  for await (const { data } of answers) {
    const read = schema.safeParse(JSON.parse(new TextDecoder().decode(data)));
    if (read.success) all.push(read.data);
  }
  return all;
}
