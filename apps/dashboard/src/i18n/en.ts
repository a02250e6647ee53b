import { number } from "./number.ts";

const s = (count: number, one: string, many = `${one}s`): string =>
  `${number(count, "en-GB")} ${count === 1 ? one : many}`;

/** Every text in English; its shape is the shape of every other language. */
export const en = {
  language: "Language",
  skip: "Skip to content",
  loading: "Loading…",
  close: "Close",
  cancel: "Cancel",
  signOut: "Sign out",
  andMore: (count: number): string => `and ${number(count, "en-GB")} more`,
  themes: {
    system: "as the system",
    light: "light",
    dark: "dark",
    label: (now: string): string => `Colours: ${now}`,
  },
  pages: { label: "Pages", tunnels: "Tunnels", picture: "Picture", master: "Master" },
  signIn: {
    key: "API key",
    keep: "Keep me signed in on this browser",
    action: "Sign in",
    wrongKey: "The master does not know this key.",
    tooOften: "Too many wrong keys. The right one is accepted all the same.",
    whereIsIt:
      "The master prints its key at its first start. nodepass key renew --local makes another.",
    linkFailed: (why: string): string => `The link did not sign in: ${why}`,
  },
  connection: {
    away: "The master does not answer; trying again.",
    retry: "Try now",
    keyRefused: "The key has changed",
    keyRefusedText: "The master does not take this key any more. Enter the new one to go on.",
    goOn: "Go on",
    states: {
      connecting: "connecting",
      live: "connected",
      away: "away",
      denied: "key refused",
    },
  },
  conditions: {
    up: "running",
    waiting: "waiting for peer",
    failing: "failing",
    stopped: "stopped",
  },
  kinds: {
    forwarder: "Forwarder",
    entry: "Tunnel, users here",
    exit: "Tunnel, target here",
    client: "Tunnel client",
    auto: "Automatic",
  },
  columns: {
    name: "Name",
    status: "Status",
    kind: "Kind",
    route: "Route",
    rate: "Traffic",
    connections: "Conns",
    pool: "Pool",
    ping: "Ping",
    total: "Total",
  },
  actions: {
    start: "Start",
    stop: "Stop",
    restart: "Restart",
    reset: "Reset counters",
    delete: "Delete",
    edit: "Edit",
    duplicate: "Duplicate",
    export: "Export",
  },
  done: {
    start: (name: string, count: number): string => `Started ${name || s(count, "tunnel")}`,
    stop: (name: string, count: number): string => `Stopped ${name || s(count, "tunnel")}`,
    restart: (name: string, count: number): string => `Restarted ${name || s(count, "tunnel")}`,
    reset: (name: string, count: number): string =>
      `Reset the counters of ${name || s(count, "tunnel")}`,
    delete: (name: string, count: number): string => `Deleted ${name || s(count, "tunnel")}`,
  },
  failed: (count: number, first: string): string =>
    count === 1 ? first : `${number(count, "en-GB")} failed; the first: ${first}`,
  questions: {
    delete: {
      title: (count: number): string =>
        count === 1 ? "Delete this tunnel?" : `Delete ${s(count, "tunnel")}?`,
      text: "Connections are cut, and counters and history go with it.",
    },
    reset: {
      title: (count: number): string =>
        count === 1 ? "Reset its counters?" : `Reset the counters of ${s(count, "tunnel")}?`,
      text: "The traffic totals begin at 0 again. Connections go on.",
    },
  },
  tunnels: {
    add: "New tunnel",
    newPair: "New pair",
    summary: "How they are",
    none: "No tunnels yet.",
    noneFound: "Nothing fits the search.",
    search: "Search name, address, tag, status",
    groups: "Groups",
    noGroups: "none",
    noGroup: "without",
    tag: (name: string): string => `Tag ${name}`,
    order: "Order",
    columns: "Columns",
    actions: "Actions",
    select: (name: string): string => `Select ${name}`,
    selectAll: "Select all",
    selectNone: "Select none",
    selected: (count: number): string => `${number(count, "en-GB")} selected`,
    withSelected: "With those that are selected",
    menuOf: (name: string): string => `More for ${name}`,
    to: "to",
  },
};
