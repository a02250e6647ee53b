export { type Certificate, makeCertificate } from "./certificate.ts";
export type { Target } from "./exit-114.ts";
export type { PeerCounters, PeerTimings } from "./ledger.ts";
export { Peer114Client, type Peer114ClientOptions } from "./peer-client.ts";
export { type PeerEvents, PeerNode } from "./peer-node.ts";
export { Peer114Server, type Peer114ServerOptions } from "./peer-server.ts";
export type { QuicStack } from "./quic-114.ts";
export type { ReplayDriver, ReplayResult } from "./replay.ts";
export { type ReplayClientOptions, replayClient } from "./replay-client.ts";
export { type ReplayServer, replayServer } from "./replay-server.ts";
export { replayUsers } from "./replay-user.ts";
export type { Tls } from "./session-114.ts";
export type { Signal } from "./signal-codec.ts";
export {
  answerOnce,
  exchangeTcp,
  openUdpUser,
  startTarget,
  type TestTarget,
  type TestTargetOptions,
  transfer,
  type UdpUser,
} from "./traffic.ts";
export type { PeerSocket } from "./websocket-114.ts";
