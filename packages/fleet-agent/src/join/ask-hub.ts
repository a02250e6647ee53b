import {
  type JoinRequest,
  type SealedJoinAnswer,
  SealedJoinAnswerSchema,
} from "@nodepass/fleet-protocol";
import { createNodeFetch, parseFingerprint, type Trust } from "@nodepass/master-client/node";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** Longest wait for a hub's answer, ms. */
const ANSWER_LIMIT_MS = 30_000;
const MAX_ANSWER_BYTES = 131_072;

/** A hub, as a join token or an earlier answer names it. */
export interface HubAddress {
  /** Of its API with prefix. */
  readonly url: string;
  /** Fingerprint of its certificate; empty: the system decides. */
  readonly pin: string;
}

/**
 * Sends `POST <url>/v1/fleet/join`.
 *
 * @throws {FleetAgentError} `UNREACHABLE` if no hub answers there; `JOIN_REFUSED` with its reason
 */
export async function askHub(
  { url, pin }: HubAddress,
  request: JoinRequest,
  signal: AbortSignal | undefined,
): Promise<SealedJoinAnswer> {
  const trust: Trust =
    pin === "" ? { kind: "system" } : { kind: "pin", fingerprint: parseFingerprint(pin) };
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const both = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  let status: number;
  let text: string;
  try {
    const answer = await createNodeFetch(trust)(`${url.replace(/\/+$/, "")}/v1/fleet/join`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(request),
      signal: both,
      redirect: "manual",
      credentials: "omit",
      cache: "no-store",
    });
    status = answer.status;
    text = await readText(answer);
  } catch (error) {
    if (error instanceof FleetAgentError) throw error;
    const reason = limit.aborted
      ? `no answer within ${ANSWER_LIMIT_MS / 1000} s`
      : error instanceof Error
        ? error.message
        : String(error);
    throw new FleetAgentError("UNREACHABLE", `the hub at ${url} can't be asked: ${reason}`, {
      cause: error,
    });
  }
  const json = parse(text);
  if (status !== 200) {
    const said = typeof json === "object" && json !== null ? Reflect.get(json, "error") : undefined;
    const reason = typeof said === "string" ? said.slice(0, 300) : `status ${status}`;
    const code = status >= 500 ? "UNREACHABLE" : "JOIN_REFUSED";
    throw new FleetAgentError(code, `the hub at ${url} refuses: ${reason}`);
  }
  const read = SealedJoinAnswerSchema.safeParse(json);
  if (read.success) return read.data;
  throw new FleetAgentError("UNREACHABLE", `what answers at ${url} is no hub`);
}

async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES)
      throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
