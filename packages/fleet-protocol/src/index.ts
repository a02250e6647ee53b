// Seal, identity and engine.
export { fillAutoPorts, isFilledIn } from "./auto-ports.ts";
export {
  ENGINE_QUESTION_SUBJECT,
  type EngineAnswer,
  type EngineProblem,
  type EngineProblemCode,
  judgeEngine,
  judgeVersion,
  MIN_ENGINE_VERSION,
  readEngineAnswer,
} from "./engine/judge-engine.ts";
export {
  type EngineCluster,
  type EngineTls,
  MAX_PAYLOAD_BYTES,
  type ServerConfigOptions,
  serverConfig,
} from "./engine/server-config.ts";
export {
  type Rotated,
  retireSigners,
  revokeMembers,
  rotateSigner,
  withoutRetired,
} from "./identity/account-changes.ts";
export { type EngineAuthenticator, engineAuthenticator } from "./identity/authenticator.ts";
export { type BoxRotationStep, rotateBoxKey } from "./identity/box-rotation.ts";
export {
  CLAIMS_UPDATE_SUBJECT,
  type ClaimsAnswer,
  claimsLookupSubject,
  readClaimsAnswer,
} from "./identity/claims-requests.ts";
export {
  createUserKey,
  type EngineCredentials,
  issueHubCredentials,
  issueMemberJwt,
  issueSystemCredentials,
  isUserKey,
  MEMBER_JWT_MS,
  type MemberJwtOptions,
} from "./identity/credentials.ts";
export { createFleetIdentity, type FleetIdentity } from "./identity/fleet-identity.ts";
export {
  decodeFleetSecrets,
  encodeFleetSecrets,
  FleetSecrets,
  type FleetSecretsData,
} from "./identity/fleet-secrets.ts";
export { MAX_MEMBER_PAYLOAD_BYTES, memberInbox } from "./identity/member-template.ts";
export { readUser } from "./identity/nats-jwt.ts";
export { rotateOperatorSigner } from "./identity/operator-rotation.ts";
export {
  CLOCK_LEAVE_SECONDS,
  type FleetBoxKeys,
  joinProblem,
  openJoinAnswer,
  type SignJoinOptions,
  sealJoinAnswer,
  signJoin,
} from "./join-proof.ts";
export {
  decodeJoinToken,
  encodeJoinToken,
  JOIN_TOKEN_PREFIX,
  type JoinToken,
} from "./join-token.ts";
export {
  HEARTBEAT_INTERVAL_MS,
  type Heartbeat,
  HeartbeatSchema,
} from "./messages/heartbeat.ts";
export {
  type JoinAnswer,
  JoinAnswerSchema,
  type JoinRequest,
  JoinRequestSchema,
  type SealedJoinAnswer,
  SealedJoinAnswerSchema,
} from "./messages/join.ts";
export { MessageError, packMessage, unpackMessage } from "./messages/pack.ts";
export {
  type Applied,
  AppliedSchema,
  type Apply,
  ApplySchema,
  CarriedSchema,
  type Done,
  DoneSchema,
  type PartKey,
  type PartOrder,
  PartOrderSchema,
  type PartReport,
  PartReportSchema,
  type Prepare,
  type Prepared,
  PreparedSchema,
  PrepareSchema,
  ProofSchema,
  type Seen,
  SeenSchema,
} from "./messages/parts.ts";
export {
  type ApiAnswer,
  ApiAnswerSchema,
  type ApiRequest,
  ApiRequestSchema,
  type Chunk,
  ChunkSchema,
  type Credit,
  CreditSchema,
  MAX_CHUNK_BYTES,
  MAX_MEMBER_REQUESTS,
  MAX_MEMBER_STREAMS,
  MAX_PASSED_BODY_BYTES,
  type MemberEvent,
  MemberEventSchema,
  PASS_TIMEOUT_MS,
  type PassedAccess,
  STREAM_RENEW_MS,
  STREAM_SILENCE_MS,
  type Watch,
  WatchSchema,
} from "./messages/pass-through.ts";
export {
  type Evict,
  EvictSchema,
  type Lease,
  type LeaseRequest,
  LeaseRequestSchema,
  LeaseSchema,
  type Resync,
  ResyncSchema,
  type Sync,
  type Synced,
  SyncedSchema,
  SyncSchema,
} from "./messages/sync.ts";
export { type MemberRecord, MemberRecordSchema } from "./records/member-record.ts";
export {
  type PartRecord,
  PartRecordSchema,
  type ServiceRecord,
  ServiceRecordSchema,
} from "./records/service-record.ts";
export {
  type BucketRecord,
  BucketRecordSchema,
  type LeaderRecord,
  LeaderRecordSchema,
  type NameRecord,
  NameRecordSchema,
  type TokenRecord,
  TokenRecordSchema,
} from "./records/token-record.ts";
// Seal, identity and engine.
export {
  createDataKey,
  DATA_KEY_BYTES,
  isSealedBy,
  openAtRest,
  sealAtRest,
} from "./seal/at-rest.ts";
export {
  type Box,
  type BoxId,
  type BoxOptions,
  type BoxPair,
  type BoxSide,
  boxIdOf,
  type OpenedBox,
  openBox,
} from "./seal/box.ts";
export { BOX_OVERHEAD } from "./seal/box-frame.ts";
export { BoxKeys, createBoxKeys, fingerprintOf } from "./seal/box-keys.ts";
export { answerContext, sessionContext } from "./seal/context.ts";
export { SealError, type SealErrorCode } from "./seal/seal-error.ts";
export { BAD_MESSAGE, openMessage, REFUSAL_HEADER, sealMessage } from "./sealed-message.ts";
export { FleetSetupError, type FleetSetupErrorCode } from "./setup-error.ts";
export {
  hubSubjects,
  isFleetName,
  isMemberId,
  type MemberSubjects,
  memberOf,
  memberSubjects,
  storeNames,
} from "./subjects.ts";
