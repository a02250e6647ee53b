/** One end of a tunnel in a fleet. */
export interface FilePart {
  readonly role: "server" | "client";
  /** May have `auto` for a port, and for the tunnel address of a pair's client. */
  readonly url: string;
  /** Name or mid of the master that runs it. */
  readonly on?: string | undefined;
  /** Labels of the masters that may run it. */
  readonly selector?: string | undefined;
  /** Label over whose values tunnels of such a name are spread. */
  readonly spread?: string | undefined;
}

/** What happens when the master that runs a tunnel of a fleet is lost; what is not given is the fleet's default. */
export interface FilePolicy {
  readonly failover?: "off" | "serve" | "strict" | undefined;
  /** Seconds of silence. */
  readonly ttl?: number | undefined;
  readonly failback?: boolean | undefined;
}

/** A tunnel of a fleet as it is to stand in a file. */
export interface ExportedService {
  readonly name: string;
  /** One, or a server and a client; a pair's have no keys. */
  readonly parts: readonly FilePart[];
  readonly tags: Readonly<Record<string, string>>;
  readonly start: boolean;
  readonly policy: FilePolicy;
}
