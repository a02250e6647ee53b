/** What `fleet init` is asked for, checked. */
export interface FleetPlan {
  readonly name: string;
  /** Where members and people reach the fleet: one name, or one of each server. */
  readonly hosts: readonly string[];
  /** nats-servers, and hubs: 1 or 3. */
  readonly servers: number;
  /** Address that everything listens on; `host`: that of the machine's own name in `hosts`. */
  readonly listen: string;
  readonly ports: FleetPorts;
  readonly tls: boolean;
  /** Host names `{mid}.<suffix>` lead to members; empty: none. */
  readonly gateway: string;
  /** User and group that own the files, `uid:gid`; empty where there is no such thing. */
  readonly user: string;
  /** Of this program: the tag of its image. */
  readonly version: string;
}

export interface FleetPorts {
  /** The hubs' API. */
  readonly hub: number;
  /** The engine, for members and hubs. */
  readonly engine: number;
  /** The same as WebSocket, for networks that let nothing but HTTPS out. */
  readonly websocket: number;
  /** Between the engine's servers. */
  readonly cluster: number;
  /** The servers' own pages, on this machine only; nothing of ours reads them. 0: none. */
  readonly monitor: number;
}

/** One file of the fleet's folder. */
export interface PlannedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The version of the engine that the files name: the one that is tried. */
export const ENGINE_VERSION = "2.15.2";

/** Each server has a machine of its own: as many names as servers. */
export function isSpread({ hosts, servers }: FleetPlan): boolean {
  return servers > 1 && hosts.length === servers;
}

/** Names of the servers, in their configurations, of pods and of compose's services. */
export function serverNames({ servers }: FleetPlan): string[] {
  return Array.from({ length: servers }, (_unused, at) => `nats-${at}`);
}

/** Where servers and hubs reach each server: its machine, or its name in a network of their own. */
export function innerHosts(plan: FleetPlan): string[] {
  if (isSpread(plan)) return [...plan.hosts];
  // The pod's name below its headless Service; compose has it as an alias.
  return plan.servers === 1 ? [...plan.hosts] : serverNames(plan).map((name) => `${name}.nats`);
}

/** Where the server, or hub, of this number listens. */
export function listenAddress({ listen, hosts }: FleetPlan, index: number): string {
  return listen === "host" ? (hosts[index] ?? hosts[0] ?? "") : listen;
}

/** `host:port`, an IPv6 address in brackets. */
export function at(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** URLs that a fleet's secrets name. */
export function fleetUrls(plan: FleetPlan): {
  readonly servers: string[];
  readonly memberServers: string[];
  readonly hubs: string[];
} {
  const { hosts, ports, tls } = plan;
  const [engine, websocket, web] = tls ? ["tls", "wss", "https"] : ["nats", "ws", "http"];
  return {
    servers: innerHosts(plan).map((host) => `${engine}://${at(host, ports.engine)}`),
    memberServers: [
      ...hosts.map((host) => `${engine}://${at(host, ports.engine)}`),
      ...hosts.map((host) => `${websocket}://${at(host, ports.websocket)}`),
    ],
    hubs: hosts.map((host) => `${web}://${at(host, ports.hub)}/api`),
  };
}
