import { McpError } from "../mcp-error.ts";
import { changeSettings, NO_FIELDS } from "../settings/change-settings.ts";

/** What is known of the service. */
export interface ExposeServiceOptions {
  readonly service: string;
  readonly public_port?: string | undefined;
  readonly server?: string | undefined;
}

const TUNNEL_PORT = "10101";
const KEY = "<key>";
const HOST = "<public-host>";
const PORT = "<public-port>";

/**
 * The steps of a reverse pair, with its arguments.
 *
 * @throws {McpError} `INVALID` if the service is no address
 */
export function exposeService({ service, public_port, server }: ExposeServiceOptions): string {
  const [host, port] = readService(service);
  // The same checks as when it is made.
  changeSettings(NO_FIELDS, {
    role: "client",
    tunnel_address: server ?? "",
    tunnel_port: TUNNEL_PORT,
    target_address: host,
    target_port: port,
  });
  if (public_port !== undefined && !/^\d{1,5}$/.test(public_port)) {
    const shown = JSON.stringify(public_port.slice(0, 80));
    throw new McpError("INVALID", `public_port ${shown} is not valid (allowed: 1 to 65535)`);
  }
  const entry = {
    role: "server",
    alias: `expose-${port}-server`,
    password: KEY,
    tunnel_port: TUNNEL_PORT,
    target_port: public_port ?? PORT,
    mode: "1",
    tls: "1",
  };
  const exit = {
    role: "client",
    alias: `expose-${port}-client`,
    password: KEY,
    tunnel_address: server ?? HOST,
    tunnel_port: TUNNEL_PORT,
    target_address: host,
    target_port: port,
    mode: "2",
  };
  return `Make the service at ${host}:${port} reachable for users on ${server ?? "a public machine"}${public_port === undefined ? "" : `, port ${public_port}`}, with a NodePass tunnel. It has two ends with the same key:

1. The server, on the public machine's master. It listens on the tunnel port for the client, and on the public port for users:
   create_instance ${JSON.stringify(entry)}
2. The client, on the master beside the service. It dials the server, so nothing has to be opened there:
   create_instance ${JSON.stringify(exit)}

Before you begin, ask me for what is still in angle brackets above. For ${KEY} make a random secret of 32 characters or more, and do not show it again afterwards. Look at list_instances first: ports that are taken, and a tunnel that does this already. If you reach one of the two masters only, make that end and give me the URL of the other, from get_instance_config of yours.

Then see that it works: both ends have status running and link up (get_instance), and on the client's master tcping_target ${host}:${port} connects. UDP comes along; noudp=1 on both ends leaves it out. Anybody who reaches the public port reaches the service: tell me so.`;
}

function readService(service: string): [host: string, port: string] {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(service.trim());
  if (match === null) {
    const shown = JSON.stringify(service.slice(0, 80));
    throw new McpError("INVALID", `service ${shown} is not valid (allowed: host:port, or a port)`);
  }
  const [, bracketed, plain, port = ""] = match;
  return [bracketed ?? (plain || "127.0.0.1"), port];
}
