import { type FleetPlan, isSpread, type PlannedFile, serverNames } from "./plan.ts";

/** Units of one nats-server and one hub of a machine, for a folder that is there under this path. */
export function systemdFiles(plan: FleetPlan, directory: string): PlannedFile[] {
  const names = isSpread(plan) ? serverNames(plan) : ["nats-0"];
  const nats = names.map((name) => ({
    path: `systemd/nodepass-fleet-${name}.service`,
    text: unit({
      description: `Engine of the NodePass fleet ${plan.name} (${name})`,
      start: `/usr/bin/env nats-server -c nats/${name}.conf`,
      directory,
      writable: [`${directory}/data/${name}`],
    }),
  }));
  const hub = {
    path: "systemd/nodepass-fleet-hub.service",
    text: unit({
      description: `Hub of the NodePass fleet ${plan.name}`,
      start: `/usr/bin/env nodepass fleet hub ${argument(directory)}`,
      directory,
      // By fleet rotate the secrets, and every hour an export.
      writable: [`${directory}/exports`],
    }),
  };
  return [...nats, hub];
}

/** `%` begins a specifier of systemd's. @see systemd.unit(5), "Specifiers" */
function plainPath(path: string): string {
  return path.replaceAll("%", "%%");
}

/** One of several, which spaces part. @see systemd.syntax(7), "Quoting" */
function quotedPath(path: string): string {
  const escaped = plainPath(path).replace(/["\\]/g, "\\$&");
  return escaped === path && !/[\s']/.test(path) ? path : `"${escaped}"`;
}

/** Of a command line, where `$` begins a variable. @see systemd.service(5), "Command lines" */
function argument(path: string): string {
  return quotedPath(path).replaceAll("$", "$$$$");
}

interface UnitOptions {
  readonly description: string;
  readonly start: string;
  readonly directory: string;
  readonly writable: readonly string[];
}

function unit({ description, start, directory, writable }: UnitOptions): string {
  return `[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${start}
WorkingDirectory=${plainPath(directory)}
Environment=NODE_ENV=production
# Who owns the folder; it is nobody else's to read.
User=nodepass
Group=nodepass
Restart=always
RestartSec=1s
# Wrong usage does not become right by trying again.
RestartPreventExitStatus=2
TimeoutStopSec=15s
LimitNOFILE=1048576
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${writable.map(quotedPath).join(" ")}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}
