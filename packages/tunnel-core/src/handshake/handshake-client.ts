import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TlsMode } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { Agent, request as httpRequest } from "../node-http.ts";
import { connectSocket } from "../proxy/connect-socket.ts";
import type { Route } from "../proxy/route.ts";
import {
  type HandshakeAnswer,
  MAX_ANSWER_CHARS,
  parseHandshakeAnswer,
} from "../wire/handshake-answer.ts";
import {
  clientProof,
  keyId,
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
  parseSalt,
  proofHeaders,
} from "../wire/proof-headers.ts";
import { type ProvedAnswer, parseProvedAnswer } from "../wire/proved-answer.ts";

/** The port on which the handshake itself goes over TLS (NodePass 1.14). */
export const HTTPS_PORT = 443;

export interface HandshakeClientOptions {
  /** IP address of the server; through a proxy its host as it is given. */
  readonly address: string;
  readonly port: number;
  /** How it is reached. @default directly */
  readonly route?: Route | undefined;
  /** HTTP path, begins with `/`. @default "/" */
  readonly path?: string | undefined;
  /** TLS that ends in front of the server, see `ClientSettings.front`. @default 0 */
  readonly front?: TlsMode | undefined;
  /** PEM certificates of authorities, with `front` 2. @default Node's */
  readonly ca?: readonly string[] | undefined;
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
  readonly headers: IncomingMessage["headers"];
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
  // Both requests on one connection: the challenge may be good on it alone. With TLS on port 443 the
  // proofs say who the server is, so any certificate will do for them.
  const agent = agentFor(options, options.front === 2, signal);
  try {
    const clientNonce = newNonce();
    const opening = await get(options, agent, openingHeaders(clientNonce), signal);
    const serverNonce = opening.status === 401 ? parseChallenge(opening.challenge) : undefined;
    if (serverNonce !== undefined) {
      const salt = parseSalt(opening.headers);
      return await prove(options, agent, { clientNonce, serverNonce, salt }, signal);
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

interface ReceivedChallenge {
  readonly clientNonce: Buffer;
  readonly serverNonce: Buffer;
  /** Several tunnels are on the port: the client says which it means. */
  readonly salt: Buffer | undefined;
}

async function prove(
  options: HandshakeClientOptions,
  agent: HttpAgent,
  challenge: ReceivedChallenge,
  signal: AbortSignal,
): Promise<HandshakeResult> {
  const { keys, client, extensions } = options;
  const { clientNonce, serverNonce, salt } = challenge;
  const asked = { host: hostOf(options), path: pathOf(options) };
  const said = { method: "GET", ...asked, clientNonce, serverNonce, client, extensions };
  const proof = clientProof(keys, said);
  const headers = proofHeaders({
    clientNonce,
    client,
    extensions,
    proof,
    asked,
    keyId: salt && keyId(keys, salt),
  });
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
  const agent = agentFor(options, options.front !== 1, signal);
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

function hostOf({ serverName }: HandshakeClientOptions): string {
  return serverName ?? "none";
}

function pathOf({ path }: HandshakeClientOptions): string {
  return path ?? "/";
}

type HttpAgent = InstanceType<typeof Agent>;

/** An agent whose one connection goes the way of the options. @param verified TLS with chain and name */
function agentFor(
  options: HandshakeClientOptions,
  verified: boolean,
  signal: AbortSignal,
): HttpAgent {
  const { address, port, serverName, front = 0, ca } = options;
  const route = options.route ?? { address, port, proxy: undefined };
  const secure = port === HTTPS_PORT || front !== 0;
  const tls = secure ? { verified, serverName, address, ca } : undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return Object.assign(agent, {
    createConnection: (
      _options: unknown,
      created: (error: Error | null, socket?: Duplex) => void,
    ) => {
      connectSocket({ route, tls, signal }).then(
        (socket) => created(null, socket),
        (error: unknown) => created(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
}

function get(
  options: HandshakeClientOptions,
  agent: HttpAgent,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Reply> {
  const { address, port } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: address,
        port,
        agent,
        signal,
        path: pathOf(options),
        headers: {
          Host: hostOf(options),
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
    headers: response.headers,
    body,
  };
}
