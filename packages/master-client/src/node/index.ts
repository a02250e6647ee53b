export { createNodeFetch } from "./node-fetch.ts";
export {
  isReadByOthers,
  type Profile,
  type ProfileBook,
  profilePath,
  readProfiles,
  writeProfiles,
} from "./profile-file.ts";
export { parseFingerprint, type Trust } from "./trust.ts";
