import type { ActualInstance, InstanceClient } from "@nodepass/desired-state";

/** A master in memory; `unkind` adds to URLs and forgets aliases at creation, as 1.14 does. */
export function fakeHost(unkind = false): InstanceClient & { readonly calls: string[] } {
  const instances = new Map<string, ActualInstance>();
  const calls: string[] = [];
  const kept = (url: string): string => {
    if (!unkind) return url;
    const [front = "", query = ""] = url.split("?");
    const parameters = new URLSearchParams(query);
    if (!parameters.has("log")) parameters.set("log", "info");
    if (url.startsWith("server:") && !parameters.has("tls")) parameters.set("tls", "0");
    parameters.sort();
    return `${front}?${parameters}`;
  };
  const put = (instance: ActualInstance): ActualInstance => {
    instances.set(instance.id, instance);
    return instance;
  };
  const get = (id: string): ActualInstance => {
    const found = instances.get(id);
    if (found === undefined) throw new Error(`no instance ${id}`);
    return found;
  };
  let next = 1;
  return {
    calls,
    list: async () => [...instances.values()],
    create: async (url, alias = "") => {
      calls.push(`create ${alias}`);
      if (url.includes("refused")) throw new Error("refused");
      const id = String(next++).padStart(8, "0");
      const known = unkind ? "" : alias;
      return put({ id, alias: known, status: "running", url: kept(url), restart: true, tags: {} });
    },
    change: async (id, { alias, restart, action, meta }) => {
      const old = get(id);
      calls.push(
        `change ${id} ${Object.keys({ ...(alias !== undefined && { alias }), ...(restart !== undefined && { restart }), ...(action !== undefined && { [action]: 1 }), ...(meta !== undefined && { tags: 1 }) })}`,
      );
      return put({
        ...old,
        alias: alias ?? old.alias,
        restart: restart ?? old.restart,
        status: action === "stop" ? "stopped" : action === "start" ? "running" : old.status,
        tags: meta?.tags ?? old.tags,
      });
    },
    replaceUrl: async (id, url) => {
      calls.push(`url ${id}`);
      return put({ ...get(id), url: kept(url), status: "running" });
    },
    remove: async (id) => {
      calls.push(`remove ${id}`);
      instances.delete(id);
    },
  };
}
