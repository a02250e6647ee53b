import type { Place } from "./place.ts";

/** A service as the hub's API tells it. */
export interface ToldService {
  readonly sid: string;
  readonly alias: string;
  readonly revision: string;
}

/** What is known of a service that was made. */
interface Known {
  /** Its names that may be found: the one acknowledged last, and what may have been stored since. */
  aliases: string[];
  /** Whether it is there: not, if that was acknowledged; maybe, if that was not answered. */
  there: "yes" | "no" | "maybe";
}

/**
 * Writers of all kinds of records, through a hub's API, and what they were told: that alone has to be there
 * after whatever happens. A change that was not acknowledged may be there or not.
 */
export class AcknowledgedWrites {
  readonly services = new Map<string, Known>();
  readonly tokens = new Set<string>();
  /** Value of a label of each master. */
  readonly labels = new Map<string, { values: string[] }>();
  count = 0;
  refused = 0;
  readonly #place: Place;
  readonly #mids: readonly string[];
  #n = 0;

  constructor(place: Place, mids: readonly string[]) {
    this.#place = place;
    this.#mids = mids;
  }

  /** Writes until it is told to end. @param writer only the first, 0, changes labels */
  async write(writer: number, signal: AbortSignal): Promise<void> {
    const own: string[] = [];
    while (!signal.aborted) {
      try {
        await this.#one(own, writer);
        this.count += 1;
      } catch {
        this.refused += 1;
        // Refused at once while the engine is away.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Whether a part may be given up by its member. */
  mayBeGone(key: string): boolean {
    return this.services.get(key.replace(/\/.*/, ""))?.there !== "yes";
  }

  /** Services that have to be there. */
  get there(): string[] {
    return [...this.services].filter(([, { there }]) => there === "yes").map(([sid]) => sid);
  }

  /** What a hub's list lacks of what was acknowledged, or has against it: one line each. */
  async missing(ask: <Answer>(path: string) => Promise<Answer>): Promise<string[]> {
    const problems: string[] = [];
    const list = await ask<ToldService[]>("/fleet/services");
    const told = new Map(list.map((service) => [service.sid, service]));
    for (const [sid, { aliases, there }] of this.services) {
      const found = told.get(sid);
      if (there === "yes" && found === undefined) problems.push(`service ${sid} is gone`);
      if (there === "no" && found !== undefined) problems.push(`service ${sid} is there again`);
      if (found !== undefined && !aliases.includes(found.alias)) {
        problems.push(`service ${sid} is "${found.alias}" and not ${aliases.join(" or ")}`);
      }
    }
    const tokens = new Set((await ask<{ id: string }[]>("/fleet/tokens")).map(({ id }) => id));
    for (const id of this.tokens) if (!tokens.has(id)) problems.push(`token ${id} is gone`);
    const masters = await ask<{ mid: string; labels: { n?: string } }[]>("/fleet/masters");
    for (const [mid, { values }] of this.labels) {
      const n = masters.find((master) => master.mid === mid)?.labels.n ?? "none";
      if (!values.includes(n))
        problems.push(`master ${mid} has n=${n}, not ${values.join(" or ")}`);
    }
    const audited = new Set<string>();
    for (let before: number | undefined; before !== 1; ) {
      const query = before === undefined ? "" : `&before=${before}`;
      const page = await ask<{ sequence: number; object: string }[]>(
        `/fleet/audit?limit=1000${query}`,
      );
      for (const { object } of page) audited.add(object);
      before = page.at(-1)?.sequence ?? 1;
    }
    for (const id of [...this.services.keys(), ...this.tokens]) {
      if (!audited.has(id)) problems.push(`the audit has nothing of ${id}`);
    }
    return problems;
  }

  async #one(own: string[], writer: number): Promise<void> {
    this.#n += 1;
    const n = this.#n;
    const mid = this.#mids[n % this.#mids.length] ?? "";
    const dice = Math.random();
    const at = Math.floor(Math.random() * own.length);
    const sid = own[at];
    const known = this.services.get(sid ?? "");
    if (dice < 0.05) {
      const { id } = await this.#place.ask<{ id: string }>("POST", "/fleet/tokens", {
        kind: "join",
      });
      this.tokens.add(id);
    } else if (dice < 0.15 && writer === 0) {
      const label = this.labels.get(mid) ?? { values: ["none"] };
      this.labels.set(mid, label);
      label.values.push(String(n));
      await this.#place.ask("PATCH", `/fleet/masters/${mid}`, { labels: { n: String(n) } });
      label.values = [String(n)];
    } else if (dice < 0.35 && sid !== undefined && known !== undefined) {
      const alias = `${sid.slice(0, 4)}-${n}`;
      known.aliases.push(alias);
      await this.#place.ask("PATCH", `/fleet/services/${sid}`, { alias });
      known.aliases = [alias];
    } else if (dice < 0.5 && sid !== undefined && known !== undefined) {
      own.splice(at, 1);
      known.there = "maybe";
      await this.#place.ask("DELETE", `/fleet/services/${sid}`);
      known.there = "no";
    } else {
      const alias = `s-${n}`;
      const made = await this.#place.ask<ToldService>("POST", "/fleet/services", {
        alias,
        parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid }],
      });
      this.services.set(made.sid, { aliases: [alias], there: "yes" });
      own.push(made.sid);
    }
  }
}
