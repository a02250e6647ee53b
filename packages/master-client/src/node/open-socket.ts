import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { MasterClientError } from "../client-error.ts";
import { unreachable } from "../connection-error.ts";
import type { Trust } from "./trust.ts";

/** After this long without traffic the system asks whether the other end still lives, ms. */
const keepAliveDelayMs = 15_000;

/**
 * Connects to `origin`, and checks its certificate before a byte is sent: the first of them would
 * be the key.
 *
 * @throws {MasterClientError} `UNREACHABLE`, if the certificate is not good; else what Node throws
 */
export async function openSocket(
  origin: string,
  trust: Trust,
  signal: AbortSignal,
): Promise<Socket> {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket =
    protocol === "https:"
      ? connectTls({
          host,
          port: Number(port || 443),
          // Checked below, where the certificate can be shown.
          rejectUnauthorized: false,
          ...(isIP(host) === 0 ? { servername: host } : {}),
        })
      : connect({ host, port: Number(port || 80) });
  try {
    await once(socket, protocol === "https:" ? "secureConnect" : "connect", { signal });
    if (socket instanceof TLSSocket) checkCertificate(origin, socket, trust);
    socket.setKeepAlive(true, keepAliveDelayMs);
    return socket;
  } catch (error) {
    // Whatever comes after the first failure is of no interest.
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

function checkCertificate(origin: string, socket: TLSSocket, trust: Trust): void {
  if (trust.kind === "any") return;
  const { fingerprint256: fingerprint = "none" } = socket.getPeerCertificate();
  if (trust.kind === "pin") {
    if (fingerprint === trust.fingerprint) return;
    throw unreachable(origin, "its certificate is not the pinned one", [
      `pinned: ${trust.fingerprint}`,
      `shown:  ${fingerprint}`,
      "A master prints the fingerprint of its certificate when it starts.",
    ]);
  }
  if (!socket.authorized) throw untrusted(origin, String(socket.authorizationError), fingerprint);
}

function untrusted(origin: string, fault: string, fingerprint: string): MasterClientError {
  return unreachable(origin, `its certificate is not trusted (${fault})`, [
    "Masters with tls=1 have a certificate of their own making; ours keep it, and print it.",
    `SHA-256: ${fingerprint}`,
    "If that is the master's, --pin <fingerprint> trusts it and no other; --insecure trusts any,",
    "and so anybody on the way. A certificate authority: NODE_EXTRA_CA_CERTS=file.pem",
  ]);
}
