import { rootCertificates } from "node:tls";
import {
  type CarrierTls,
  CONNECTION_WINDOW_BYTES,
  MAX_SHARED_STREAMS,
  STREAM_WINDOW_BYTES,
  UNANSWERED_PINGS,
} from "@nodepass/tunnel-core";
import type { Quiche, QuicheConfig } from "./quiche.ts";

/** Of NodePass 1.14. */
const PROTOCOL = "np-quic";

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
  config.setMaxIdleTimeout(pingMs * UNANSWERED_PINGS);
  config.setMaxRecvUdpPayloadSize(quiche.MAX_DATAGRAM_SIZE);
  config.setMaxSendUdpPayloadSize(quiche.MAX_DATAGRAM_SIZE);
  config.setInitialMaxData(CONNECTION_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiLocal(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW_BYTES);
  config.setInitialMaxStreamsBidi(MAX_SHARED_STREAMS);
  config.setMaxStreamWindow(STREAM_WINDOW_BYTES);
  config.setMaxConnectionWindow(CONNECTION_WINDOW_BYTES);
  config.setDisableActiveMigration(true);
  config.enablePacing(false);
  return config;
}
