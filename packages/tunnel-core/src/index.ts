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
export type { NameLookup, ResolvedAddress } from "./names/name-cache.ts";
export { openTunnel } from "./open-tunnel.ts";
export { RelayBuffers } from "./stream/relay-buffers.ts";
export type {
  CheckPoint,
  ConnectionEvent,
  ConnectionRefusal,
  LogFields,
  LogRecord,
  ReadyOptions,
  TargetState,
  Tunnel,
  TunnelChanges,
  TunnelCounters,
  TunnelEvents,
  TunnelOptions,
  TunnelState,
  TunnelWays,
} from "./tunnel.ts";

export { changeInPlace, changesBetween } from "./tunnels/update-settings.ts";

// Internal to the workspace: not part of the public API, may change at any time.

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
export { SharedDialer } from "./carrier/shared-dialer.ts";
export { connectFirst, type FirstConnection } from "./names/connect-first.ts";
export { NameCache, type NameCacheOptions } from "./names/name-cache.ts";
export { type ByteStream, SHARED, type StreamReader } from "./stream/byte-stream.ts";
export { KEEP_ALIVE_MS } from "./stream/tcp-stream.ts";
export { systemErrorCode, systemErrorMeaning } from "./system-errors.ts";
export {
  type CertificateFilesOptions,
  type CertificateLogger,
  openCertificateFiles,
} from "./tls/certificate-files.ts";
export {
  type CertificateSource,
  type CertificateState,
  certificateFingerprint,
} from "./tls/certificate-source.ts";
export {
  createSelfSignedCertificate,
  type SelfSignedCertificateOptions,
} from "./tls/self-signed.ts";
