export { type FleetContent, findInFleet, findMaster, findService } from "./find-in-fleet.ts";
export {
  createFleetClient,
  type Drained,
  type ExportFormat,
  type FleetClient,
  type FleetEventsOptions,
  type GivenService,
  type GivenToken,
  type Imported,
  type InstanceQuery,
  type MasterQuery,
  type Rebuilt,
  type RemoteFleetInstance,
  type RemoteFleetInstances,
  type ServiceQuery,
} from "./fleet-client.ts";
export { type FollowFleetOptions, followFleetEvents } from "./fleet-events.ts";
export { memberAddress } from "./member-address.ts";
