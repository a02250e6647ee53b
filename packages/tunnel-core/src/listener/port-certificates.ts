import type { CertificateSource, CertificateState } from "../tls/certificate-source.ts";
import { createSelfSignedCertificate } from "../tls/self-signed.ts";

/**
 * The certificates of the tunnels on one port: who asks for a name that one of them is for gets that
 * one, all others the same, which is the one that came first. It stays as long as the port does.
 */
export class PortCertificates {
  #shared: CertificateSource | undefined;
  /** From files, of tunnels that are here. */
  readonly #sources = new Set<CertificateSource>();
  #byName = new Map<string, CertificateSource>();
  /** As they were when the names were read. */
  #read = new Map<CertificateSource, CertificateState>();
  #looked = 0;

  /** Whether there are any. */
  get present(): boolean {
    return this.#shared !== undefined;
  }

  /** Whether it depends on the name which one somebody gets. */
  get several(): boolean {
    return (
      this.#sources.size > (this.#shared !== undefined && this.#sources.has(this.#shared) ? 1 : 0)
    );
  }

  /**
   * A tunnel with TLS comes.
   *
   * @param source from its files; `undefined`: one that the port has will do, or is made
   * @param former whose place it takes
   */
  async add(source: CertificateSource | undefined, former?: CertificateSource): Promise<void> {
    if (source === undefined) {
      this.#shared ??= await createSelfSignedCertificate();
      return;
    }
    if (this.#shared === undefined || this.#shared === former) this.#shared = source;
    this.#sources.add(source);
    this.#index();
  }

  delete(source: CertificateSource): void {
    if (!this.#sources.delete(source)) return;
    // The pool connections of others may be bound to it.
    if (source !== this.#shared) source.close();
    this.#index();
  }

  /** The one for those who ask for no name, or for one that is not here. */
  current(): CertificateState {
    if (this.#shared === undefined) throw new Error("the port has no certificate");
    return this.#shared.current();
  }

  /** The one for a name. @param name as in SNI (RFC 6066, section 3) */
  forName(name: string): CertificateState {
    const wanted = name.toLowerCase().replace(/\.$/, "");
    const found = this.#find(wanted);
    if (found !== undefined && found.current() === this.#read.get(found)) return found.current();
    // Its files may have changed; of a name that nobody has, whose it might be is not known.
    const changed = found ?? this.#next();
    if (changed === undefined || changed.current() === this.#read.get(changed))
      return this.current();
    this.#index();
    return (this.#find(wanted) ?? this).current();
  }

  #find(name: string): CertificateSource | undefined {
    const dot = name.indexOf(".");
    return (
      this.#byName.get(name) ?? (dot < 0 ? undefined : this.#byName.get(`*${name.slice(dot)}`))
    );
  }

  #next(): CertificateSource | undefined {
    const sources = [...this.#sources];
    this.#looked++;
    return sources[this.#looked % Math.max(1, sources.length)];
  }

  /** Of two for one name, the one that came first. */
  #index(): void {
    this.#byName = new Map();
    this.#read = new Map();
    for (const source of this.#sources) {
      const state = source.current();
      this.#read.set(source, state);
      for (const name of state.names) if (!this.#byName.has(name)) this.#byName.set(name, source);
    }
  }

  close(): void {
    for (const source of this.#sources) source.close();
    this.#shared?.close();
    this.#sources.clear();
  }
}
