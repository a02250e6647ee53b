import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Duct } from "./duct.ts";
import { carryTcp, carryUdp, type UdpCarrier } from "./exit-114.ts";
import type { Ledger } from "./ledger.ts";
import { formatRemote, plainAddress } from "./tunnel-secret.ts";

/** What a session lends its entry. */
export interface EntryService {
  readonly ledger: Ledger;
  readonly udpIdleMs: number;
  readonly live: Set<Duct>;
  take(): Promise<Duct | undefined>;
  /** Tells the exit to claim `duct` for this user. */
  announce(action: "tcp" | "udp", remote: string, duct: Duct): void;
}

/** Most users and datagrams that wait for a session, as in a listener's backlog. */
const BACKLOG = 1024;

/**
 * The users' side, TCP and UDP on one port. Users who come before a session serves wait, as they
 * would in the backlog of a listener that nobody accepts from.
 */
export class Entry114 {
  readonly #tcp: Server;
  readonly #udp: UdpSocket;
  readonly #waiting: Socket[] = [];
  readonly #datagrams: Array<readonly [Buffer, RemoteInfo]> = [];
  readonly #sessions = new Map<string, Promise<UdpCarrier | undefined>>();
  #service: EntryService | undefined;

  private constructor(tcp: Server, udp: UdpSocket) {
    this.#tcp = tcp;
    this.#udp = udp;
    tcp.on("connection", (socket: Socket) => this.#accept(socket));
    udp.on("message", (datagram, from) => this.#datagram(datagram, from));
    udp.on("error", () => {
      // An answer to a user who is gone.
    });
  }

  /** Binds both listeners to one port; port 0 lets the system choose it. */
  static async listen(host: string, port: number): Promise<Entry114> {
    for (let attempt = 0; ; attempt++) {
      const tcp = createServer({ allowHalfOpen: true });
      const udp = createSocket(host.includes(":") ? "udp6" : "udp4");
      try {
        tcp.listen(port, host);
        await once(tcp, "listening");
        udp.bind(boundPort(tcp), host);
        await once(udp, "listening");
        return new Entry114(tcp, udp);
      } catch (error) {
        tcp.close();
        udp.close();
        // The UDP port beside the chosen TCP port may be somebody else's.
        if (port !== 0 || attempt >= 20) throw error;
      }
    }
  }

  get port(): number {
    return boundPort(this.#tcp);
  }

  /** Serves those who wait and all who come. */
  serve(service: EntryService): void {
    this.#service = service;
    for (const socket of this.#waiting.splice(0)) {
      if (!socket.destroyed) void this.#serveTcp(new Duct(socket), service);
    }
    for (const [datagram, from] of this.#datagrams.splice(0)) this.#datagram(datagram, from);
  }

  async close(): Promise<void> {
    this.#service = undefined;
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    const closed = [once(this.#tcp, "close"), once(this.#udp, "close")];
    this.#tcp.close();
    this.#udp.close();
    await Promise.all(closed);
  }

  #accept(socket: Socket): void {
    if (this.#service !== undefined) void this.#serveTcp(new Duct(socket), this.#service);
    else if (this.#waiting.length < BACKLOG) {
      socket.on("error", () => {
        // Seen again as a close when the connection is served.
      });
      socket.pause();
      this.#waiting.push(socket);
    } else socket.destroy();
  }

  async #serveTcp(user: Duct, service: EntryService): Promise<void> {
    const { remoteAddress, remotePort } = user.socket;
    const duct = await service.take();
    const over = this.#service !== service;
    if (over || duct === undefined || remoteAddress === undefined || remotePort === undefined) {
      user.destroy();
      duct?.destroy();
      return;
    }
    service.announce("tcp", formatRemote(plainAddress(remoteAddress), remotePort), duct);
    carryTcp(user, duct, service.ledger, service.live);
  }

  #datagram(datagram: Buffer, from: RemoteInfo): void {
    const service = this.#service;
    if (service === undefined) {
      if (this.#datagrams.length < BACKLOG) this.#datagrams.push([datagram, from]);
      return;
    }
    const remote = formatRemote(plainAddress(from.address), from.port);
    let session = this.#sessions.get(remote);
    if (session === undefined) {
      session = this.#openUdp(remote, from, service);
      this.#sessions.set(remote, session);
    }
    void session.then((carrier) => carrier?.send(datagram));
  }

  async #openUdp(
    remote: string,
    from: RemoteInfo,
    service: EntryService,
  ): Promise<UdpCarrier | undefined> {
    const duct = await service.take();
    if (duct === undefined || this.#service !== service) {
      this.#sessions.delete(remote);
      duct?.destroy();
      return undefined;
    }
    service.announce("udp", remote, duct);
    return carryUdp(
      duct,
      service,
      (answer) => {
        if (this.#service === service) this.#udp.send(answer, from.port, from.address);
      },
      () => this.#sessions.delete(remote),
    );
  }
}

function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
