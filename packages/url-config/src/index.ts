export { type AddressRule, isNetwork, readAddressRule } from "./address-rule.ts";
export { closestName } from "./closest-name.ts";
export { type CheckUrlOptions, checkUrl, type UrlReport } from "./describe/check-url.ts";
export { describeSettings } from "./describe/describe-settings.ts";
export { type DescriptionWords, ENGLISH } from "./describe/english.ts";
export { listSettings, type SettingLine } from "./describe/list-settings.ts";
export { type ListWarningsOptions, listWarnings } from "./describe/list-warnings.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export {
  DEFAULT_ENVIRONMENT,
  describeEnvironment,
  type EnvironmentDescription,
  type EnvironmentOptions,
  type EnvironmentResult,
  parseEnvironment,
  resolveEnvironmentSettings,
} from "./environment.ts";
export { fillAuto } from "./fill-auto.ts";
export { format } from "./format-url.ts";
export { formatHostPort, isLoopback, isWildcard, parseHostPort } from "./host-port.ts";
export { addressBytes, canonicalIpv6 } from "./ip-address.ts";
export { type Flow, type OtherEndOptions, urlForOtherEnd } from "./other-end.ts";
export { type PairPlan, pairUrls } from "./pair-urls.ts";
export { describeParameters, type ParameterDescription, type Scheme } from "./parameters.ts";
export type { LenientResult, ParseDefaults, ParseOptions } from "./parse-options.ts";
export {
  parse,
  parseLenient,
  parseMasterUrl,
  parseTunnelUrl,
  parseTunnelUrlLenient,
} from "./parse-url.ts";
export { type EnvironmentRoute, proxyFromEnvironment } from "./proxy-environment.ts";
export { formatQuota } from "./quota-kind.ts";
export { redact } from "./redact.ts";
export type {
  BalanceMode,
  BlockedProtocols,
  ClientSettings,
  EnvironmentSettings,
  HostPort,
  LogLevel,
  MasterSettings,
  McpMode,
  PoolType,
  ProxyAddress,
  Quota,
  Rates,
  ServerSettings,
  Settings,
  TlsMode,
  TunnelSettings,
} from "./settings.ts";
export { joinUrl, splitUrl, type UrlParts } from "./split-url.ts";
export { deriveTunnelKey } from "./tunnel-key.ts";
export { formatUrlFields, readUrlFields, type UrlFields } from "./url-fields.ts";
export {
  UrlConfigError,
  type UrlConfigErrorCode,
  type UrlProblem,
  type UrlProblemCode,
} from "./url-problem.ts";
