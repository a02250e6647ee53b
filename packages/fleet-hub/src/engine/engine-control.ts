import {
  CLAIMS_UPDATE_SUBJECT,
  claimsLookupSubject,
  ENGINE_QUESTION_SUBJECT,
  type EngineAnswer,
  type FleetSecrets,
  judgeEngine,
  judgeVersion,
  readClaimsAnswer,
  readEngineAnswer,
  revokeMembers,
  withoutRetired,
} from "@nodepass/fleet-protocol";
import { type Logger, ServiceError } from "@nodepass/model";
import type { EngineLink } from "./engine-link.ts";
import { askClients, askLoad, type EngineClient, type EngineLoad } from "./engine-load.ts";

/** How long servers are waited for, and how long after the last of them, ms. */
const QUESTION_MS = { most: 3000, stall: 500 } as const;
const PUSH_TIMEOUT_MS = 5000;

/** What servers said of themselves, with nothing against it. */
export interface EngineFacts {
  readonly servers: readonly EngineAnswer[];
  /** Servers that the engine has, whether they answered or not. */
  readonly size: number;
}

/** What a hub asks of the engine as its operator: over a connection of the system account. */
export interface EngineControl {
  /** @throws {ServiceError} `UNAVAILABLE` naming the server and what is wrong with it */
  check(): Promise<EngineFacts>;
  /**
   * Members' keys are not taken any more, and their connections are cut.
   *
   * @throws {ServiceError} `UNAVAILABLE` if no server took it
   */
  revoke(nkeys: readonly string[]): Promise<void>;
  /**
   * Takes from the engine the signing keys that were retired, if it has one of them still.
   *
   * @returns whether it had
   * @throws {ServiceError} `UNAVAILABLE` if no server took it
   */
  retire(): Promise<boolean>;
  /** Those of these keys that the engine would still take. @throws {ServiceError} `UNAVAILABLE` */
  notRevoked(nkeys: readonly string[]): Promise<readonly string[]>;
  /** What the engine carries now. Rejects while it can't be asked. */
  load(): Promise<EngineLoad>;
  /** Who of the fleet's account is there, with what they have sent. Rejects while it can't be asked. */
  clients(): Promise<readonly EngineClient[]>;
}

/** @param link of a user of the system account */
export function engineControl(
  link: EngineLink,
  secrets: FleetSecrets,
  logger: Logger,
): EngineControl {
  let last: Promise<unknown> = Promise.resolve();

  const lookUp = async (): Promise<string> => {
    const connection = link.demand();
    try {
      const answer = await connection.request(claimsLookupSubject(secrets.account), undefined, {
        timeout: PUSH_TIMEOUT_MS,
      });
      const jwt = answer.string();
      return jwt === "" ? secrets.reveal().account.jwt : jwt;
    } catch (error) {
      throw failed("does not tell the fleet's account", error);
    }
  };

  const push = async (jwt: string) => {
    const problems: string[] = [];
    let taken = 0;
    try {
      const answers = await link.demand().requestMany(CLAIMS_UPDATE_SUBJECT, jwt, {
        strategy: "stall",
        stall: QUESTION_MS.stall,
        maxWait: PUSH_TIMEOUT_MS,
      });
      for await (const answer of answers) {
        const { ok, server, message } = readClaimsAnswer(answer.data);
        if (ok) taken += 1;
        else problems.push(`${server}: ${message}`);
      }
    } catch (error) {
      throw failed("did not take the fleet's account", error);
    }
    if (taken === 0) throw failed(`did not take the fleet's account: ${problems.join(", ")}`);
    if (problems.length > 0) {
      logger.warn({ problems: problems.join(", ") }, "a server did not take the fleet's account");
    }
  };

  // One after the other: each changes what the one before has pushed.
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };

  return {
    check: async () => {
      const { info } = link.demand();
      // One that is too old may not even understand the question.
      const old = judgeVersion(info?.server_name ?? "", info?.version ?? "");
      if (old !== undefined) throw refused([old.message]);
      const servers: EngineAnswer[] = [];
      try {
        const answers = await link.demand().requestMany(ENGINE_QUESTION_SUBJECT, undefined, {
          strategy: "stall",
          stall: QUESTION_MS.stall,
          maxWait: QUESTION_MS.most,
        });
        for await (const { data } of answers) {
          const answer = readEngineAnswer(data);
          if (answer !== undefined) servers.push(answer);
        }
      } catch (error) {
        throw failed("does not tell what it is", error);
      }
      const problems = judgeEngine(servers);
      const fatal = problems.filter((problem) => problem.fatal);
      if (fatal.length > 0) throw refused(fatal.map(({ message }) => message));
      for (const { message } of problems) logger.warn({ why: message }, "engine");
      return { servers, size: Math.max(0, ...servers.map(({ activeServers }) => activeServers)) };
    },
    revoke: (nkeys) =>
      inTurn(async () => push(await revokeMembers(secrets, await lookUp(), nkeys))),
    retire: () =>
      inTurn(async () => {
        const jwt = await withoutRetired(secrets, await lookUp());
        if (jwt !== undefined) await push(jwt);
        return jwt !== undefined;
      }),
    notRevoked: async (nkeys) => {
      if (nkeys.length === 0) return [];
      const revoked = revocationsOf(await lookUp());
      return nkeys.filter((key) => !revoked.has(key));
    },
    load: () => askLoad(link),
    clients: () => askClients(link, secrets.account),
  };
}

/** Of an account's JWT that the engine holds, and has checked. */
function revocationsOf(jwt: string): ReadonlySet<string> {
  const [, payload = ""] = jwt.split(".");
  const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  if (typeof claims !== "object" || claims === null || !("nats" in claims)) return new Set();
  const { nats } = claims;
  if (typeof nats !== "object" || nats === null || !("revocations" in nats)) return new Set();
  const { revocations } = nats;
  return new Set(
    typeof revocations === "object" && revocations !== null ? Object.keys(revocations) : [],
  );
}

function refused(reasons: readonly string[]): ServiceError {
  return new ServiceError("UNAVAILABLE", `the engine is refused: ${reasons.join("; ")}`);
}

function failed(what: string, error?: unknown): ServiceError {
  return new ServiceError("UNAVAILABLE", `the engine ${what}`, { cause: error });
}
