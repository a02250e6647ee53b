export { NAME_TAG, OWNER_TAG } from "@nodepass/model";
export { type ApplyOptions, apply, type Outcome } from "./apply.ts";
export type { Actual, Desired, Host, Marks } from "./desired-state.ts";
export {
  type ActualInstance,
  type DesiredTunnel,
  type InstanceClient,
  instanceHost,
  toDesired,
} from "./instance-host.ts";
export { type PlanOptions, plan, type Step } from "./plan.ts";
export { isSameUrl } from "./same-url.ts";
