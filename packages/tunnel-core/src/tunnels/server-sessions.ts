import type { ServerSettings } from "@nodepass/url-config";
import type { Exit } from "../conduit/conduit.ts";
import type { Applicant } from "../handshake/key-ring.ts";
import type { SessionDirectory } from "../listener/session-directory.ts";
import { countedExit } from "../peers/counted-exit.ts";
import { PeerLoad } from "../peers/peer-load.ts";
import type { SessionTerms } from "../session/session.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { unmapAddress } from "../wire/endpoint.ts";
import { EXTENSIONS, LANES, negotiateExtensions } from "../wire/extensions.ts";
import type { HandshakeAnswer } from "../wire/handshake-answer.ts";
import { newSessionId, type ProofKeys, sessionKey, signalKey } from "../wire/proof.ts";
import type { ProvedAnswer } from "../wire/proved-answer.ts";
import { ClientLink } from "./client-link.ts";
import { hasPorts, hasSizing, provedWay } from "./proved-way.ts";

/** Whom a server's sessions serve. */
export interface ServerSessionsOwner {
  /** The end that dials the targets, if it is this one. */
  readonly exit: Exit | undefined;
  /** @param again its place has had a session before */
  onReady(link: ClientLink, again: boolean): void;
  onAvailable(): void;
  onEnd(link: ClientLink, reason: string): void;
}

export interface ServerSessionsOptions {
  readonly context: TunnelContext;
  readonly settings: ServerSettings;
  readonly keys: ProofKeys;
  readonly flow: "-" | "+";
  readonly owner: ServerSessionsOwner;
  /** Where the port finds the sessions of all its tunnels. */
  readonly directory: SessionDirectory;
  /** Fingerprint of the certificate that who asks for this name gets; empty without TLS. */
  fingerprintFor(name: string): string;
}

/** The place of one client among those that may be there at once. */
interface Seat {
  readonly number: number;
  /** Who has it, or had it last: a proved client's identity. */
  client: string | undefined;
  load: PeerLoad | undefined;
  link: ClientLink | undefined;
  sessions: number;
}

/** A server's sessions: `clients` at a time, each taken over by the client that comes back. */
export class ServerSessions {
  readonly #options: ServerSessionsOptions;
  readonly #seats: Seat[] = [];
  #admitting: Promise<unknown> = Promise.resolve();

  constructor(options: ServerSessionsOptions) {
    this.#options = options;
  }

  /** Those that have not ended, by their numbers. */
  get links(): ClientLink[] {
    return this.#seats.flatMap(({ link }) => link ?? []);
  }

  /** Begins a session for a client that has shown who it is, one at a time. */
  admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string> {
    const admitted = this.#admitting.then(() => this.#admit(applicant));
    this.#admitting = admitted.catch(() => {});
    return admitted;
  }

  async #admit(applicant: Applicant): Promise<HandshakeAnswer | ProvedAnswer | string> {
    const { context, directory } = this.#options;
    const { proved, address } = applicant;
    const own = proved && this.#seats.find(({ client }) => client === proved.client);
    own?.link?.end(`taken over by ${address}`);
    // Its connections will say nothing but their address, whichever tunnel of the port they are for.
    const rival = proved === undefined ? directory.at(address) : undefined;
    if (rival !== undefined) {
      if (await rival.isAlive()) {
        context.logLimited("warn", "handshake refused: another client has the tunnel", { address });
        return "another client has the tunnel";
      }
      rival.end(`taken over by ${address}`);
    }
    const seat = this.#seatFor(own) ?? (await this.#seatOfDead(applicant));
    if (typeof seat === "string") return seat;
    seat.client = proved?.client;
    return proved === undefined
      ? this.#begin114(seat, applicant)
      : this.#beginProved(seat, applicant, proved);
  }

  /** A free place: the one it had, else the first. */
  #seatFor(own: Seat | undefined): Seat | undefined {
    if (own !== undefined && own.link === undefined) return own;
    const free = this.#seats.find(({ link }) => link === undefined);
    if (free !== undefined) {
      // Somebody else's numbers.
      free.load = this.#newLoad();
      return free;
    }
    const { clients } = this.#options.settings;
    if (this.#seats.length >= clients) return undefined;
    const number = this.#seats.length + 1;
    const load = this.#newLoad();
    const seat: Seat = { number, client: undefined, load, link: undefined, sessions: 0 };
    this.#seats.push(seat);
    return seat;
  }

  #newLoad(): PeerLoad | undefined {
    return this.#options.settings.clients > 1 ? new PeerLoad() : undefined;
  }

  /** The place of a client that has gone silent. @returns why there is none */
  async #seatOfDead({ address }: Applicant): Promise<Seat | string> {
    const { context, settings } = this.#options;
    const links = this.links;
    const alive = await Promise.all(links.map((link) => link.isAlive()));
    links.find((_, index) => alive[index] === false)?.end(`taken over by ${address}`);
    const seat = this.#seatFor(undefined);
    if (seat !== undefined) return seat;
    if (settings.clients === 1) {
      context.logLimited("warn", "handshake refused: another client has the tunnel", {
        address,
        present: links[0]?.address,
      });
      return "another client has the tunnel";
    }
    context.logLimited("warn", "handshake refused: as many clients as may be are there", {
      address,
      clients: settings.clients,
    });
    return `${settings.clients} clients have the tunnel, more may not`;
  }

  #begin114(seat: Seat, applicant: Applicant): HandshakeAnswer {
    const { context, settings, flow } = this.#options;
    const role = flow === "-" ? "entry" : "exit";
    this.#begin(seat, applicant, undefined, {
      flow,
      role,
      proved: false,
      way: {
        by: "claims",
        framed: false,
        check:
          settings.tls === 0
            ? undefined
            : {
                send: true,
                wait: role === "entry",
                fingerprintOf: (stream) => stream.ownFingerprint,
              },
      },
      sizing: false,
      max: settings.max,
      signalKey: settings.key,
      peer: applicant.address,
    });
    context.log("info", "client accepted by token (NodePass 1.14)", { peer: applicant.address });
    return this.#answer();
  }

  #beginProved(
    seat: Seat,
    applicant: Applicant,
    proved: NonNullable<Applicant["proved"]>,
  ): ProvedAnswer {
    const { context, keys, flow, settings, fingerprintFor } = this.#options;
    const sessionId = newSessionId();
    const { clientNonce, serverNonce } = proved;
    const key = sessionKey(keys, { clientNonce, serverNonce, sessionId });
    const { lanes } = settings;
    const supported = lanes > 0 ? EXTENSIONS : EXTENSIONS.filter((name) => name !== LANES);
    const ext = negotiateExtensions(proved.offered, supported);
    const id = sessionId.toString("hex");
    this.#begin(
      seat,
      applicant,
      { id, key },
      {
        flow,
        role: flow === "-" ? "entry" : "exit",
        proved: true,
        way: provedWay(ext, lanes),
        sizing: hasSizing(ext),
        ports: hasPorts(ext),
        max: settings.max,
        signalKey: signalKey(key),
        peer: applicant.address,
      },
    );
    context.log("info", "client accepted by proof", { peer: applicant.address });
    return { ...this.#answer(), session: id, fp: fingerprintFor(proved.host), ext, lanes };
  }

  #answer(): HandshakeAnswer {
    const { settings, flow } = this.#options;
    return { flow, max: settings.max, tls: settings.tls, type: settings.type };
  }

  #begin(
    seat: Seat,
    { address }: Applicant,
    proved: { readonly id: string; readonly key: Buffer } | undefined,
    terms: SessionTerms,
  ): void {
    const { context, owner, directory } = this.#options;
    const { load } = seat;
    const link = new ClientLink({
      context,
      terms,
      address: unmapAddress(address),
      number: seat.number,
      load,
      proved,
      owner: {
        exit: countedExit(owner.exit, load),
        onReady: () => owner.onReady(link, seat.sessions++ > 0),
        onAvailable: () => owner.onAvailable(),
        onEnd: (_session, reason) => {
          directory.delete(link);
          seat.link = undefined;
          owner.onEnd(link, reason);
        },
      },
    });
    seat.link = link;
    directory.add(link);
  }

  /** Tells the proved clients of the end, see `Session.retire`; 1.14 ones cut their relays with it. */
  retire(reason: string): void {
    for (const link of this.links) if (link.session.terms.proved) link.retire(reason);
  }

  close(reason: string): void {
    for (const link of this.links) link.end(reason);
  }
}
