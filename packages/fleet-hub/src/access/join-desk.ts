import {
  issueMemberJwt,
  type JoinAnswer,
  type JoinRequest,
  joinProblem,
  MEMBER_JWT_MS,
  type MemberRecord,
  SealError,
  type SealedJoinAnswer,
  sealJoinAnswer,
} from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import { type Logger, ServiceError } from "@nodepass/model";
import type { HubSecrets } from "../hub-secrets.ts";
import type { FleetStore } from "../store/fleet-store.ts";
import type { LiveIndex } from "../store/memory-index.ts";
import type { Auditor } from "./auditor.ts";
import { stored, type Tokens } from "./tokens.ts";
import { createTurnstile } from "./turnstile.ts";

/** Joins and renewals in progress, and those that wait: each one writes four times. */
const JOINS = { atOnce: 64, waiting: 2000 } as const;

/** Masters of a fleet at most; section 9. */
export const MAX_MASTERS = 2000;
/** Controls and marks that turn the writing direction round: a name is what people know a master by. */
const UNSAFE_IN_NAMES = /\p{Cc}|[\u2028\u2029]|\p{Bidi_Control}|\p{Surrogate}/gu;

/** What is needed to let masters in. */
export interface JoinDeskOptions {
  readonly hub: HubSecrets;
  readonly store: Pick<FleetStore, "members">;
  readonly index: Pick<LiveIndex, "members" | "findMembers" | "wroteMember">;
  readonly tokens: Pick<Tokens, "check" | "use">;
  readonly audit: Auditor;
  /** How long a member must wait for another JWT, ms: it has sent too much. */
  readonly waitOf: (mid: string) => number;
  readonly clock: Clock;
  /** Nonces of hubs' runs. */
  readonly runs: () => readonly string[];
  readonly logger: Logger;
}

/**
 * Lets masters in: with a join token, or, to renew its JWT, with the NKey that its record has. A mid
 * that was removed from the fleet stays out, as does one that another key has.
 *
 * @returns rejects with `FORBIDDEN`, `CONFLICT`, `INVALID`, `UNAVAILABLE`
 */
export function createJoinDesk(
  options: JoinDeskOptions,
): (request: JoinRequest, from: string) => Promise<SealedJoinAnswer> {
  const { hub, store, index, tokens, audit, clock, logger } = options;
  const { secrets, memberServers, ca, hubs } = hub;

  /** Names of masters whose records are being written. */
  const taken = new Set<string>();
  const countMasters = () => {
    let count = taken.size;
    for (const { value } of index.members.values()) if (!value.evicted) count += 1;
    return count;
  };
  /** Clones of one machine have its name: who comes later gets the beginning of its mid behind it. */
  const freeName = ({ mid, name: given }: JoinRequest): string => {
    const name = given.replace(UNSAFE_IN_NAMES, "").trim();
    if (name === "") return mid;
    const isFree = (one: string) => index.findMembers(one).length === 0 && !taken.has(one);
    return [name, `${name}-${mid.slice(0, 4)}`].find(isFree) ?? `${name}-${mid}`;
  };

  const admit = async (request: JoinRequest, from: string): Promise<void> => {
    const { mid, nkey, box, token } = request;
    const key = new Uint8Array(Buffer.from(box, "base64url"));
    const found = await stored(store.members.get(mid));
    if (found !== undefined) {
      const { value } = found;
      if (value.evicted) {
        const text = `master ${mid} was removed from the fleet; it can join with a new identity`;
        throw new ServiceError("FORBIDDEN", text);
      }
      const isSame = value.nkey === nkey && Buffer.compare(value.box, key) === 0;
      // It has shown that it has the key: a renewal, or a join whose answer was lost.
      if (isSame) return;
      const text = `mid ${mid} is another master's, by its key; a copied one joins with a new identity`;
      throw new ServiceError(token === undefined ? "FORBIDDEN" : "CONFLICT", text);
    }
    if (token === undefined) {
      throw new ServiceError("FORBIDDEN", `master ${mid} is no member; it can join with a token`);
    }
    // Whoever has none can ask this as often as they like: the record is not theirs to fill.
    await tokens.check(token);
    if (countMasters() >= MAX_MASTERS) {
      const text = `the fleet has ${MAX_MASTERS} masters, which is the most; remove one, or begin another fleet`;
      throw new ServiceError("CONFLICT", text);
    }
    const who = { token: token.id, role: "join", from };
    const action = { action: "master.join", object: mid, before: undefined, detail: request.name };
    await audit.changing(
      who,
      action,
      async () => {
        const { labels } = await tokens.use(token);
        const name = freeName(request);
        const record: MemberRecord = {
          v: 1,
          name,
          labels,
          address: "",
          nkey,
          box: key,
          draining: false,
          joined: clock.now(),
          evicted: false,
        };
        taken.add(name);
        try {
          const revision = await stored(store.members.create(mid, record));
          index.wroteMember(mid, { value: record, revision });
          return revision;
        } finally {
          taken.delete(name);
        }
      },
      (revision) => revision,
    );
    logger.info({ mid, name: request.name, from }, "a master has joined");
  };

  const turnstile = createTurnstile(JOINS.atOnce, JOINS.waiting, "joins");
  return (request, from) => turnstile.pass(() => join(request, from));

  async function join(request: JoinRequest, from: string): Promise<SealedJoinAnswer> {
    const problem = joinProblem(request, clock.now());
    if (problem !== undefined) throw new ServiceError("FORBIDDEN", problem);
    // Its box key is tried before anything is stored.
    const seal = (answer: JoinAnswer) => {
      try {
        return sealJoinAnswer(secrets, request, answer);
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        throw new ServiceError("INVALID", "the master's box key can't be used", { cause: error });
      }
    };
    const waitMs = options.waitOf(request.mid);
    if (waitMs > 0) {
      const text = `master ${request.mid} has sent too much and is cut off; again in ${Math.ceil(waitMs / 1000)} s`;
      throw new ServiceError("UNAVAILABLE", text);
    }
    const expiresAt = clock.now() + MEMBER_JWT_MS;
    const answer: JoinAnswer = {
      fleet: secrets.fleet,
      mid: request.mid,
      jwt: await issueMemberJwt(secrets, {
        mid: request.mid,
        userPublicKey: request.nkey,
        expiresAt,
      }),
      expires: Math.floor(expiresAt / 1000),
      servers: [...memberServers],
      ca,
      hubs: [...hubs],
      runs: [...options.runs()],
    };
    const sealed = seal(answer);
    await admit(request, from);
    return sealed;
  }
}
