/** What a unit is made of. */
export interface UnitOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly system: boolean;
}

/**
 * The text of a systemd unit. The program may lie in a home directory, and the URL is root's file, so
 * the system's unit hardens less than that of deploy/; a user's service can't drop rights that it does
 * not have.
 *
 * @see systemd.service(5), systemd.exec(5)
 */
export function systemdUnit({ name, argv, system }: UnitOptions): string {
  const hardening = `NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
`;
  return `[Unit]
Description=NodePass ${name}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${argv.map(quote).join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
Environment=NODE_ENV=production
${system ? "Environment=NP_STATE_DIR=%S/nodepass\nStateDirectory=nodepass\nStateDirectoryMode=0700\n" : ""}Restart=always
RestartSec=1s
# Wrong usage does not become right by trying again.
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=15s
LimitNOFILE=1048576
UMask=0077
${system ? hardening : "NoNewPrivileges=yes\n"}
[Install]
WantedBy=${system ? "multi-user.target" : "default.target"}
`;
}

/** As systemd reads a word of a command line: %, $ and quotes have meanings of their own. */
function quote(word: string): string {
  if (/^[\w./:@+-]+$/.test(word)) return word;
  const escaped = word
    .replaceAll(/["\\]/g, "\\$&")
    .replaceAll("%", "%%")
    .replaceAll("$", () => "$$");
  return `"${escaped}"`;
}
