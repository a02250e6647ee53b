export {
  type ActualService,
  type DesiredPart,
  type DesiredService,
  type ServiceClient,
  serviceHost,
} from "./service-host.ts";
export { toDesiredService } from "./to-desired-service.ts";
