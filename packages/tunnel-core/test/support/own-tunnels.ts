import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { openTunnel, type Tunnel, type TunnelOptions } from "@nodepass/tunnel-core";

/** Tunnels, an echoing target and users on a loopback address of a test file's own. */
export class OwnTunnels {
  readonly #host: string;
  readonly #opened: Tunnel[] = [];
  readonly #users: Socket[] = [];
  #echo: Server | undefined;

  /** @param host nobody listens at its port 1 */
  constructor(host: string) {
    this.#host = host;
  }

  /** Starts the target: for `beforeEach`. @returns where it is, `host:port` */
  async start(): Promise<string> {
    const echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    }).listen(0, this.#host);
    await once(echo, "listening");
    this.#echo = echo;
    return `${this.#host}:${(echo.address() as AddressInfo).port}`;
  }

  /** Ends everything: for `afterEach`. */
  async stop(): Promise<void> {
    for (const user of this.#users.splice(0)) user.destroy();
    for (const tunnel of this.#opened.splice(0).reverse()) await tunnel.close({ timeoutMs: 0 });
    this.#echo?.close();
  }

  /** Opens an end whose users wait 50 ms for a pool connection at most. */
  async open(url: string, options: TunnelOptions = {}): Promise<Tunnel> {
    const tunnel = await openTunnel(url, { limits: { poolGetTimeoutMs: 50 }, ...options });
    this.#opened.push(tunnel);
    return tunnel;
  }

  /** A user who may be refused before he knows that he is connected. */
  knock(tunnel: Tunnel): Socket {
    const user = connect({ host: this.#host, port: tunnel.entryAddress?.port ?? 0 });
    user.on("error", () => {});
    this.#users.push(user);
    return user;
  }
}
