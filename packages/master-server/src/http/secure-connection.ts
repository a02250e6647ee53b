import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateSource } from "@nodepass/tunnel-core";

/** How a connection gets TLS. */
export interface SecureConnectionOptions {
  readonly certificate: CertificateSource;
  /** Longest handshake, ms. */
  readonly handshakeTimeoutMs: number;
}

/**
 * Shakes hands on an accepted connection, with the certificate in force at this moment, and passes
 * it on; one that fails or takes too long is closed.
 *
 * Node's own HTTPS server asks for a certificate only when the client sends a server name, and
 * clients that dial an address send none.
 */
export function secureConnection(
  socket: Socket,
  { certificate, handshakeTimeoutMs }: SecureConnectionOptions,
  onSecured: (secured: TLSSocket) => void,
): void {
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: certificate.current().context,
    ALPNProtocols: ["http/1.1"],
  });
  const timer = setTimeout(() => socket.destroy(), handshakeTimeoutMs);
  const onClose = () => clearTimeout(timer);
  // A handshake that fails is the client's to report.
  const onError = () => socket.destroy();
  secured.on("error", onError);
  secured.once("close", onClose);
  secured.once("secure", () => {
    clearTimeout(timer);
    secured.off("close", onClose);
    onSecured(secured);
    // From here on the HTTP server has a handler of its own.
    secured.off("error", onError);
  });
}
