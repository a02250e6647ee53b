import type { IncomingMessage, Agent as PlainAgent } from "node:http";
import { request as httpsRequest, Agent as SecureAgent } from "node:https";
import { TunnelError } from "../errors.ts";
import { Agent, request as httpRequest } from "../node-http.ts";
import { KEEP_ALIVE_MS } from "../stream/tcp-stream.ts";
import {
  type HandshakeAnswer,
  MAX_ANSWER_CHARS,
  parseHandshakeAnswer,
} from "../wire/handshake-answer.ts";
import {
  clientProof,
  newNonce,
  type ProofKeys,
  serverProof,
  sessionKey,
  verifyProof,
} from "../wire/proof.ts";
import {
  openingHeaders,
  parseAnswerProof,
  parseChallenge,
  proofHeaders,
} from "../wire/proof-headers.ts";
import { type ProvedAnswer, parseProvedAnswer } from "../wire/proved-answer.ts";

/** The port on which the handshake itself goes over TLS (NodePass 1.14). */
export const HTTPS_PORT = 443;

export interface HandshakeClientOptions {
  readonly address: string;
  readonly port: number;
  /** Server name, for `Host` and TLS; `undefined` when the server is given by address. */
  readonly serverName: string | undefined;
  readonly keys: ProofKeys;
  /** Bearer token for a 1.14 server; `undefined` if one must not be spoken to. */
  readonly token: string | undefined;
  /** This client instance's identity. */
  readonly client: Buffer;
  readonly extensions: readonly string[];
  /** Bounds the whole handshake, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How the server was met. */
export type HandshakeResult =
  | { readonly proved: true; readonly answer: ProvedAnswer; readonly sessionKey: Buffer }
  | { readonly proved: false; readonly answer: HandshakeAnswer };

interface Reply {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly proof: string | undefined;
  readonly body: string;
}

/**
 * Meets the server: by proof if it is a node of this project, by token if it is a 1.14 node and
 * `token` is given.
 *
 * @throws {TunnelError} `HANDSHAKE_TIMEOUT`, `HANDSHAKE_REJECTED`, `HANDSHAKE_INVALID`,
 *   `PEER_UNPROVED`, `PEER_LOST`
 * @see docs/protocol.md, "Handshake"
 */
export async function shakeHands(options: HandshakeClientOptions): Promise<HandshakeResult> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  try {
    return await handshake(options, signal);
  } catch (error) {
    if (error instanceof TunnelError) throw error;
    if (deadline.aborted) {
      throw new TunnelError("HANDSHAKE_TIMEOUT", `no handshake within ${options.timeoutMs} ms`, {
        cause: error,
      });
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new TunnelError("PEER_LOST", `handshake failed: ${message}`, { cause: error });
  }
}

async function handshake(
  options: HandshakeClientOptions,
  signal: AbortSignal,
): Promise<HandshakeResult> {
  const secure = options.port === HTTPS_PORT;
  const oneConnection = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets: 1 };
  // Both requests on one connection: the challenge is good on it alone. With TLS on port 443 the
  // proofs say who the server is, so any certificate will do for them.
  const agent = secure
    ? new SecureAgent({ ...oneConnection, rejectUnauthorized: false })
    : new Agent(oneConnection);
  try {
    const clientNonce = newNonce();
    const opening = await get(options, agent, openingHeaders(clientNonce), signal);
    const serverNonce = opening.status === 401 ? parseChallenge(opening.challenge) : undefined;
    if (serverNonce !== undefined) {
      return await prove(options, agent, clientNonce, serverNonce, signal);
    }
    if (options.token === undefined) {
      throw new TunnelError(
        "PEER_UNPROVED",
        `the server at ${options.address}:${options.port} cannot prove itself (answer ${opening.status})`,
      );
    }
  } finally {
    agent.destroy();
  }
  return { proved: false, answer: await present(options, options.token, signal) };
}

async function prove(
  options: HandshakeClientOptions,
  agent: PlainAgent,
  clientNonce: Buffer,
  serverNonce: Buffer,
  signal: AbortSignal,
): Promise<HandshakeResult> {
  const { keys, client, extensions } = options;
  const host = options.serverName ?? "none";
  const said = { method: "GET", path: "/", host, clientNonce, serverNonce, client, extensions };
  const proof = clientProof(keys, said);
  const headers = proofHeaders({ clientNonce, client, extensions, proof });
  const reply = await get(options, agent, headers, signal);
  if (reply.status !== 200) throw rejected(reply);
  const expected = serverProof(keys, { clientNonce, serverNonce, body: reply.body });
  if (!verifyProof(expected, parseAnswerProof(reply.proof))) {
    throw new TunnelError("PEER_UNPROVED", "the server's answer carries a wrong proof");
  }
  const answer = parseProvedAnswer(reply.body, extensions);
  const sessionId = Buffer.from(answer.session, "hex");
  return {
    proved: true,
    answer,
    sessionKey: sessionKey(keys, { clientNonce, serverNonce, sessionId }),
  };
}

/** The 1.14 handshake: the token in one request. */
async function present(
  options: HandshakeClientOptions,
  token: string,
  signal: AbortSignal,
): Promise<HandshakeAnswer> {
  const secure = options.port === HTTPS_PORT;
  const agent = secure ? new SecureAgent({ maxSockets: 1 }) : new Agent({ maxSockets: 1 });
  try {
    const headers = { Authorization: `Bearer ${token}` };
    const reply = await get(options, agent, headers, signal);
    if (reply.status !== 200) throw rejected(reply);
    return parseHandshakeAnswer(reply.body);
  } finally {
    agent.destroy();
  }
}

function rejected(reply: Reply): TunnelError {
  const text = reply.body
    .trim()
    .slice(0, 200)
    .replaceAll(/[^\x20-\x7e]/g, "?");
  const hint = reply.status === 401 ? " (is the key the same on both ends?)" : "";
  return new TunnelError(
    "HANDSHAKE_REJECTED",
    `the server refused the handshake: ${reply.status} ${text}${hint}`,
  );
}

function get(
  options: HandshakeClientOptions,
  agent: PlainAgent,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Reply> {
  const { address, port, serverName } = options;
  const send = port === HTTPS_PORT ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      {
        host: address,
        port,
        agent,
        signal,
        path: "/",
        ...(serverName !== undefined && { servername: serverName }),
        headers: {
          Host: serverName ?? "none",
          "User-Agent": "Go-http-client/1.1",
          ...headers,
          "Accept-Encoding": "gzip",
        },
      },
      (response) => {
        read(response).then(resolve, reject);
      },
    );
    // As in Go's requests, which carry none: keeping the connection is HTTP/1.1's default.
    request.removeHeader("Connection");
    request.on("error", reject);
    request.end();
  });
}

async function read(response: IncomingMessage): Promise<Reply> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length > MAX_ANSWER_CHARS) {
      response.destroy();
      throw new TunnelError("HANDSHAKE_INVALID", `answer over ${MAX_ANSWER_CHARS} characters`);
    }
  }
  const proof = response.headers["nodepass-proof"];
  return {
    status: response.statusCode ?? 0,
    challenge: response.headers["www-authenticate"],
    proof: typeof proof === "string" ? proof : undefined,
    body,
  };
}
