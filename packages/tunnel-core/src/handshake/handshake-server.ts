import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Offences } from "../access/bans.ts";
import { TunnelError } from "../errors.ts";
import { createServer } from "../node-http.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatHandshakeAnswer } from "../wire/handshake-answer.ts";
import { hasToken, pathOf } from "../wire/http-head.ts";
import { serverProof } from "../wire/proof.ts";
import {
  ANSWER_PROOF_HEADER,
  challengeHeaders,
  formatAnswerProof,
  type HandshakeRequest,
  type ProofHeaders,
  parseHandshakeRequest,
} from "../wire/proof-headers.ts";
import { formatProvedAnswer } from "../wire/proved-answer.ts";
import { type Challenges, ConnectionChallenges, ProxiedChallenges } from "./challenges.ts";
import type { KeyHolder, KeyRing } from "./key-ring.ts";

/** Largest request head, bytes. */
export const MAX_HEADER_BYTES = 8 * 1024;

/** When a wrong proof is answered, ms after it came: longer than it takes to try a thousand keys. */
const REFUSAL_MS = 10;

export interface HandshakeServerOptions {
  readonly context: Pick<TunnelContext, "logLimited" | "limits"> & Offences;
  /** The tunnels on this port. */
  readonly ring: KeyRing;
  /** HTTP path, begins with `/`. @default "/" */
  readonly path?: string | undefined;
  /**
   * The two requests of a handshake may come on different connections: a reverse proxy stands in
   * front. @default false
   */
  readonly proxied?: boolean | undefined;
}

/** The HTTP side of the handshake (docs/protocol.md, "Handshake"). */
export class HandshakeServer {
  readonly #options: HandshakeServerOptions;
  readonly #path: string;
  readonly #challenges: Challenges;
  readonly #http = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 0, requireHostHeader: false },
    (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.context.logLimited("error", "handshake failed", { error: message });
        request.socket.destroy();
      });
    },
  );

  constructor(options: HandshakeServerOptions) {
    this.#options = options;
    this.#path = options.path ?? "/";
    this.#challenges =
      options.proxied === true
        ? new ProxiedChallenges(options.context.limits.handshakeTimeoutMs)
        : new ConnectionChallenges();
    this.#http.on("clientError", (error, socket) => {
      options.context.logLimited("warn", "bad handshake request", { error: error.message });
      socket.destroy();
    });
  }

  /** Forgets the challenges that nobody has answered. */
  close(): void {
    this.#challenges.close();
  }

  /** Serves the requests of a connection whose first bytes are an HTTP request. */
  serve(connection: Duplex): void {
    this.#http.emit("connection", connection);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const address = request.socket.remoteAddress ?? "";
    if (request.method !== "GET") return refuse(response, 405, "Method Not Allowed");
    if (pathOf(request.url ?? "") !== this.#path)
      return refuse(response, 404, "404 page not found");
    let asked: HandshakeRequest;
    try {
      asked = parseHandshakeRequest(request.headers);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      this.#warn("handshake refused: not understood", address, error.message);
      return refuse(response, 400, error.message);
    }
    switch (asked.kind) {
      case "plain":
        return refuse(response, 401, "Unauthorized");
      case "opening":
        return this.#challenge(request, response, asked.clientNonce);
      case "token":
        return this.#token(request, response, asked.token);
      case "proof":
        return this.#proof(request, response, asked);
    }
  }

  /** Another client has the tunnel; that is logged where it is found out. */
  #conflict(response: ServerResponse, answer: string, { context }: KeyHolder): void {
    context.counters.handshakesRefused++;
    refuse(response, 409, answer);
  }

  /**
   * Whether one from this address may come to the tunnel whose key it has: at a port of several it
   * may have been let in for another one. Who may not is answered as if the key were wrong, so that
   * nobody can go on guessing keys who is banned for it.
   */
  #admits({ context }: KeyHolder, address: string): boolean {
    if (context.peerGate?.admits(address) !== false) return true;
    context.counters.handshakesRefused++;
    return false;
  }

  #warn(message: string, address: string, reason?: string): void {
    const holder = this.#options.ring.oldest;
    if (holder !== undefined) holder.context.counters.handshakesRefused++;
    this.#options.context.logLimited("warn", message, {
      address,
      ...(reason !== undefined && { reason }),
    });
  }

  #challenge(request: IncomingMessage, response: ServerResponse, clientNonce: Buffer): void {
    const { serverNonce } = this.#challenges.make(request.socket, clientNonce);
    const body = "Unauthorized\n";
    const { connection = "" } = request.headers;
    const closes = request.httpVersion === "1.0" || hasToken(connection, "close");
    response.writeHead(401, {
      ...challengeHeaders(serverNonce, this.#options.ring.salt),
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": String(body.length),
      Connection: closes ? "close" : "keep-alive",
    });
    response.end(body);
  }

  async #token(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    const startedAt = performance.now();
    const { ring } = this.#options;
    const holder = ring.byToken(token);
    if (holder === undefined) {
      const why = ring.takesTokens
        ? "handshake refused: wrong token"
        : "handshake of a NodePass 1.14 client refused: compat=0";
      this.#warn(why, address);
      this.#options.context.offended(address, "proof");
      return refuse(response, 401, "Unauthorized");
    }
    if (!this.#admits(holder, address)) return refuse(response, 401, "Unauthorized");
    const answer = await holder.admit({ address, proved: undefined });
    if (typeof answer === "string") return this.#conflict(response, answer, holder);
    holder.context.latencies.handshake.observe(performance.now() - startedAt);
    send(response, formatHandshakeAnswer(answer), {});
  }

  async #proof(
    request: IncomingMessage,
    response: ServerResponse,
    asked: ProofHeaders,
  ): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    const challenge = this.#challenges.take(request.socket, asked.clientNonce);
    if (challenge === undefined) {
      this.#warn("handshake refused: the proof answers no challenge of this connection", address);
      this.#options.context.offended(address, "proof");
      return refuse(response, 401, "Unauthorized");
    }
    const host = asked.asked?.host ?? request.headers.host ?? "";
    const said = {
      method: "GET",
      path: asked.asked?.path ?? pathOf(request.url ?? ""),
      host,
      clientNonce: challenge.clientNonce,
      serverNonce: challenge.serverNonce,
      client: asked.client,
      extensions: asked.extensions,
    };
    const startedAt = performance.now();
    const holder = this.#options.ring.byProof(said, asked.proof, asked.keyId);
    if (holder === undefined || !this.#admits(holder, address)) {
      // In one time for every number of tunnels, whose keys have all been tried where no id came.
      await sleep(Math.max(0, REFUSAL_MS - (performance.now() - startedAt)));
      if (holder === undefined) {
        this.#warn("handshake refused: wrong proof (is the key the same on both ends?)", address);
        this.#options.context.offended(address, "proof");
      }
      return refuse(response, 401, "Unauthorized");
    }
    const answer = await holder.admit({
      address,
      proved: {
        client: asked.client.toString("hex"),
        clientNonce: challenge.clientNonce,
        serverNonce: challenge.serverNonce,
        offered: asked.extensions,
        host,
      },
    });
    if (typeof answer === "string") return this.#conflict(response, answer, holder);
    if (!("session" in answer)) throw new TunnelError("HANDSHAKE_INVALID", "answer is not proved");
    const body = formatProvedAnswer(answer);
    const proof = serverProof(holder.keys, { ...challenge, body });
    holder.context.latencies.handshake.observe(performance.now() - challenge.madeAt);
    send(response, body, { [ANSWER_PROOF_HEADER]: formatAnswerProof(proof) });
  }
}

function send(response: ServerResponse, body: string, headers: Record<string, string>): void {
  response.writeHead(200, {
    Connection: "close",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Content-Type-Options": "nosniff",
  });
  response.end(body);
}
