import type { IncomingMessage } from "node:http";
import { CliError, exitCodes } from "../exit-code.ts";
import { plainText } from "../output/terminal-text.ts";
import { unreachable } from "./connection-error.ts";
import {
  exchange,
  type HttpAnswer,
  type HttpRequest,
  type HttpTarget,
  openExchange,
  readAnswer,
} from "./http-exchange.ts";
import { isRecord, keyInstanceId, type RemoteInstance, readInstance } from "./instance.ts";
import type { MasterAddress } from "./master-address.ts";
import type { Trust } from "./trust.ts";

/** Which master, and how it is asked. */
export interface MasterClientOptions {
  readonly address: MasterAddress;
  readonly key: string;
  readonly trust: Trust;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs: number;
  /** Ends every request. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be changed of an instance with PATCH. */
export interface RemoteChange {
  readonly alias?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly action?: "start" | "stop" | "restart" | "reset" | undefined;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** An answer to a TCP ping. */
export interface RemoteTcping {
  readonly connected: boolean;
  /** Milliseconds. */
  readonly latency: number;
  readonly error: string;
}

/** A master, asked over HTTP. Every method throws a {@link CliError} that says what went wrong. */
export interface MasterClient {
  readonly origin: string;
  /** All instances but the API key's entry. */
  list(): Promise<RemoteInstance[]>;
  get(id: string): Promise<RemoteInstance>;
  create(url: string, alias?: string): Promise<RemoteInstance>;
  change(id: string, change: RemoteChange): Promise<RemoteInstance>;
  replaceUrl(id: string, url: string): Promise<RemoteInstance>;
  remove(id: string): Promise<void>;
  info(): Promise<Readonly<Record<string, unknown>>>;
  tcping(target: string): Promise<RemoteTcping>;
  /** Makes a new API key; this client goes on with it. @returns the key */
  renewKey(): Promise<string>;
  /** Opens the event stream; the caller destroys it. */
  openEvents(signal: AbortSignal): Promise<IncomingMessage>;
}

/** Creates the client; nothing is sent yet. */
export function createMasterClient(options: MasterClientOptions): MasterClient {
  const { address, trust, timeoutMs } = options;
  const { origin } = address;
  let { key } = options;
  /** Where the API is, once something there has answered as one. */
  let basePath: string | undefined;

  const target = (): HttpTarget => ({ origin, trust, timeoutMs, headers: { "x-api-key": key } });

  /** Tries the paths that the API may be under until one isn't unknown there. */
  const settle = async <T>(
    attempt: (base: string) => Promise<{ readonly value: T; readonly isApi: boolean }>,
  ): Promise<T> => {
    if (basePath !== undefined) return (await attempt(basePath)).value;
    for (const base of address.basePaths) {
      const { value, isApi } = await attempt(base);
      if (!isApi) continue;
      basePath = base;
      return value;
    }
    const tried = address.basePaths.map((base) => base || "/").join(" nor ");
    throw unreachable(origin, `no NodePass API under ${tried}`);
  };

  const ask = (sent: HttpRequest): Promise<HttpAnswer> =>
    settle(async (base) => {
      const path = `${base}${sent.path}`;
      const value = await exchange(target(), { ...sent, path, signal: options.signal });
      return { value, isApi: value.status !== 404 && isJson(value) };
    });

  const askJson = async (sent: HttpRequest): Promise<unknown> => {
    const answer = await ask(sent);
    if (answer.status < 200 || answer.status >= 300) throw refusal(origin, answer);
    try {
      return answer.status === 204 || answer.text === "" ? undefined : JSON.parse(answer.text);
    } catch (error) {
      throw unreachable(origin, `it answers without JSON (${String(error)})`);
    }
  };

  const askInstance = async (sent: HttpRequest): Promise<RemoteInstance> => {
    const instance = readInstance(await askJson(sent));
    if (instance === undefined) throw unreachable(origin, "it answers without an instance");
    return instance;
  };

  const instancePath = (id: string) => `/instances/${encodeURIComponent(id)}`;

  return {
    origin,
    list: async () => {
      const answer = await askJson({ method: "GET", path: "/instances" });
      if (!Array.isArray(answer)) throw unreachable(origin, "it answers without instances");
      return answer.map(readInstance).filter((instance) => instance !== undefined);
    },
    get: (id) => askInstance({ method: "GET", path: instancePath(id) }),
    create: (url, alias) =>
      askInstance({ method: "POST", path: "/instances", body: { url, alias } }),
    change: (id, change) => askInstance({ method: "PATCH", path: instancePath(id), body: change }),
    replaceUrl: (id, url) => askInstance({ method: "PUT", path: instancePath(id), body: { url } }),
    remove: async (id) => {
      await askJson({ method: "DELETE", path: instancePath(id) });
    },
    info: async () => {
      const info = await askJson({ method: "GET", path: "/info" });
      if (!isRecord(info)) throw unreachable(origin, "it answers without information");
      return info;
    },
    tcping: async (address) => {
      const path = `/tcping?target=${encodeURIComponent(address)}`;
      const answer = await askJson({ method: "GET", path });
      if (!isRecord(answer)) throw unreachable(origin, "it answers without a result");
      const { connected, latency, error } = answer;
      return {
        connected: connected === true,
        latency: typeof latency === "number" ? latency : 0,
        error: typeof error === "string" ? plainText(error) : "",
      };
    },
    renewKey: async () => {
      // The asterisks go as they are: 1.14 compares the path's text.
      const path = `/instances/${keyInstanceId}`;
      const answer = await askJson({ method: "PATCH", path, body: { action: "restart" } });
      const renewed = isRecord(answer) ? answer.url : undefined;
      if (typeof renewed !== "string" || renewed === "" || renewed === key) {
        throw new CliError(`the master at ${origin} made no new key`);
      }
      key = renewed;
      return renewed;
    },
    openEvents: (signal) =>
      settle(async (base) => {
        const headers = { accept: "text/event-stream", "cache-control": "no-cache" };
        const sent = { method: "GET", path: `${base}/events`, headers, signal };
        const response = await openExchange(target(), sent);
        const { statusCode: status = 0, headers: received } = response;
        const isStream = String(received["content-type"]).startsWith("text/event-stream");
        if (status === 200 && isStream) return { value: response, isApi: true };
        if (status === 404 && basePath === undefined) {
          response.destroy();
          return { value: response, isApi: false };
        }
        if (status === 200) {
          response.destroy();
          throw unreachable(origin, "its events are no event stream");
        }
        const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        throw refusal(origin, await readAnswer(origin, response, limit));
      }),
  };
}

function isJson({ status, headers, text }: HttpAnswer): boolean {
  if (status === 204 || String(headers["content-type"]).includes("json")) return true;
  // Old masters answer errors as text, and a master with TLS tells plain requests so.
  return status >= 400 || /^\s*[[{]/.test(text);
}

/** The error that an answer stands for. */
function refusal(origin: string, { status, headers, text }: HttpAnswer): CliError {
  if (status >= 300 && status < 400) {
    const where = plainText(String(headers.location ?? "another place"));
    return unreachable(origin, `it sends elsewhere, to ${where}`, [
      "If that is the master, give its URL: the key is not sent on.",
    ]);
  }
  const said = readErrorText(text);
  const reason = said === "" ? `status ${status}` : `${said} (${status})`;
  if (status === 401 || status === 403) {
    const exitCode = status === 401 ? exitCodes.unauthorized : exitCodes.failure;
    return new CliError(`the master at ${origin} refuses: ${reason}`, { exitCode });
  }
  if (status === 429) {
    const details = ["The key was wrong too often. Another one is accepted all the same."];
    const exitCode = exitCodes.unauthorized;
    return new CliError(`the master at ${origin} refuses: ${reason}`, { exitCode, details });
  }
  const isTls = /HTTPS server/i.test(text);
  if (isTls) return unreachable(origin, "it wants https://");
  const exitCode = status === 404 ? exitCodes.notFound : exitCodes.failure;
  return new CliError(`the master at ${origin} refuses: ${reason}`, { exitCode });
}

/** What the master said, as one line of bounded length. */
function readErrorText(text: string): string {
  let said: unknown = text;
  try {
    const body: unknown = JSON.parse(text);
    said = isRecord(body) ? body.error : "";
  } catch {
    // Text, as old masters send it; a page of a proxy is no message.
    if (/^\s*</.test(text)) said = "";
  }
  return typeof said === "string" ? plainText(said.trim().slice(0, 500)) : "";
}
