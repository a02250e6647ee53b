/** The NodePass API level that masters of ours are compatible with; dashboards compare it. */
export const API_LEVEL = "1.14.0";

/** What `GET /info` answers, but for `ver` and `impl`, which the API adds; names as on the wire. */
export interface MasterInfo {
  /** 16 hexadecimal digits, kept for the life of the state. */
  readonly mid: string;
  readonly alias: string;
  /** `linux`, `darwin`, ... */
  readonly os: string;
  /** As Go names it (`amd64`, `arm64`): dashboards show and compare it. */
  readonly arch: string;
  /** CPU cores. */
  readonly noc: number;
  /** Per cent since the last measurement; -1 unknown. */
  readonly cpu: number;
  /** Bytes; 0 unknown. */
  readonly mem_total: number;
  readonly mem_used: number;
  readonly mem_free: number;
  readonly swap_total: number;
  readonly swap_used: number;
  readonly swap_free: number;
  /** Bytes since boot; 0 unknown. */
  readonly netrx: number;
  readonly nettx: number;
  readonly diskr: number;
  readonly diskw: number;
  /** Seconds since boot. */
  readonly sysup: number;
  /** Host name. */
  readonly name: string;
  /** Seconds since the master started. */
  readonly uptime: number;
  /** Log level of the master. */
  readonly log: string;
  readonly tls: "0" | "1" | "2";
  /** Paths, empty without `tls=2`. */
  readonly crt: string;
  readonly key: string;
}

/** Outcome of one TCP ping; a refused or timed out connection is an outcome, not an exception. */
export interface TcpingResult {
  readonly connected: boolean;
  /** Milliseconds to the connection, names already resolved; 0 when not connected. */
  readonly latencyMs: number;
  /** `null` when connected. */
  readonly error: string | null;
}

/** The master's process, for `/metrics`; what the platform does not tell is left out. */
export interface ProcessMetrics {
  /** Unix time, seconds. */
  readonly startTimeSeconds: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentMemoryBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly openFileDescriptors?: number | undefined;
  readonly maxFileDescriptors?: number | undefined;
  /** Mean delay of the event loop since the last scrape. */
  readonly eventLoopLagSeconds?: number | undefined;
  /** Worker threads that run now, and how often one was replaced after a crash. */
  readonly workers?: number | undefined;
  readonly workerRestarts?: number | undefined;
}
