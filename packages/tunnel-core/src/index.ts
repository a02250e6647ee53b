export { TunnelError, type TunnelErrorCode } from "./errors.ts";
export { openTunnel } from "./open-tunnel.ts";
export { RelayBuffers } from "./streams/relay-buffers.ts";
export type {
  CheckPoint,
  LogFields,
  LogRecord,
  Tunnel,
  TunnelCounters,
  TunnelEvents,
  TunnelOptions,
  TunnelState,
} from "./tunnel.ts";
