export {
  AddressLists,
  type AddressListsOptions,
  type AddressPlace,
} from "./access/address-lists.ts";
export type { Ban } from "./access/bans.ts";
export { findCarriers, type MoreCarriers } from "./carrier/more-carriers.ts";
export { EntryPorts } from "./entry/entry-ports.ts";
export type { PortCounters } from "./entry/port-counts.ts";
export { TunnelError, type TunnelErrorCode } from "./errors.ts";
export { LATENCY_BOUNDS_MS, type LatencySnapshot } from "./latencies.ts";
export { TunnelPorts } from "./listener/tunnel-ports.ts";
export type { NameLookup, ResolvedAddress } from "./names/name-cache.ts";
export { openTunnel } from "./open-tunnel.ts";
export type { ProxyEnvironment } from "./proxy/route.ts";
export { RelayBuffers } from "./stream/relay-buffers.ts";
export type {
  CloseOptions,
  ConnectOptions,
  ReadyOptions,
  Tunnel,
  TunnelChanges,
  TunnelOptions,
  TunnelWays,
} from "./tunnel.ts";
export type {
  CheckPoint,
  ConnectionEvent,
  ConnectionRefusal,
  LogFields,
  LogRecord,
  PeerState,
  TargetState,
  Traffic,
  TunnelCounters,
  TunnelEvents,
  TunnelLatencies,
  TunnelState,
} from "./tunnel-reports.ts";
export { changeInPlace, changesBetween } from "./tunnels/update-settings.ts";

// Internal to the workspace: not part of the public API, may change at any time.

export { bindUdpPort } from "./bind-address.ts";
export type {
  Arrival,
  Carrier,
  CarrierDialer,
  CarrierDialTerms,
  CarrierListener,
  CarrierListenTerms,
  CarrierLog,
  CarrierTls,
  CarrierType,
  NewSocket,
  StreamDial,
  StreamWanted,
} from "./carrier/carrier.ts";
export { type CarryingConnection, ProvedConnections } from "./carrier/proved-connections.ts";
export {
  type SharedConnection,
  type SharedConnectionOwner,
  SharedDialer,
} from "./carrier/shared-dialer.ts";
export {
  CONNECTION_WINDOW_BYTES,
  MAX_SHARED_STREAMS,
  STREAM_WINDOW_BYTES,
  UNANSWERED_PINGS,
} from "./carrier/shared-limits.ts";
export { type Newcomer, Newcomers, type NewcomersOptions } from "./listener/newcomers.ts";
export { monotonicMs } from "./monotonic.ts";
export { connectFirst, type FirstConnection } from "./names/connect-first.ts";
export { NameCache, type NameCacheOptions } from "./names/name-cache.ts";
export { type ByteStream, SHARED, type StreamReader } from "./stream/byte-stream.ts";
export { DETACHED_READER } from "./stream/detached-reader.ts";
export { Lingerer } from "./stream/lingerer.ts";
export { KEEP_ALIVE_MS } from "./stream/tcp-stream.ts";
export { connectionReset, systemErrorCode, systemErrorMeaning } from "./system-errors.ts";
export {
  type CertificateWithKey,
  createAuthority,
  type IssueOptions,
  issueCertificate,
} from "./tls/certificate-authority.ts";
export {
  type CertificateFilesOptions,
  type CertificateLogger,
  openCertificateFiles,
} from "./tls/certificate-files.ts";
export { certificateMismatch } from "./tls/certificate-pin.ts";
export type { CertificateSource, CertificateState } from "./tls/certificate-source.ts";
export {
  createSelfSignedCertificate,
  type SelfSignedCertificateOptions,
} from "./tls/self-signed.ts";
export { answerUser } from "./udp/udp-socket.ts";
export { certificateFingerprint } from "./wire/certificate-fingerprint.ts";
