import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { PartRole, Service, ServicePart, ServicePolicy } from "@nodepass/model/fleet";
import { redact } from "@nodepass/url-config";
import type { Presence } from "../members/presence.ts";
import type { Stored } from "../store/fleet-store.ts";

/**
 * A service as readers see it.
 *
 * @param unmasked whether they see its keys
 * @param stuck why nobody takes over what a lost master has
 */
export function serviceView(
  sid: string,
  { value, revision }: Stored<ServiceRecord>,
  presence: Pick<Presence, "facts" | "report">,
  unmasked: boolean,
  stuck: (sid: string, part: PartRole, owner: string) => string | undefined = () => undefined,
): Service {
  const told = (view: ServicePart): ServicePart => {
    if (view.state !== "unreachable" || view.owner === null) return view;
    return { ...view, reason: stuck(sid, view.role, view.owner) ?? view.reason };
  };
  return {
    sid,
    alias: value.alias,
    tags: value.tags,
    policy: value.policy,
    revision: String(revision),
    by: value.by,
    changed: new Date(value.at).toISOString(),
    parts: value.parts.map((part, place) => {
      const view = told(partView(sid, place, part, revision, presence, unmasked, value.policy));
      return part.role === "client" ? waitingView(view, serverOf(sid, value, presence)) : view;
    }),
  };
}

/** What keeps a pair's server from being reached at the moment; `undefined`: nothing, or there is none. */
function serverOf(
  sid: string,
  { parts }: ServiceRecord,
  presence: Pick<Presence, "facts" | "report">,
): string | undefined {
  const at = parts.findIndex(({ role }) => role === "server");
  const server = parts[at];
  if (server === undefined) return undefined;
  if (!server.running) return "which is stopped";
  if (server.owner === null) return "which no master has at the moment";
  const { status } = presence.facts(server.owner);
  if (status === "late" || status === "lost") return `whose master is ${status}`;
  const said = presence.report(sid, at);
  return said?.outcome === "applied" && said.running ? undefined : "which does not run yet";
}

/** A client that tries again and again has not failed: it waits for its server. */
function waitingView(view: ServicePart, server: string | undefined): ServicePart {
  if (view.state !== "failed" || view.instance === null || server === undefined) return view;
  const reason = `waits for its server, ${server} (${view.reason})`;
  return { ...view, state: "pending", reason };
}

function partView(
  sid: string,
  place: number,
  part: PartRecord,
  revision: number,
  presence: Pick<Presence, "facts" | "report">,
  unmasked: boolean,
  policy: ServicePolicy,
): ServicePart {
  const { role, owner, epoch, running, url, sel } = part;
  const report = presence.report(sid, place);
  const { state, reason } = stateOf(part, revision, report, presence, policy);
  return {
    role,
    owner,
    epoch,
    running,
    url: unmasked ? url : redact(url),
    selector: sel,
    state,
    reason,
    instance: report?.instance ?? null,
  };
}

/** What an owner has said counts while it is there, and says it of the record as it is now. */
function stateOf(
  { owner, from }: PartRecord,
  revision: number,
  report: ReturnType<Presence["report"]>,
  presence: Pick<Presence, "facts">,
  { failover, ttl }: ServicePolicy,
): Pick<ServicePart, "state" | "reason"> {
  if (owner === null && from === null) return { state: "released", reason: "" };
  if (owner === null) {
    const silence =
      failover === "strict" ? "when its lease has ended" : `after ${ttl} s of silence`;
    const reason = `its old master has not answered yet; it goes on when it does, or ${silence}`;
    return { state: "pending", reason };
  }
  const { status, heardAt } = presence.facts(owner);
  if (status === "late" || status === "lost") {
    const isHeard = heardAt !== undefined;
    const reason = isHeard ? `its master is ${status}` : "its master has not been heard of yet";
    return { state: "unreachable", reason };
  }
  if (report === undefined || report.rev < revision) return { state: "pending", reason: "" };
  if (report.outcome === "failed") return { state: "failed", reason: report.reason };
  return { state: report.outcome === "applied" ? "applied" : "pending", reason: "" };
}
