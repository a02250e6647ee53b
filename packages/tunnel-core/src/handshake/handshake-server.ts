import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { TunnelError } from "../errors.ts";
import { createServer } from "../node-http.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { formatHandshakeAnswer, type HandshakeAnswer } from "../wire/handshake-answer.ts";
import { hasToken, pathOf } from "../wire/http-head.ts";
import { clientProof, type ProofKeys, serverProof, verifyProof } from "../wire/proof.ts";
import {
  ANSWER_PROOF_HEADER,
  formatAnswerProof,
  formatChallenge,
  type HandshakeRequest,
  type ProofHeaders,
  parseHandshakeRequest,
} from "../wire/proof-headers.ts";
import { formatProvedAnswer, type ProvedAnswer } from "../wire/proved-answer.ts";
import { type Challenges, ConnectionChallenges, ProxiedChallenges } from "./challenges.ts";

/** Largest request head, bytes. */
export const MAX_HEADER_BYTES = 8 * 1024;

/** A client that may have the tunnel, unless it is busy. */
export interface Applicant {
  readonly address: string;
  /** What a proved client brought; `undefined` for a 1.14 client. */
  readonly proved:
    | {
        readonly client: string;
        readonly clientNonce: Buffer;
        readonly serverNonce: Buffer;
        readonly offered: readonly string[];
      }
    | undefined;
}

export interface HandshakeServerOptions {
  readonly context: TunnelContext;
  readonly keys: ProofKeys;
  /** Bearer token of 1.14 clients; `undefined` refuses them. */
  readonly token: string | undefined;
  /** HTTP path, begins with `/`. @default "/" */
  readonly path?: string | undefined;
  /**
   * The two requests of a handshake may come on different connections: a reverse proxy stands in
   * front. @default false
   */
  readonly proxied?: boolean | undefined;
  /**
   * Begins a session.
   *
   * @returns the answer, or why the client can't have the tunnel now
   */
  admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string>;
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
  #conflict(response: ServerResponse, answer: string): void {
    this.#options.context.counters.handshakesRefused++;
    refuse(response, 409, answer);
  }

  #took(startedAt: number): void {
    this.#options.context.latencies.handshake.observe(performance.now() - startedAt);
  }

  #warn(message: string, address: string, reason?: string): void {
    this.#options.context.counters.handshakesRefused++;
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
      "WWW-Authenticate": formatChallenge(serverNonce),
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": String(body.length),
      Connection: closes ? "close" : "keep-alive",
    });
    response.end(body);
  }

  async #token(request: IncomingMessage, response: ServerResponse, token: string): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    const expected = this.#options.token;
    if (expected === undefined) {
      this.#warn("handshake of a NodePass 1.14 client refused: compat=0", address);
      return refuse(response, 401, "Unauthorized");
    }
    const startedAt = performance.now();
    const a = Buffer.from(expected);
    const b = Buffer.from(token);
    if (a.length !== b.length || !timingSafeEqual(a, b)) {
      this.#warn("handshake refused: wrong token", address);
      this.#options.context.peerGate?.offended(address, "proof");
      return refuse(response, 401, "Unauthorized");
    }
    const answer = await this.#options.admit({ address, proved: undefined });
    if (typeof answer === "string") return this.#conflict(response, answer);
    this.#took(startedAt);
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
      this.#options.context.peerGate?.offended(address, "proof");
      return refuse(response, 401, "Unauthorized");
    }
    const { keys } = this.#options;
    const expected = clientProof(keys, {
      method: "GET",
      path: asked.asked?.path ?? pathOf(request.url ?? ""),
      host: asked.asked?.host ?? request.headers.host ?? "",
      clientNonce: challenge.clientNonce,
      serverNonce: challenge.serverNonce,
      client: asked.client,
      extensions: asked.extensions,
    });
    if (!verifyProof(expected, asked.proof)) {
      this.#warn("handshake refused: wrong proof (is the key the same on both ends?)", address);
      this.#options.context.peerGate?.offended(address, "proof");
      return refuse(response, 401, "Unauthorized");
    }
    const answer = await this.#options.admit({
      address,
      proved: {
        client: asked.client.toString("hex"),
        clientNonce: challenge.clientNonce,
        serverNonce: challenge.serverNonce,
        offered: asked.extensions,
      },
    });
    if (typeof answer === "string") return this.#conflict(response, answer);
    if (!("session" in answer)) throw new TunnelError("HANDSHAKE_INVALID", "answer is not proved");
    const body = formatProvedAnswer(answer);
    const proof = serverProof(keys, { ...challenge, body });
    this.#took(challenge.madeAt);
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
