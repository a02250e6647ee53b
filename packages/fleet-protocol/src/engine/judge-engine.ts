import { z } from "zod";

/**
 * Asked as a system user: every server of the engine answers, so wait for as many as `activeServers` of
 * the first answer says. The same as `PING.JSZ` tells of JetStream, and how many servers there are.
 */
export const ENGINE_QUESTION_SUBJECT = "$SYS.REQ.SERVER.PING";

/** The oldest nats-server that a fleet is run on; docs/fleet.md says which is tried. */
export const MIN_ENGINE_VERSION = "2.12.0";

/** What one server says of itself. */
export interface EngineAnswer {
  /** Its name, as in its configuration. */
  server: string;
  /** `N…`, new with each start. */
  id: string;
  version: string;
  /** Servers that it knows to run, itself among them. */
  activeServers: number;
  /** `undefined`: it has no JetStream. */
  jetstream?: {
    /** Every write is on the disk before it is acknowledged. */
    syncAlways: boolean;
    /** Else it is written so often, ms. */
    syncIntervalMs: number;
  };
}

/** What can be wrong with an engine. */
export type EngineProblemCode = "OLD_VERSION" | "SYNC_INTERVAL" | "NO_JETSTREAM" | "NO_ANSWER";

/** Why a fleet is not to be run on an engine. */
export interface EngineProblem {
  code: EngineProblemCode;
  /**
   * Whether to refuse: all but a server of several that did not answer. A killed one is missed
   * for about 150 s; what it is will show when it is back, so ask again after each reconnect.
   */
  fatal: boolean;
  /** Name of the server; empty where it is none of them alone. */
  server: string;
  /** For people: what is wrong and what is to be done. */
  message: string;
}

const EngineAnswerSchema = z.object({
  server: z.object({ name: z.string(), id: z.string(), ver: z.string() }),
  statsz: z.object({
    active_servers: z.int().optional(),
    jetstream: z
      .object({
        // Nanoseconds.
        config: z
          .object({ sync_always: z.boolean().optional(), sync_interval: z.number().optional() })
          .optional(),
      })
      .optional(),
  }),
});

/**
 * @param body an answer to {@link ENGINE_QUESTION_SUBJECT}; from outside: anything
 * @returns `undefined` if it is none
 */
export function readEngineAnswer(body: Uint8Array): EngineAnswer | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  const read = EngineAnswerSchema.safeParse(json);
  if (!read.success) return undefined;
  const { server, statsz } = read.data;
  const config = statsz.jetstream?.config;
  return {
    server: server.name,
    id: server.id,
    version: server.ver,
    activeServers: statsz.active_servers ?? 1,
    ...(config === undefined
      ? {}
      : {
          jetstream: {
            syncAlways: config.sync_always ?? false,
            syncIntervalMs: (config.sync_interval ?? 0) / 1e6,
          },
        }),
  };
}

/**
 * Whether a fleet may be run on an engine: all servers are new enough, each one with JetStream has
 * every write on the disk before it acknowledges it, and at least one has JetStream.
 *
 * @param answers of all servers, as far as they came in time
 * @returns nothing to say: an empty list
 */
export function judgeEngine(answers: readonly EngineAnswer[]): EngineProblem[] {
  const servers = [...new Map(answers.map((answer) => [answer.id, answer])).values()];
  const problems = servers.flatMap(judgeServer);
  const active = Math.max(1, ...servers.map(({ activeServers }) => activeServers));
  if (servers.length < active) {
    problems.push({
      code: "NO_ANSWER",
      fatal: servers.length === 0,
      server: "",
      message: `${servers.length} of ${active} nats-servers told what they are`,
    });
  }
  if (servers.length > 0 && servers.every(({ jetstream }) => jetstream === undefined)) {
    const message = "no nats-server has JetStream; it is switched on by a jetstream block";
    problems.push({ code: "NO_JETSTREAM", fatal: true, server: "", message });
  }
  return problems;
}

/** The version alone, from a connection's `info` (server_name, version), before anything is asked. */
export function judgeVersion(server: string, version: string): EngineProblem | undefined {
  if (isNewEnough(version)) return undefined;
  const message = `nats-server ${server} is ${version}; a fleet needs ${MIN_ENGINE_VERSION} or newer`;
  return { code: "OLD_VERSION", fatal: true, server, message };
}

function judgeServer({ server, version, jetstream }: EngineAnswer): EngineProblem[] {
  const problems: EngineProblem[] = [];
  const old = judgeVersion(server, version);
  if (old !== undefined) problems.push(old);
  if (jetstream !== undefined && !jetstream.syncAlways) {
    const lazy = `nats-server ${server} writes to the disk every ${jetstream.syncIntervalMs / 1000} s`;
    const message = `${lazy}: what it acknowledges can be lost; set "sync_interval: always" in its jetstream block`;
    problems.push({ code: "SYNC_INTERVAL", fatal: true, server, message });
  }
  return problems;
}

function isNewEnough(version: string): boolean {
  const found = /^(\d+)\.(\d+)\./.exec(version);
  if (found === null) return false;
  const [, major, minor] = found;
  const [minMajor = 0, minMinor = 0] = MIN_ENGINE_VERSION.split(".").map(Number);
  return Number(major) > minMajor || (Number(major) === minMajor && Number(minor) >= minMinor);
}
