import { rootCertificates } from "node:tls";
import type { CarrierTls } from "@nodepass/tunnel-core";
import type { Quiche, QuicheConfig } from "./quiche.ts";

/** Of NodePass 1.14. */
const PROTOCOL = "np-quic";
/** Silent ping intervals after which a connection is lost, as in NodePass 1.14. */
const IDLE_PINGS = 3;
/** Streams that a client may have open: idle ones, and those of users. */
const MAX_STREAMS = 100_000;
/** What may be on the way to a reader that reads nothing, one stream and all together, bytes. */
const STREAM_WINDOW = 1024 * 1024;
const CONNECTION_WINDOW = 16 * 1024 * 1024;

/** A client's settings. */
export function clientConfig(quiche: Quiche, tls: CarrierTls, pingMs: number): QuicheConfig {
  const verified = tls.mode === 2;
  const ca = verified ? Buffer.from((tls.ca ?? rootCertificates).join("\n")) : null;
  return apply(quiche, quiche.Config.withBoringSslCtx(verified, false, ca, null, null), pingMs);
}

/** A server's settings. @param pem its certificate with its chain, and the key */
export function serverConfig(
  quiche: Quiche,
  pem: { readonly cert: string; readonly key: string },
  pingMs: number,
): QuicheConfig {
  const config = quiche.Config.withBoringSslCtx(
    false,
    false,
    null,
    [Buffer.from(pem.key)],
    [Buffer.from(pem.cert)],
  );
  return apply(quiche, config, pingMs);
}

function apply(quiche: Quiche, config: QuicheConfig, pingMs: number): QuicheConfig {
  config.setApplicationProtos([PROTOCOL]);
  config.setMaxIdleTimeout(pingMs * IDLE_PINGS);
  config.setMaxRecvUdpPayloadSize(quiche.MAX_DATAGRAM_SIZE);
  config.setMaxSendUdpPayloadSize(quiche.MAX_DATAGRAM_SIZE);
  config.setInitialMaxData(CONNECTION_WINDOW);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW);
  config.setInitialMaxStreamsBidi(MAX_STREAMS);
  config.setMaxStreamWindow(STREAM_WINDOW);
  config.setMaxConnectionWindow(CONNECTION_WINDOW);
  config.setDisableActiveMigration(true);
  config.enablePacing(false);
  return config;
}
