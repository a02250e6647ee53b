import { handshakeAnswer, header, plainRefusal, type RequestHead } from "./http-head.ts";
import type { Ledger } from "./ledger.ts";
import { bearerToken } from "./tunnel-secret.ts";

export interface HandshakeTerms {
  readonly key: string;
  /** What `Host` has to say: `none` where the client knows an address only. */
  readonly serverName: string;
  readonly flow: "-" | "+";
  readonly max: number;
  readonly tls: 0 | 1 | 2;
  readonly type: 0 | 1 | 2 | 3;
}

/** The server's verdict on a request: the bytes to answer with, and whether it let the client in. */
export interface Verdict {
  readonly answer: string;
  readonly accepted: boolean;
}

/**
 * Answers a handshake request as a 1.14 server does, and notes what a 1.14 client would not send.
 * A request that offers `NodePass-Version` without a token is no violation: nodes of this project
 * ask so first, and learn from the plain 401 whom they talk to.
 */
export function judgeHandshake(
  request: RequestHead,
  terms: HandshakeTerms,
  ledger: Ledger,
): Verdict {
  const refuse = (status: number, reason: string): Verdict => ({
    answer: plainRefusal(status, reason),
    accepted: false,
  });
  const { headers } = request;
  if (request.version !== "HTTP/1.1") ledger.violation(`handshake in ${request.version}`);
  const host = header(headers, "host");
  if (host !== terms.serverName) {
    ledger.violation(`handshake Host ${JSON.stringify(host)} where ${terms.serverName} is due`);
  }
  for (const name of ["content-length", "transfer-encoding", "upgrade", "expect"]) {
    const value = header(headers, name);
    if (value !== undefined && !(name === "content-length" && value === "0")) {
      ledger.violation(`handshake with ${name}: ${value}`);
    }
  }
  if (request.target !== "/") {
    ledger.violation(`handshake path ${request.target}`);
    return refuse(404, "Not Found");
  }
  if (request.method !== "GET") {
    ledger.violation(`handshake method ${request.method}`);
    return refuse(405, "Method Not Allowed");
  }
  const authorization = header(headers, "authorization");
  const extensions = headers.map(([name]) => name).filter((name) => name.startsWith("nodepass-"));
  if (authorization === undefined) {
    if (extensions.includes("nodepass-version")) ledger.counters.unauthorizedRequests++;
    else ledger.violation("handshake without Authorization");
    return refuse(401, "Unauthorized");
  }
  if (authorization !== `Bearer ${bearerToken(terms.key)}`) {
    ledger.violation("handshake with a wrong Authorization");
    return refuse(401, "Unauthorized");
  }
  if (extensions.length > 0) ledger.violation(`handshake of 1.14 with ${extensions.join(", ")}`);
  return { answer: handshakeAnswer(terms.flow, terms.max, terms.tls, terms.type), accepted: true };
}
