import { isMemberId, type PassedAccess } from "@nodepass/fleet-protocol";
import { allowAnyOrigin, type RefuseWrong, readBytes, STATUS_BY_CODE } from "@nodepass/master-api";
import { API_TOKEN_PREFIX } from "@nodepass/model/fleet";
import type { Context } from "hono";
import type { Caller, Fleet } from "../fleet.ts";
import type { FoundMaster } from "./find-master.ts";
import {
  changeManaged,
  type InstanceWrite,
  readInstanceWrite,
  splitWrite,
} from "./managed-write.ts";
import { type Admitted, admit, findWritten, isSafe, isTicket } from "./passed-access.ts";
import { type HeaderList, requestHeaders } from "./passed-headers.ts";
import type { Passer } from "./passer.ts";
import { refusal } from "./refusal.ts";
import { restoreKeys } from "./restore-keys.ts";

/** What a gateway is made of. */
export interface GatewayOptions {
  readonly fleet: Pick<
    Fleet,
    | "verifyToken"
    | "master"
    | "managedPart"
    | "auditPassed"
    | "service"
    | "changeService"
    | "removeService"
  >;
  readonly passer: Passer;
  /** The hub's own API counts by the same. */
  readonly refuseWrong: RefuseWrong;
  readonly remoteAddress: (context: Context) => string | undefined;
}

/** Lets HTTP clients reach masters that only the fleet reaches. */
export interface Gateway {
  /** Answers a request to a master as that master would. */
  answer(context: Context, found: FoundMaster): Promise<Response>;
}

/** Seconds after which a master that is not there is worth another try. */
const RETRY_AWAY = { "Retry-After": "5" };
const RETRY_BUSY = { "Retry-After": "1" };
/** Body of a request without any key, at most, bytes: a one-time link's token is all that there is. */
const MAX_KEYLESS_BYTES = 4096;
const NO_BODY = new Uint8Array(0);

/** One request on its way. */
interface Passing {
  readonly context: Context;
  readonly found: FoundMaster;
  readonly remote: string;
  readonly admitted: Admitted;
  readonly headers: HeaderList;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { fleet, passer } = options;

  const pass = (
    { context, found, remote, admitted, headers }: Passing,
    changed: {
      readonly method?: string;
      readonly target?: string;
      readonly body?: Uint8Array<ArrayBuffer>;
      readonly access?: PassedAccess;
      readonly headers?: HeaderList;
    } = {},
  ): Promise<Response> =>
    passer.pass({
      mid: found.mid,
      method: context.req.method,
      target: found.target,
      body: NO_BODY,
      access: admitted.access,
      headers,
      remote,
      boxed: found.underPath,
      signal: context.req.raw.signal,
      ...changed,
    });

  const answer = async (context: Context, found: FoundMaster): Promise<Response> => {
    if (!isMemberId(found.mid)) return refusal(context, 404, "Not found");
    // What is linked from a master's page is relative to a path that ends in a slash.
    if (!found.target.startsWith("/")) {
      return new Response(null, {
        status: 308,
        headers: { Location: `${found.mid}/${found.target}` },
      });
    }
    const { method } = context.req;
    if (method === "TRACE") return refusal(context, 405, "Method not allowed");
    const remote = options.remoteAddress(context) ?? "";
    try {
      const admitted = admit(context, options, { mid: found.mid, target: found.target, remote });
      if (admitted instanceof Response) return admitted;
      const hides = (value: string) => value.includes(API_TOKEN_PREFIX);
      const headers = requestHeaders(context.req.raw.headers, hides);
      const passing = { context, found, remote, admitted, headers };
      return await (isSafe(method) ? pass(passing) : write(passing));
    } catch (error) {
      return toAnswer(context, error);
    }
  };

  const write = async (passing: Passing): Promise<Response> => {
    const { context, found, admitted } = passing;
    const { method } = context.req;
    const isFree = isTicket(method, found.target);
    let changes = !isFree;
    if (admitted.caller === undefined && changes) {
      const checked = await checkKey(passing);
      if (checked instanceof Response) return checked;
      if (checked === "none") return passKeyless(passing);
      changes = checked === "full";
    }
    const body = await readBytes(context);
    if (body instanceof Response) return body;
    if (!changes) return pass(passing, { body });
    const one = readInstanceWrite(method, found.target);
    if (one !== undefined) {
      const managed = fleet.managedPart(found.mid, one.id);
      if (managed !== undefined) {
        const answered = await writeManaged(passing, one, managed, body);
        if (answered !== undefined) return answered;
      }
    }
    return passAudited(passing, await withRealKeys(passing, one, body));
  };

  /** Who asks is in the record before anything is done, and how it was answered after it. */
  const passAudited = (passing: Passing, body: Uint8Array<ArrayBuffer>): Promise<Response> => {
    const { context, found, admitted, remote } = passing;
    const what = `${context.req.method} ${found.target.split("?", 1)[0]?.slice(0, 500)}`;
    const doIt = () => pass(passing, { body });
    return fleet.auditPassed(admitted.caller, found.mid, what, remote, doIt);
  };

  /**
   * Asks the master what a key of its own may do, before a body is read and a record is written for
   * whoever carries it. `tcping` without a target does nothing, and is for the full key.
   *
   * @returns `none`: there is no key, or nothing that could be written to; `read`: an agent with a key
   *   for reading, which has only POST to say anything; else the answer
   */
  const checkKey = async (passing: Passing): Promise<"full" | "read" | "none" | Response> => {
    const written = findWritten(passing.found.target);
    if (!passing.admitted.hasKey || written === undefined) return "none";
    const target = `${written.base}/tcping`;
    const checked = await pass(passing, { method: "GET", target });
    const { status } = checked;
    const isAnswer = status === 401 || status === 429 || status >= 500;
    if (isAnswer || (status === 403 && written.resource !== "v2")) return checked;
    await checked.body?.cancel();
    return status === 400 ? "full" : status === 403 ? "read" : "none";
  };

  /** What needs no key is a one-time link; all else the master refuses, as it shall. */
  const passKeyless = async (passing: Passing): Promise<Response> => {
    const { context } = passing;
    const length = Number(context.req.header("content-length") ?? 0);
    const isSmall = length <= MAX_KEYLESS_BYTES && !context.req.header("transfer-encoding");
    const body = isSmall ? await readBytes(context) : NO_BODY;
    if (body instanceof Response) return body;
    const headers = passing.headers.filter(
      ([name]) => name !== "x-api-key" && name !== "authorization",
    );
    return pass(passing, { body, headers });
  };

  /** @returns `undefined`: it is the master's to say what is wrong with it */
  const writeManaged = async (
    passing: Passing,
    one: InstanceWrite,
    managed: { readonly sid: string; readonly part: number },
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Response | undefined> => {
    const { found, admitted, remote } = passing;
    const split = splitWrite(one, await withRealKeys(passing, one, body));
    if (split?.change === undefined) return undefined;
    if (split.rest !== undefined) {
      // First, since the master may refuse it.
      const bytes = new TextEncoder().encode(JSON.stringify(split.rest));
      const answered = await passAudited(passing, bytes);
      if (!answered.ok) return answered;
      await answered.body?.cancel();
    }
    const caller = admitted.caller ?? ownKey(found.mid, remote);
    await changeManaged(fleet, caller, managed, split.change, {
      ownPartsOnly: admitted.caller === undefined,
    });
    return afterChange(passing, one);
  };

  /** What the master would have answered: the instance as it is now. */
  const afterChange = async (passing: Passing, one: InstanceWrite): Promise<Response> => {
    if (one.method === "DELETE") {
      const gone = new Response(null, { status: 204 });
      allowAnyOrigin(gone.headers);
      return gone;
    }
    const target = `${one.base}/instances/${one.id}`;
    const shown = await pass(passing, { method: "GET", target });
    if (one.method === "PATCH" || !shown.ok) return shown;
    const instance: unknown = await shown.json();
    const changes = { inPlace: [], restarted: [] };
    const whole = { ...(instance as object), warnings: [], changes };
    return new Response(JSON.stringify(whole), { status: shown.status, headers: shown.headers });
  };

  /** Whoever sees URLs with their keys masked sends them back so: the key is meant, not the mask. */
  const withRealKeys = async (
    passing: Passing,
    one: InstanceWrite | undefined,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    if (one?.method !== "PUT" || passing.admitted.access !== "operator") return body;
    const given = splitWrite(one, body)?.change;
    if (given === undefined || given === "remove" || !given.url?.includes("***")) return body;
    const target = `${one.base}/instances/${one.id}`;
    const shown = await pass(passing, { method: "GET", target, access: "admin" });
    const instance: unknown = shown.ok ? await shown.json() : undefined;
    const url: unknown =
      typeof instance === "object" && instance !== null ? Reflect.get(instance, "url") : undefined;
    if (typeof url !== "string") return body;
    return new TextEncoder().encode(JSON.stringify({ url: restoreKeys(given.url, url) }));
  };

  return { answer };
}

/** A master's own key counts as admin of what that master runs. */
function ownKey(mid: string, from: string): Caller {
  return { token: `key:${mid}`, role: "admin", selector: [], from };
}

function toAnswer(context: Context, error: unknown): Response {
  if (context.req.raw.signal.aborted) return new Response(null, { status: 408 });
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (!(error instanceof Error) || typeof code !== "string") throw error;
  if (code === "UNAVAILABLE") return refusal(context, 503, error.message, RETRY_AWAY);
  if (code === "LIMIT_REACHED") return refusal(context, 503, error.message, RETRY_BUSY);
  if (!Object.hasOwn(STATUS_BY_CODE, code)) throw error;
  return refusal(context, STATUS_BY_CODE[code as keyof typeof STATUS_BY_CODE], error.message);
}
