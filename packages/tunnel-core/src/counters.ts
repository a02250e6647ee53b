/** What a tunnel has carried since it opened, and what it carries now. Sizes in bytes. */
export class TrafficCounters {
  /** Open TCP connections. */
  tcps = 0;
  /** Open UDP sessions. */
  udps = 0;
  /** Read from the user (entry) or from the target (exit). */
  tcprx = 0;
  /** Written to the user (entry) or to the target (exit). */
  tcptx = 0;
  udprx = 0;
  udptx = 0;
  /** Datagrams dropped: a queue was full, no session could be opened, or a target refused them. */
  udpDropped = 0;
  /** TCP connections that users have made at this end. */
  accepted = 0;
  /** At the end that dials: connections for which no target could be reached. */
  failed = 0;
  /** Refused: no slot was free; their protocol is blocked; there was no pool connection in time. */
  refusedSlot = 0;
  refusedSlotip = 0;
  refusedBlocked = 0;
  refusedPeer = 0;
  /** Refused where users connect or at the tunnel port: `allow` or `deny` says so; it is banned. */
  refusedDenied = 0;
  refusedBanned = 0;
  /** Nobody on the shared port serves the name that was asked for. */
  refusedName = 0;
  /** A trusted proxy did not say whose connection it is. */
  refusedProxied = 0;
  /** Dials of targets that failed, over TCP and UDP. */
  dialErrors = 0;
  /** Handshakes of clients that were refused. */
  handshakesRefused = 0;
  /** Sessions after the first. */
  reconnects = 0;
  /** Last round trip, ms. */
  ping = 0;
}
