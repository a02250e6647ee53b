export type {
  BlockedProtocols,
  ClientSettings,
  EnvironmentSettings,
  HostPort,
  LogLevel,
  MasterSettings,
  ServerSettings,
  Settings,
  TlsMode,
  TunnelSettings,
} from "./settings.ts";
