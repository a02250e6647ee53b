export {
  type CreatedFleet,
  type CreateFleetOptions,
  createFleet,
  decodeHubSecrets,
  encodeHubSecrets,
  HUB_SECRETS_FILE,
  type HubSecrets,
  readHubSecrets,
  writeHubSecrets,
} from "./hub-secrets.ts";
