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
  /** Last round trip, ms. */
  ping = 0;
}
