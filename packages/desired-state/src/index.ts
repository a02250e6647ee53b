export { type ApplyOptions, apply, type Outcome } from "./apply.ts";
export {
  type ActualInstance,
  type DesiredTunnel,
  type InstanceHost,
  NAME_TAG,
  OWNER_TAG,
} from "./desired-state.ts";
export { type Change, type PlanOptions, plan, type Step } from "./plan.ts";
export { isSameUrl } from "./same-url.ts";
export { toDesired } from "./to-desired.ts";
