import {
  BoxKeys,
  createBoxKeys,
  createUserKey,
  decodeJoinToken,
  type JoinRequest,
  type JoinToken,
  MessageError,
  openJoinAnswer,
  SealError,
  signJoin,
} from "@nodepass/fleet-protocol";
import { FleetFile, type FleetFileData, type OwnerLimits } from "../file/fleet-file.ts";
import { FleetAgentError } from "../fleet-agent-error.ts";
import { askHub, type HubAddress } from "./ask-hub.ts";
import { knownFingerprints, learnHubKeys, learnHubRuns } from "./hub-keys.ts";

/** How a master comes into a fleet. */
export interface JoinFleetOptions {
  /** Text of a join token (`np1_…`). */
  readonly token: string;
  /** Of the master's state: the file is made there. */
  readonly directory: string;
  /** The master's id, 16 hexadecimal digits. */
  readonly mid: string;
  /** What people call it. */
  readonly name: string;
  /** Kept in the file; what is absent stays as it was said before. @default nothing */
  readonly limits?: OwnerLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What has become of it. */
export interface Joined {
  readonly fleet: string;
  readonly mid: string;
  /** It is the member of this fleet already: the token was not used. */
  readonly already: boolean;
  /** Why it is not known whether the token is of this fleet: its hub does not answer. */
  readonly unasked?: string;
}

/**
 * Joins a fleet: makes this member's keys, sends their public halves to the hub, checks that who
 * answers has the fleet's key, and keeps all of it in `fleet.msgpack`. A member of the same fleet stays
 * what it is, so that a token may be given at every start; so does one whose token can't be asked about.
 *
 * @throws {FleetAgentError} `BAD_TOKEN`, `JOIN_REFUSED`, `UNREACHABLE`, `NOT_GENUINE`, `FILE_UNUSABLE`;
 * `ALREADY_MEMBER` under another id, or of a fleet that the token is not known to be of
 */
export async function joinFleet(options: JoinFleetOptions): Promise<Joined> {
  const { directory, mid, name, signal } = options;
  const token = readToken(options.token);
  const before = await FleetFile.open(directory);
  if (before?.isMember === true) {
    const { fleet } = before.data;
    const so = `this master is in the fleet ${fleet} already`;
    if (before.data.mid !== mid) {
      const text = `${so}, as ${before.data.mid}: leave it first`;
      throw new FleetAgentError("ALREADY_MEMBER", text);
    }
    const isKnown = knownFingerprints(before.data).includes(token.fp);
    const doubt = isKnown ? undefined : await askForKeys(before, token, name, signal);
    if (doubt === undefined) return { fleet, mid, already: true };
    if (doubt.code !== "UNREACHABLE") {
      const text = `${so}, which the token is not known to be of (${doubt.message}): leave it first`;
      throw new FleetAgentError("ALREADY_MEMBER", text, { cause: doubt });
    }
    if (signal?.aborted === true) throw doubt;
    return { fleet, mid, already: true, unasked: doubt.message };
  }
  const { file, box } = await prepareKeys(before, token, options);
  const { seed } = file.data;
  const { id, secret } = token;
  const proof = { token: { id, secret }, fp: token.fp };
  const request = signJoin({ ...proof, mid, name, seed, box: box.publicKey });
  const hub = { url: token.url, pin: token.ca ?? "" };
  try {
    const answered = await requestJwt({ hub, request, box, fingerprints: [token.fp], signal });
    const { answer, hubKey } = answered;
    if (answer.mid !== mid) {
      throw new FleetAgentError("NOT_GENUINE", "the hub's answer is for another master");
    }
    Object.assign(file.data, { fleet: answer.fleet, hubKey, ...fromAnswer(answered, [token.url]) });
    learnHubKeys(file.data, answer.hubKeys);
    learnHubRuns(file.data, answer.runs);
    await file.save();
    return { fleet: answer.fleet, mid, already: false };
  } catch (error) {
    // Whose answer was lost comes again with the same keys; who was refused begins anew.
    const isLost = error instanceof FleetAgentError && error.code === "UNREACHABLE";
    if (!isLost && signal?.aborted !== true) await FleetFile.remove(directory);
    throw error;
  }
}

/**
 * The fleet may have changed its key while this member was away, or since the token was made: the hub of
 * the token is asked whether it knows this member, without using the token.
 *
 * @returns why the token is not known to be of this fleet; `undefined`: it is
 */
async function askForKeys(
  file: FleetFile,
  token: JoinToken,
  name: string,
  signal: AbortSignal | undefined,
): Promise<FleetAgentError | undefined> {
  const { data } = file;
  const { mid, seed, fleet } = data;
  const box = new BoxKeys(data.box);
  const hub = { url: token.url, pin: token.ca ?? "" };
  const request = signJoin({ fp: token.fp, mid, name, seed, box: box.publicKey });
  // A hub that has not the token's key any more answers by its first one.
  const fingerprints = [token.fp, ...knownFingerprints(data)];
  const answered = await requestJwt({ hub, request, box, fingerprints, signal }).catch(
    (error: unknown) => {
      if (error instanceof FleetAgentError) return error;
      throw error;
    },
  );
  if (answered instanceof FleetAgentError) return answered;
  if (answered.answer.fleet !== fleet) {
    const text = `the hub at ${hub.url} is of the fleet ${answered.answer.fleet}`;
    return new FleetAgentError("ALREADY_MEMBER", text);
  }
  Object.assign(data, fromAnswer(answered, data.hubs), { pin: hub.pin });
  learnHubKeys(data, answered.answer.hubKeys ?? [answered.hubKey]);
  await file.save();
  return undefined;
}

/** Keys are on disk before anybody hears of them. */
async function prepareKeys(
  before: FleetFile | undefined,
  token: JoinToken,
  { directory, mid, limits }: JoinFleetOptions,
): Promise<{ readonly file: FleetFile; readonly box: BoxKeys }> {
  const isBegun =
    before?.data.left === "" && before.data.fingerprint === token.fp && before.data.mid === mid;
  if (before !== undefined && isBegun) {
    before.data.hubs = [token.url];
    before.data.pin = token.ca ?? "";
    Object.assign(before.data, limits);
    return { file: before, box: new BoxKeys(before.data.box) };
  }
  const box = createBoxKeys();
  const file = await FleetFile.create(directory, {
    v: 1,
    fleet: "",
    mid,
    seed: createUserKey().seed,
    box: box.privateKey,
    jwt: "",
    issued: 0,
    expires: 0,
    hubKey: new Uint8Array(),
    fingerprint: token.fp,
    servers: [],
    ca: "",
    hubs: [token.url],
    pin: token.ca ?? "",
    revision: 0,
    bucket: "",
    allow: before?.data.allow,
    targets: before?.data.targets,
    ...limits,
    left: "",
    parts: [],
    former: [],
  });
  return { file, box };
}

/**
 * Gets the next JWT of a member, and what else has changed at the hubs; the file's data have it
 * then, and are to be saved.
 *
 * @throws {FleetAgentError} `UNREACHABLE`, `JOIN_REFUSED`, `NOT_GENUINE`: of the last hub that was asked
 */
export async function renewJwt(
  data: FleetFileData,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const box = new BoxKeys(data.box);
  const { mid, seed, pin, fingerprint: fp } = data;
  const fingerprints = knownFingerprints(data);
  let failure: unknown;
  for (const url of data.hubs) {
    try {
      const request = signJoin({ fp, mid, name, seed, box: box.publicKey });
      const answered = await requestJwt({ hub: { url, pin }, request, box, fingerprints, signal });
      Object.assign(data, fromAnswer(answered, data.hubs));
      learnHubKeys(data, answered.answer.hubKeys);
      return;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      failure = error;
    }
  }
  throw failure;
}

interface JwtRequest {
  readonly hub: HubAddress;
  readonly request: JoinRequest;
  readonly box: BoxKeys;
  readonly fingerprints: readonly string[];
  readonly signal: AbortSignal | undefined;
}

async function requestJwt({ hub, request, box, fingerprints, signal }: JwtRequest) {
  const sealed = await askHub(hub, request, signal);
  try {
    return openJoinAnswer(box, request, sealed, ...fingerprints);
  } catch (error) {
    if (!(error instanceof MessageError || error instanceof SealError)) throw error;
    const message = `what answers at ${hub.url} is not this fleet's hub: ${error.message}`;
    throw new FleetAgentError("NOT_GENUINE", message, { cause: error });
  }
}

function fromAnswer(
  { answer }: ReturnType<typeof openJoinAnswer>,
  known: readonly string[],
): Pick<FleetFileData, "jwt" | "issued" | "expires" | "servers" | "ca" | "hubs"> {
  const { jwt, expires, servers, ca, hubs } = answer;
  return {
    jwt,
    issued: Math.floor(Date.now() / 1000),
    expires,
    servers,
    ca,
    hubs: [...(hubs.length === 0 ? known : hubs)],
  };
}

function readToken(text: string) {
  try {
    return decodeJoinToken(text);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new FleetAgentError("BAD_TOKEN", error.message, { cause: error });
  }
}
