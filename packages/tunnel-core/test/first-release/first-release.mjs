import { Socket, SocketAddress, connect, createServer, isIP, isIPv4, isIPv6 } from "node:net";
import { setTimeout as setTimeout$1 } from "node:timers/promises";
import { Agent, request } from "node:https";
import { X509Certificate, createHash, createHmac, createPrivateKey, createSecretKey, hash, hkdfSync, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { TLSSocket, connect as connect$1, createSecureContext, rootCertificates } from "node:tls";
import { createSocket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import { lookup } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";

// packages/tunnel-core/src/errors.ts
/** Any failure of a tunnel; `cause` holds the system error behind it. */
var TunnelError = class extends Error {
	name = "TunnelError";
	code;
	constructor(code, message, options) {
		super(message, options);
		this.code = code;
	}
};

// packages/url-config/src/url-problem.ts
/** A URL, an environment or a duration that can't be used; `problems` lists all that is wrong. */
var UrlConfigError = class extends Error {
	name = "UrlConfigError";
	code;
	problems;
	constructor(code, problems, options) {
		super(summarise(problems), options);
		this.code = code;
		this.problems = problems;
	}
};
const mostMessages = 20;
function summarise(problems) {
	const messages = problems.slice(0, mostMessages).map(({ message }) => message);
	const rest = problems.length - messages.length;
	return [...messages, ...rest > 0 ? [`and ${rest} more`] : []].join("; ");
}
const longestQuotedCharacters = 120;
/** Puts a value into a message: quoted, control characters escaped, cut when very long. */
function quote(value) {
	const cut = value.length > longestQuotedCharacters ? `${value.slice(0, longestQuotedCharacters)}…` : value;
	return JSON.stringify(cut);
}
/** Builds a problem whose message follows one pattern. */
function urlProblem(code, parameter, value, allowed, fault) {
	return {
		code,
		parameter,
		value,
		allowed,
		message: `${parameter}${value === "" ? "" : ` ${quote(value)}`} ${fault ?? (value === "" ? "is empty" : "is not valid")}${allowed === "" ? "" : ` (allowed: ${allowed})`}`
	};
}

// packages/url-config/src/duration.ts
const nanosecondsPerUnit = /* @__PURE__ */ new Map([
	["ns", 1n],
	["us", 1000n],
	["µs", 1000n],
	["μs", 1000n],
	["ms", 1000000n],
	["s", 1000000000n],
	["m", 60000000000n],
	["h", 3600000000000n]
]);
const durationPattern = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const partPattern = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;
/** Largest value of Go's `time.Duration`: a signed 64-bit count of nanoseconds. */
const largestNanoseconds = 2n ** 63n - 1n;
/** A text longer than this is refused unread: no use for one, and its arithmetic grows with it. */
const longestTextCharacters = 128;
/** What `parseDuration` accepts, in words. */
const durationForm = "a duration such as 300ms, 15s or 1h30m";
/** Like {@link parseDuration}, but `undefined` instead of an error. */
function readDuration(text) {
	if (text.length > longestTextCharacters) return void 0;
	if (text === "0" || text === "+0" || text === "-0") return 0;
	if (!durationPattern.test(text)) return void 0;
	let nanoseconds = 0n;
	for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(partPattern)) {
		const scale = nanosecondsPerUnit.get(unit);
		if (scale === void 0) return void 0;
		nanoseconds += BigInt(whole === "" ? "0" : whole) * scale;
		if (fraction !== "") nanoseconds += BigInt(fraction) * scale / 10n ** BigInt(fraction.length);
	}
	const negative = text.startsWith("-");
	if (nanoseconds > largestNanoseconds + (negative ? 1n : 0n)) return void 0;
	if (nanoseconds === 0n) return 0;
	const milliseconds = Number(nanoseconds / 1000000n) + Number(nanoseconds % 1000000n) / 1e6;
	return negative ? -milliseconds : milliseconds;
}
/**
* Writes milliseconds as Go's `Duration.String` does: `5m0s`, `1h0m0s`, `1.5s`, `100ms`, `0s`.
*
* @param milliseconds a finite number; rounded to whole nanoseconds
*/
function formatDuration(milliseconds) {
	if (!Number.isFinite(milliseconds)) throw new RangeError(`duration of ${milliseconds} ms is not finite`);
	const sign = milliseconds < 0 ? "-" : "";
	const whole = Math.trunc(Math.abs(milliseconds));
	const rest = Math.round((Math.abs(milliseconds) - whole) * 1e6);
	const nanoseconds = BigInt(whole) * 1000000n + BigInt(rest);
	if (nanoseconds === 0n) return "0s";
	if (nanoseconds < 1000n) return `${sign}${nanoseconds}ns`;
	if (nanoseconds < 1000000n) return `${sign}${decimal(nanoseconds, 1000n)}µs`;
	if (nanoseconds < 1000000000n) return `${sign}${decimal(nanoseconds, 1000000n)}ms`;
	const minutes = nanoseconds / 60000000000n;
	const seconds = `${decimal(nanoseconds % 60000000000n, 1000000000n)}s`;
	if (minutes === 0n) return `${sign}${seconds}`;
	if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
	return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}
/** `amount / unit` as a decimal number without trailing zeros; `unit` is a power of ten. */
function decimal(amount, unit) {
	const digits = String(unit).length - 1;
	const fraction = String(amount % unit).padStart(digits, "0").replace(/0+$/, "");
	return fraction === "" ? String(amount / unit) : `${amount / unit}.${fraction}`;
}

// packages/url-config/src/closest-name.ts
/** The name at most two typing errors away from `text`, nearest first; `undefined` if none is. */
function closestName(text, names) {
	const wanted = text.toLowerCase().slice(0, 64);
	let best;
	let bestDistance = wanted.length > 3 ? 3 : 2;
	for (const name of names) {
		const distance = editDistance(wanted, name.toLowerCase());
		if (distance < bestDistance) {
			best = name;
			bestDistance = distance;
		}
	}
	return best;
}
/** Levenshtein's distance. */
function editDistance(one, other) {
	let row = Array.from({ length: other.length + 1 }, (_, index) => index);
	for (const [i, letter] of [...one].entries()) {
		const next = [i + 1];
		for (const [j, candidate] of [...other].entries()) {
			const substitution = (row[j] ?? 0) + (letter === candidate ? 0 : 1);
			next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
		}
		row = next;
	}
	return row.at(-1) ?? 0;
}

// packages/url-config/src/findings.ts
/** Starts an empty collection. */
function createFindings(code, lenient) {
	const problems = [];
	const warnings = [];
	return {
		lenient,
		warnings,
		fail(problem) {
			problems.push(problem);
		},
		overlook(problem, taken) {
			if (lenient) warnings.push({
				...problem,
				message: `${problem.message}: ${taken}`,
				taken
			});
			else problems.push(problem);
		},
		throwIfFailed() {
			if (problems.length > 0) throw new UrlConfigError(code, problems);
		}
	};
}

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/util.js
function getEnumValues(entries) {
	const numericValues = Object.values(entries).filter((v) => typeof v === "number");
	return Object.entries(entries).filter(([k, _]) => numericValues.indexOf(+k) === -1).map(([_, v]) => v);
}
function jsonStringifyReplacer(_, value) {
	if (typeof value === "bigint") return value.toString();
	return value;
}
const captureStackTrace = "captureStackTrace" in Error ? Error.captureStackTrace : (..._args) => {};
const propertyKeyTypes = /* @__PURE__*/ new Set([
	"string",
	"number",
	"symbol"
]);
function escapeRegex(str) {
	return str.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
function clone(inst, def, params) {
	const cl = new inst._zod.constr(def ?? inst._zod.def);
	if (!def || params?.parent) cl._zod.parent = inst;
	return cl;
}
function normalizeParams(_params) {
	const params = _params;
	if (!params) return {};
	if (typeof params === "string") return { error: () => params };
	if (params?.message !== void 0) {
		if (params?.error !== void 0) throw new Error("Cannot specify both `message` and `error` params");
		params.error = params.message;
	}
	delete params.message;
	if (typeof params.error === "string") return {
		...params,
		error: () => params.error
	};
	return params;
}
function aborted(x, startIndex = 0) {
	if (x.aborted === true) return true;
	for (let i = startIndex; i < x.issues.length; i++) if (x.issues[i]?.continue !== true) return true;
	return false;
}
function explicitlyAborted(x, startIndex = 0) {
	if (x.aborted === true) return true;
	for (let i = startIndex; i < x.issues.length; i++) if (x.issues[i]?.continue === false) return true;
	return false;
}
function unwrapMessage(message) {
	return typeof message === "string" ? message : message?.message;
}
function attachSchema(issues, start, inst) {
	var _a;
	for (let i = start; i < issues.length; i++) (_a = issues[i]).schema ?? (_a.schema = inst);
}
function finalizeIssue(iss, ctx, config) {
	var _a;
	const traits = iss.inst?._zod?.traits;
	if (traits?.has("$ZodType")) {
		if (traits.has("$ZodCheck")) (_a = iss).schema ?? (_a.schema = iss.inst);
		else iss.schema = iss.inst;
	}
	const schemaError = iss.schema !== iss.inst ? iss.schema?._zod.def?.error : void 0;
	const message = iss.message ? iss.message : unwrapMessage(iss.inst?._zod.def?.error?.(iss)) ?? unwrapMessage(schemaError?.(iss)) ?? unwrapMessage(ctx?.error?.(iss)) ?? unwrapMessage(config.customError?.(iss)) ?? unwrapMessage(config.localeError?.(iss)) ?? "Invalid input";
	const full = {};
	for (const k of Object.keys(iss)) {
		if (k === "inst" || k === "schema" || k === "continue" || k === "input" || k === "__proto__") continue;
		full[k] = iss[k];
	}
	full.path ?? (full.path = []);
	full.message = message;
	if (ctx?.reportInput) full.input = iss.input;
	return full;
}
function issue(...args) {
	const [iss, input, inst] = args;
	if (typeof iss === "string") return {
		message: iss,
		code: "custom",
		input,
		inst
	};
	return { ...iss };
}
/**
* Installs a trait's members on its prototype. Each value builds that member for the instance on first read; the built value shadows the accessor as an own property, so a detached `const { parse } = schema` keeps working.
*
* Call this from a `proto` initializer, which runs once per prototype — never per instance.
*/
function members(proto, table) {
	for (const key in table) {
		const desc = Object.getOwnPropertyDescriptor(table, key);
		if (desc.get) Object.defineProperty(proto, key, {
			...desc,
			enumerable: false
		});
		else defineBound(proto, key, desc.value);
	}
}
/** Shadows a prototype member with an own value, so a getter that builds from the instance runs once. */
function own(inst, key, value, enumerable = true) {
	Object.defineProperty(inst, key, {
		configurable: true,
		writable: true,
		enumerable,
		value
	});
	return value;
}
/** Like {@link own}, for a member that was never an own data property and has to stay out of `Object.keys`. */
function hide(inst, key, value) {
	return own(inst, key, value, false);
}
function defineBound(proto, key, fn) {
	Object.defineProperty(proto, key, {
		configurable: true,
		get() {
			return this == null ? fn : own(this, key, fn.bind(this));
		},
		set(value) {
			own(this, key, value);
		}
	});
}
let installing;
let broke = false;
const breaker = {
	configurable: true,
	get() {
		broke = true;
	}
};
/**
* Installs a lazily-derived internal on the `_zod` prototype of `inst`'s
* constructor, computed from the internals object itself and cached there on
* first read. One accessor per constructor rather than one per instance.
*/
function defineLazyInternal(inst, key, compute) {
	const proto = Object.getPrototypeOf(inst._zod);
	if (key in proto && installing !== inst._zod) {
		installing = void 0;
		return;
	}
	installing = inst._zod;
	Object.defineProperty(proto, key, {
		configurable: true,
		get() {
			Object.defineProperty(this, key, breaker);
			const outer = broke;
			broke = false;
			try {
				const value = compute(this);
				if (broke) delete this[key];
				else Object.defineProperty(this, key, {
					configurable: true,
					writable: true,
					value
				});
				broke = broke || outer;
				return value;
			} catch (err) {
				delete this[key];
				broke = broke || outer;
				throw err;
			}
		},
		set(value) {
			Object.defineProperty(this, key, {
				configurable: true,
				writable: true,
				value
			});
		}
	});
}

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/core.js
var _a;
/** A special constant with type `never` */
const NEVER = /*@__PURE__*/ Object.freeze({ status: "aborted" });
const _zodDesc = {
	value: void 0,
	enumerable: false
};
let _E = "captureStackTrace" in Error ? Error : null;
function newError(Definition) {
	const E = _E;
	if (E) {
		const saved = E.stackTraceLimit;
		if (typeof saved === "number") {
			try {
				E.stackTraceLimit = 0;
			} catch {
				_E = null;
				return new Definition();
			}
			try {
				return new Definition();
			} finally {
				E.stackTraceLimit = saved;
			}
		}
	}
	return new Definition();
}
/* @__NO_SIDE_EFFECTS__ */
function $constructor(name, initializer, proto, params) {
	const zodProto = {};
	function Internals(def) {
		this.def = def;
		this.constr = _;
		this.traits = /* @__PURE__ */ new Set();
	}
	Internals.prototype = zodProto;
	const protoMembers = proto;
	const initialized = protoMembers && /* @__PURE__ */ new WeakSet();
	function init(inst, def) {
		if (!inst._zod) {
			_zodDesc.value = new Internals(def);
			try {
				Object.defineProperty(inst, "_zod", _zodDesc);
			} finally {
				_zodDesc.value = void 0;
			}
		} else if (inst._zod.traits.has(name)) return;
		inst._zod.traits.add(name);
		initializer(inst, def);
		if (initialized) {
			const own = Object.getPrototypeOf(inst);
			const ctorProto = inst._zod.constr.prototype;
			let up = own;
			while (up && up !== ctorProto) up = Object.getPrototypeOf(up);
			const target = up ?? own;
			if (!initialized.has(target)) {
				initialized.add(target);
				members(target, protoMembers);
			}
		}
		const proto = _.prototype;
		for (const k in proto) {
			if (!Object.prototype.hasOwnProperty.call(proto, k)) continue;
			if (!(k in inst)) inst[k] = proto[k].bind(inst);
		}
	}
	const Parent = params?.Parent ?? Object;
	class Definition extends Parent {}
	Object.defineProperty(Definition, "name", { value: name });
	function _(def) {
		const inst = params?.Parent ? newError(Definition) : this;
		init(inst, def);
		const deferred = inst._zod.deferred;
		if (deferred) {
			for (const fn of deferred) fn();
			inst._zod.deferred = void 0;
		}
		const pp = globalThis.__zod_globalConfig?.postProcessor;
		if (pp) pp(inst);
		return inst;
	}
	Object.defineProperty(_, "init", { value: init });
	Object.defineProperty(_, Symbol.hasInstance, { value: (inst) => {
		if (params?.Parent && inst instanceof params.Parent) return true;
		return inst?._zod?.traits?.has(name);
	} });
	Object.defineProperty(_, "name", { value: name });
	return _;
}
var $ZodAsyncError = class extends Error {
	constructor() {
		super(`Encountered Promise during synchronous parse. Use .parseAsync() instead.`);
	}
};
var $ZodEncodeError = class extends Error {
	constructor(name) {
		super(`Encountered unidirectional transform during encode: ${name}`);
		this.name = "ZodEncodeError";
	}
};
(_a = globalThis).__zod_globalConfig ?? (_a.__zod_globalConfig = {});
const globalConfig = globalThis.__zod_globalConfig;
function config(newConfig) {
	if (newConfig) Object.assign(globalConfig, newConfig);
	return globalConfig;
}

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/errors.js
function _getMessage() {
	const internals = this._zod;
	internals.message ?? (internals.message = JSON.stringify(internals.def, jsonStringifyReplacer, 2));
	return internals.message;
}
function _setMessage(value) {
	this._zod.message = value;
}
const _messageDesc = {
	get: _getMessage,
	set: _setMessage,
	enumerable: true,
	configurable: true
};
const _issuesDesc = {
	value: void 0,
	enumerable: false
};
const _installedToString = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
const initializer = (inst, def) => {
	inst.name = "$ZodError";
	_issuesDesc.value = def;
	Object.defineProperty(inst, "issues", _issuesDesc);
	_issuesDesc.value = void 0;
	Object.defineProperty(inst, "message", _messageDesc);
	const proto = Object.getPrototypeOf(inst);
	if (!_installedToString.has(proto)) {
		_installedToString.add(proto);
		Object.defineProperty(proto, "toString", {
			configurable: true,
			enumerable: false,
			get() {
				const value = () => this.message;
				Object.defineProperty(this, "toString", {
					value,
					configurable: true,
					writable: true
				});
				return value;
			},
			set(value) {
				Object.defineProperty(this, "toString", {
					value,
					configurable: true,
					writable: true
				});
			}
		});
	}
};
const $ZodRealError = /* @__PURE__ */ $constructor("$ZodError", initializer, void 0, { Parent: Error });

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/parse.js
const _parse = (_Err) => {
	const fn = (schema, value, _ctx, _params) => {
		const ctx = _ctx ? {
			..._ctx,
			async: false
		} : { async: false };
		const result = schema._zod.run({
			value,
			issues: []
		}, ctx);
		if (result instanceof Promise) throw new $ZodAsyncError();
		if (result.issues.length) {
			const e = new ((_params?.Err) ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
			captureStackTrace(e, _params?.callee ?? fn);
			throw e;
		}
		return result.value;
	};
	return fn;
};
const parse = /* @__PURE__*/ _parse($ZodRealError);
const _parseAsync = (_Err) => {
	const fn = async (schema, value, _ctx, params) => {
		const ctx = _ctx ? {
			..._ctx,
			async: true
		} : { async: true };
		let result = schema._zod.run({
			value,
			issues: []
		}, ctx);
		if (result instanceof Promise) result = await result;
		if (result.issues.length) {
			const e = new ((params?.Err) ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
			captureStackTrace(e, params?.callee ?? fn);
			throw e;
		}
		return result.value;
	};
	return fn;
};
const parseAsync = /* @__PURE__*/ _parseAsync($ZodRealError);
const _safeParse = (_Err) => (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		async: false
	} : { async: false };
	const result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) throw new $ZodAsyncError();
	return result.issues.length ? failure(_Err, result.issues, ctx) : {
		success: true,
		data: result.value
	};
};
const safeParse = /* @__PURE__*/ _safeParse($ZodRealError);
function failure(Err, issues, ctx) {
	let error;
	return {
		success: false,
		get error() {
			if (!error) {
				error = new Err(issues.map((iss) => finalizeIssue(iss, ctx, config())));
				issues = void 0;
				ctx = void 0;
			}
			return error;
		},
		set error(e) {
			error = e;
			issues = void 0;
			ctx = void 0;
		}
	};
}
const _safeParseAsync = (_Err) => async (schema, value, _ctx) => {
	const ctx = _ctx ? {
		..._ctx,
		async: true
	} : { async: true };
	let result = schema._zod.run({
		value,
		issues: []
	}, ctx);
	if (result instanceof Promise) result = await result;
	return result.issues.length ? failure(_Err, result.issues, ctx) : {
		success: true,
		data: result.value
	};
};
const safeParseAsync = /* @__PURE__*/ _safeParseAsync($ZodRealError);

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/regexes.js
const anyString = /^[\s\S]{0,}$/;

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/checks.js
const $ZodCheck = /*@__PURE__*/ $constructor("$ZodCheck", (inst, def) => {
	var _a;
	inst._zod ?? (inst._zod = {});
	inst._zod.def = def;
	(_a = inst._zod).onattach ?? (_a.onattach = []);
});

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/versions.js
const version = {
	major: 4,
	minor: 6,
	patch: 7
};

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/schemas.js
const $ZodType = /*@__PURE__*/ $constructor("$ZodType", (inst, def) => {
	var _a;
	inst ?? (inst = {});
	inst._zod.def = def;
	inst._zod.bag = inst._zod.bag || {};
	inst._zod.version = version;
	const defChecks = inst._zod.def.checks;
	const checks = inst._zod.traits.has("$ZodCheck") ? [inst, ...defChecks ?? []] : defChecks?.length ? [...defChecks] : [];
	for (const ch of checks) for (const fn of ch._zod.onattach) fn(inst);
	if (checks.length === 0) {
		(_a = inst._zod).deferred ?? (_a.deferred = []);
		inst._zod.deferred?.push(() => {
			inst._zod.run = inst._zod.parse;
		});
	} else {
		const runChecks = (payload, checks, ctx) => {
			if (payload.memo) return payload;
			let isAborted = aborted(payload);
			let asyncResult;
			for (const ch of checks) {
				if (ch._zod.def.when) {
					if (explicitlyAborted(payload)) continue;
					if (!ch._zod.def.when(payload)) continue;
				} else if (isAborted) continue;
				const currLen = payload.issues.length;
				const _ = ch._zod.check(payload);
				if (_ instanceof Promise && ctx?.async === false) throw new $ZodAsyncError();
				if (asyncResult || _ instanceof Promise) asyncResult = (asyncResult ?? Promise.resolve()).then(async () => {
					await _;
					if (payload.issues.length === currLen) return;
					attachSchema(payload.issues, currLen, inst);
					if (!isAborted) isAborted = aborted(payload, currLen);
				});
				else {
					if (payload.issues.length === currLen) continue;
					attachSchema(payload.issues, currLen, inst);
					if (!isAborted) isAborted = aborted(payload, currLen);
				}
			}
			if (asyncResult) return asyncResult.then(() => {
				return payload;
			});
			return payload;
		};
		const handleCanaryResult = (canary, payload, ctx) => {
			if (aborted(canary)) {
				canary.aborted = true;
				return canary;
			}
			const checkResult = runChecks(payload, checks, ctx);
			if (checkResult instanceof Promise) {
				if (ctx.async === false) throw new $ZodAsyncError();
				return checkResult.then((checkResult) => inst._zod.parse(checkResult, ctx));
			}
			return inst._zod.parse(checkResult, ctx);
		};
		inst._zod.run = (payload, ctx) => {
			if (ctx.skipChecks) return inst._zod.parse(payload, ctx);
			if (ctx.direction === "backward") {
				const canary = inst._zod.parse({
					value: payload.value,
					issues: []
				}, {
					...ctx,
					skipChecks: true
				});
				if (canary instanceof Promise) return canary.then((canary) => {
					return handleCanaryResult(canary, payload, ctx);
				});
				return handleCanaryResult(canary, payload, ctx);
			}
			const result = inst._zod.parse(payload, ctx);
			if (result instanceof Promise) {
				if (ctx.async === false) throw new $ZodAsyncError();
				return result.then((result) => runChecks(result, checks, ctx));
			}
			return runChecks(result, checks, ctx);
		};
	}
}, {
	get "~standard"() {
		return hide(this, "~standard", standardProps(this));
	},
	set "~standard"(value) {
		own(this, "~standard", value);
	}
});
/** The Standard Schema surface for `inst`. Shared so wrappers can extend it without forcing it. */
const toStandardResult = (r, ctx) => r.issues.length ? { issues: r.issues.map((iss) => finalizeIssue(iss, ctx, config())) } : { value: r.value };
async function validateAsync(inst, value) {
	const ctx = { async: true };
	return toStandardResult(await inst._zod.run({
		value,
		issues: []
	}, ctx), ctx);
}
function standardProps(inst) {
	return {
		validate: (value) => {
			const ctx = { async: false };
			try {
				const r = inst._zod.run({
					value,
					issues: []
				}, ctx);
				if (!(r instanceof Promise)) return toStandardResult(r, ctx);
			} catch (_) {}
			return validateAsync(inst, value);
		},
		vendor: "zod",
		version: 1
	};
}
const $ZodString = /*@__PURE__*/ $constructor("$ZodString", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.pattern = def.pattern ?? anyString;
	inst._zod.parse = (payload, _) => {
		if (def.coerce) try {
			payload.value = String(payload.value);
		} catch (_) {}
		if (typeof payload.value === "string") return payload;
		payload.issues.push({
			expected: "string",
			code: "invalid_type",
			input: payload.value,
			inst
		});
		return payload;
	};
});
const $ZodEnum = /*@__PURE__*/ $constructor("$ZodEnum", (inst, def) => {
	$ZodType.init(inst, def);
	const values = getEnumValues(def.entries);
	const valuesSet = new Set(values);
	inst._zod.values = valuesSet;
	defineLazyInternal(inst, "pattern", (zod) => {
		const patternValues = getEnumValues(zod.def.entries).filter((k) => propertyKeyTypes.has(typeof k));
		return new RegExp(patternValues.length ? `^(${patternValues.map((o) => escapeRegex(o.toString())).join("|")})$` : "^[^\\s\\S]$");
	});
	inst._zod.parse = (payload, _ctx) => {
		const input = payload.value;
		if (valuesSet.has(input)) return payload;
		payload.issues.push({
			code: "invalid_value",
			values,
			input,
			inst
		});
		return payload;
	};
});
const $ZodTransform = /*@__PURE__*/ $constructor("$ZodTransform", (inst, def) => {
	$ZodType.init(inst, def);
	inst._zod.optin = "optional";
	globalConfig.memoizer?.guard(inst);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") throw new $ZodEncodeError(inst.constructor.name);
		const _out = def.transform(payload.value, payload);
		if (ctx.async) return (_out instanceof Promise ? _out : Promise.resolve(_out)).then((output) => {
			payload.value = output;
			return payload;
		});
		if (_out instanceof Promise) throw new $ZodAsyncError();
		payload.value = _out;
		return payload;
	};
});
const $ZodPipe = /*@__PURE__*/ $constructor("$ZodPipe", (inst, def) => {
	$ZodType.init(inst, def);
	defineLazyInternal(inst, "values", (zod) => zod.def.in._zod.values);
	defineLazyInternal(inst, "optin", (zod) => zod.def.in._zod.optin);
	defineLazyInternal(inst, "optout", (zod) => zod.def.out._zod.optout);
	defineLazyInternal(inst, "propValues", (zod) => zod.def.in._zod.propValues);
	inst._zod.parse = (payload, ctx) => {
		if (ctx.direction === "backward") {
			const right = def.out._zod.run(payload, ctx);
			if (right instanceof Promise) return right.then((right) => handlePipeResult(right, def.in, ctx));
			return handlePipeResult(right, def.in, ctx);
		}
		const left = def.in._zod.run(payload, ctx);
		if (left instanceof Promise) return left.then((left) => handlePipeResult(left, def.out, ctx));
		return handlePipeResult(left, def.out, ctx);
	};
});
function handlePipeResult(left, next, ctx) {
	if (left.issues.some((iss) => iss.code !== "unrecognized_keys")) {
		left.aborted = true;
		return left;
	}
	return next._zod.run({
		value: left.value,
		issues: left.issues
	}, ctx);
}
const $ZodCustom = /*@__PURE__*/ $constructor("$ZodCustom", (inst, def) => {
	$ZodCheck.init(inst, def);
	$ZodType.init(inst, def);
	inst._zod.parse = (payload, _) => {
		return payload;
	};
	inst._zod.check = (payload) => {
		const input = payload.value;
		const r = def.fn(input);
		if (r instanceof Promise) return r.then((r) => handleRefineResult(r, payload, input, inst));
		handleRefineResult(r, payload, input, inst);
	};
});
function handleRefineResult(result, payload, input, inst) {
	if (!result) {
		const _iss = {
			code: "custom",
			input,
			inst,
			path: [...inst._zod.def.path ?? []],
			continue: !inst._zod.def.abort
		};
		if (inst._zod.def.params) _iss.params = inst._zod.def.params;
		payload.issues.push(issue(_iss));
	}
}

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/core/api.js
function snapshotChecks(def) {
	if (def.checks) def.checks = [...def.checks];
	return def;
}
// @__NO_SIDE_EFFECTS__
function _string(Class, params) {
	return new Class(snapshotChecks({
		type: "string",
		...normalizeParams(params)
	}));
}
// @__NO_SIDE_EFFECTS__
function _refine(Class, fn, _params) {
	return new Class({
		type: "custom",
		check: "custom",
		fn,
		...normalizeParams(_params)
	});
}

// node_modules/.pnpm/zod@4.6.7/node_modules/zod/v4/mini/schemas.js
const ZodMiniType = /*@__PURE__*/ $constructor("ZodMiniType", (inst, def) => {
	if (!inst._zod) throw new Error("Uninitialized schema in ZodMiniType.");
	$ZodType.init(inst, def);
	inst.def = def;
	inst.type = def.type;
}, {
	get with() {
		return this.check;
	},
	set with(value) {
		own(this, "with", value);
	},
	parse(data, params) {
		return parse(this, data, params, { callee: this.parse });
	},
	parseAsync(data, params) {
		return parseAsync(this, data, params, { callee: this.parseAsync });
	},
	safeParse(data, params) {
		return safeParse(this, data, params);
	},
	safeParseAsync(data, params) {
		return safeParseAsync(this, data, params);
	},
	check(...checks) {
		const def = this.def;
		return this.clone({
			...def,
			checks: [...def.checks ?? [], ...checks.map((ch) => typeof ch === "function" ? { _zod: {
				check: ch,
				def: { check: "custom" },
				onattach: []
			} } : ch)]
		}, { parent: true });
	},
	clone(_def, params) {
		return clone(this, _def, params);
	},
	brand() {
		return this;
	},
	register(reg, meta) {
		reg.add(this, meta);
		return this;
	},
	apply(fn, ...args) {
		return args.length === 0 ? fn(this) : fn(this, ...args);
	}
});
const ZodMiniString = /*@__PURE__*/ $constructor("ZodMiniString", (inst, def) => {
	$ZodString.init(inst, def);
	ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function string(params) {
	return _string(ZodMiniString, params);
}
const ZodMiniEnum = /*@__PURE__*/ $constructor("ZodMiniEnum", (inst, def) => {
	$ZodEnum.init(inst, def);
	ZodMiniType.init(inst, def);
	inst.options = [...inst._zod.values];
});
// @__NO_SIDE_EFFECTS__
function _enum(values, params) {
	const entries = Array.isArray(values) ? Object.fromEntries(values.map((v) => [v, v])) : values;
	return new ZodMiniEnum({
		type: "enum",
		entries,
		...normalizeParams(params)
	});
}
const ZodMiniTransform = /*@__PURE__*/ $constructor("ZodMiniTransform", (inst, def) => {
	$ZodTransform.init(inst, def);
	ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function transform(fn) {
	return new ZodMiniTransform({
		type: "transform",
		transform: fn
	});
}
const ZodMiniPipe = /*@__PURE__*/ $constructor("ZodMiniPipe", (inst, def) => {
	$ZodPipe.init(inst, def);
	ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function pipe(in_, out) {
	return new ZodMiniPipe({
		type: "pipe",
		in: in_,
		out
	});
}
const ZodMiniCustom = /*@__PURE__*/ $constructor("ZodMiniCustom", (inst, def) => {
	$ZodCustom.init(inst, def);
	ZodMiniType.init(inst, def);
});
// @__NO_SIDE_EFFECTS__
function refine(fn, _params = {}) {
	return _refine(ZodMiniCustom, fn, _params);
}

// packages/url-config/src/host-port.ts
const longestHostCharacters = 253;
const hostName = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;
const octet = /^(?:0|[1-9]\d{0,2})$/;
const ipv6Characters = /^[0-9A-Fa-f:.]{2,45}$/;
const zone = /^[A-Za-z0-9._~-]{1,64}$/;
/** What an address may look like, in words. */
const addressForm = "host:port, :port or [IPv6]:port, port 0 to 65535";
/** Whether `text` is an IPv4 address in dotted form, without leading zeros. */
function isIpv4(text) {
	const parts = text.split(".");
	return parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255);
}
/** Whether `text` is an IPv6 address without brackets; `%zone` may follow. */
function isIpv6(text) {
	const percent = text.indexOf("%");
	if (percent >= 0 && !zone.test(text.slice(percent + 1))) return false;
	const address = percent < 0 ? text : text.slice(0, percent);
	return ipv6Characters.test(address) && URL.canParse(`http://[${address}]`);
}
/** Whether `text` is a host name: letters, digits, `-`, `_` and dots, not all of it digits. */
function isHostName(text) {
	if (text.length > longestHostCharacters || !hostName.test(text)) return false;
	return !/(?:^|\.)\d+\.?$/.test(text);
}
/** Whether connections to `host` stay on this machine, as far as the text tells. */
function isLoopback(host) {
	const name = host.toLowerCase().replace(/\.$/, "");
	if (name === "localhost" || name.endsWith(".localhost")) return true;
	const ipv4 = unmapped(name);
	if (isIpv4(ipv4)) return ipv4.startsWith("127.");
	return isIpv6(name) && canonicalIpv6(name) === "::1";
}
/** Whether `host` stands for all interfaces: empty, `0.0.0.0` or `::` in any spelling. */
function isWildcard(host) {
	if (host === "" || unmapped(host.toLowerCase()) === "0.0.0.0") return true;
	return isIpv6(host) && canonicalIpv6(host) === "::";
}
/** Whether two hosts are the same by their text: case, a final dot and IPv6 spelling don't count. */
function isSameHost(one, other) {
	return comparable(one) === comparable(other);
}
function comparable(host) {
	const name = unmapped(host.toLowerCase().replace(/\.$/, ""));
	return isIpv6(name) ? canonicalIpv6(name) : name;
}
/** The IPv4 address inside `::ffff:…`, else the text itself. */
function unmapped(host) {
	if (!isIpv6(host)) return host;
	const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonicalIpv6(host));
	if (match === null) return host;
	const [high, low] = [Number.parseInt(match[1] ?? "", 16), Number.parseInt(match[2] ?? "", 16)];
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
/** RFC 5952 spelling; the zone stays as it is. */
function canonicalIpv6(address) {
	const percent = address.indexOf("%");
	const [bare, zoneText] = percent < 0 ? [address, ""] : [address.slice(0, percent), address.slice(percent)];
	return `${new URL(`http://[${bare}]`).hostname.slice(1, -1)}${zoneText}`;
}
/** Reads an address for `parameter`; a problem without its message's context otherwise. */
function readHostPort(text, parameter) {
	const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text);
	if (match === null) {
		const fault = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text) ? "has too many colons (an IPv6 address needs brackets)" : "is not an address";
		return urlProblem("INVALID_VALUE", parameter, text, addressForm, fault);
	}
	const [, bracketed, plain = "", portText] = match;
	if (portText === void 0 || portText === "") return urlProblem("MISSING", parameter, text, addressForm, "has no port");
	const port = /^(?:0|[1-9]\d{0,4})$/.test(portText) ? Number(portText) : NaN;
	if (!(port <= 65535)) return urlProblem("INVALID_VALUE", parameter, text, addressForm, "has an invalid port");
	const host = bracketed === void 0 ? plain : bracketed.replace("%25", "%");
	if (!(bracketed === void 0 ? host === "" || isIpv4(host) || isHostName(host) : isIpv6(host))) return urlProblem("INVALID_VALUE", parameter, text, addressForm, "has an invalid host");
	return {
		host,
		port
	};
}
/** Writes an address as a URL has it: IPv6 in brackets, the `%` of a zone as `%25`. */
function formatHostPort({ host, port }) {
	return host.includes(":") ? `[${host.replace("%", "%25")}]:${port}` : `${host}:${port}`;
}

// packages/url-config/src/value-schemas.ts
/**
* Longest duration of a setting, ms: 596 hours. Node's timers hold 2^31 - 1 ms and fire at once when
* asked for more.
*/
const longestDurationMs = 21456e5;
/** One of the given words. */
function oneOf(words) {
	return {
		schema: _enum(words),
		allowed: words.join(", ")
	};
}
/** One of the digits `0` to `last`, as a number. */
function digit(digits) {
	return {
		schema: lookUp(new Map(digits.map((value) => [String(value), value]))),
		allowed: digits.join(", ")
	};
}
/** `1` for true and `0` for false, or the other way round. */
function flag(on) {
	return {
		schema: lookUp(/* @__PURE__ */ new Map([["0", on === "0"], ["1", on === "1"]])),
		allowed: "0, 1"
	};
}
/** A whole number of decimal digits, times `scale` in the settings. */
function wholeNumber(least, most, scale = 1) {
	return {
		schema: /* @__PURE__ */ pipe((/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => digits.test(text) && Number(text) >= least && Number(text) <= most)), /* @__PURE__ */ transform((text) => Number(text) * scale)),
		allowed: `a whole number, ${least} to ${most}`,
		clamp: (text) => digits.test(text) && Number(text) > most ? {
			value: most * scale,
			text: String(most)
		} : void 0
	};
}
/** A duration in milliseconds, in Go's form. */
function duration(leastMs, mostMs = longestDurationMs) {
	const range = `from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
	return {
		schema: /* @__PURE__ */ pipe((/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => isBetween(readDuration(text), leastMs, mostMs))), /* @__PURE__ */ transform((text) => readDuration(text) ?? leastMs)),
		allowed: `${durationForm}, ${range}`,
		clamp: (text) => isBetween(readDuration(text), mostMs, Number.POSITIVE_INFINITY) ? {
			value: mostMs,
			text: formatDuration(mostMs)
		} : void 0
	};
}
/** The digits of `block`. */
function blockDigits() {
	return {
		schema: /* @__PURE__ */ pipe((/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => /^[0-3]{1,8}$/.test(text))), /* @__PURE__ */ transform((text) => ({
			socks: text.includes("1"),
			http: text.includes("2"),
			tls: text.includes("3")
		}))),
		allowed: "any of the digits 1 (SOCKS), 2 (HTTP), 3 (TLS), or 0 for none"
	};
}
/** `auto` or a local IP address. */
function dialAddress() {
	return {
		schema: (/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => text === "auto" || isIpv4(text) || isIpv6(text))),
		allowed: "auto or an IP address without brackets"
	};
}
/** A host name or an IP address; `none` for `undefined`. */
function serverName() {
	return {
		schema: /* @__PURE__ */ pipe((/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => isHostName(text) || isIpv4(text) || isIpv6(text))), /* @__PURE__ */ transform((text) => text === "none" ? void 0 : text)),
		allowed: "a host name, an IP address, or none"
	};
}
/** The path of a file; no default. */
function filePath() {
	return {
		schema: /* @__PURE__ */ pipe((/* @__PURE__ */ string()).check(/* @__PURE__ */ refine((text) => text !== "" && !text.includes("\0"))), /* @__PURE__ */ transform((text) => text)),
		allowed: "the path of a PEM file"
	};
}
const digits = /^\d{1,15}$/;
function isBetween(value, least, most) {
	return value !== void 0 && value >= least && value <= most;
}
/** The value that belongs to the text. */
function lookUp(values) {
	return /* @__PURE__ */ pipe(/* @__PURE__ */ string(), /* @__PURE__ */ transform((text, context) => {
		const value = values.get(text);
		if (value === void 0) {
			context.issues.push({
				code: "custom",
				input: text
			});
			return NEVER;
		}
		return value;
	}));
}

// packages/url-config/src/environment.ts
/** The settings of an empty environment. */
const DEFAULT_ENVIRONMENT = {
	semaphoreLimit: 65536,
	tcpDataBufferBytes: 524288,
	udpDataBufferBytes: 4194304,
	handshakeTimeoutMs: 5e3,
	tcpDialTimeoutMs: 5e3,
	udpDialTimeoutMs: 5e3,
	udpReadTimeoutMs: 3e4,
	poolGetTimeoutMs: 5e3,
	minPoolIntervalMs: 100,
	maxPoolIntervalMs: 1e3,
	reportIntervalMs: 5e3,
	serviceCooldownMs: 3e3,
	shutdownTimeoutMs: 5e3,
	reloadIntervalMs: 36e5
};
const interval = duration(1);
const bytes = (least, most) => wholeNumber(least, most);
const variables = [
	define$1("NP_SEMAPHORE_LIMIT", "semaphoreLimit", wholeNumber(1, 1e6), "most queued signals"),
	define$1("NP_TCP_DATA_BUF_SIZE", "tcpDataBufferBytes", bytes(1024, 67108864), "relay buffer for TCP, bytes"),
	define$1("NP_UDP_DATA_BUF_SIZE", "udpDataBufferBytes", bytes(1024, 1073741824), "most bytes queued for one UDP session"),
	define$1("NP_HANDSHAKE_TIMEOUT", "handshakeTimeoutMs", interval, "longest handshake"),
	define$1("NP_TCP_DIAL_TIMEOUT", "tcpDialTimeoutMs", interval, "longest TCP dial"),
	define$1("NP_UDP_DIAL_TIMEOUT", "udpDialTimeoutMs", interval, "longest UDP dial"),
	define$1("NP_UDP_READ_TIMEOUT", "udpReadTimeoutMs", interval, "a UDP session without traffic ends after this"),
	define$1("NP_POOL_GET_TIMEOUT", "poolGetTimeoutMs", interval, "longest wait for a pool connection"),
	define$1("NP_MIN_POOL_INTERVAL", "minPoolIntervalMs", interval, "shortest pause between refills that fail"),
	define$1("NP_MAX_POOL_INTERVAL", "maxPoolIntervalMs", interval, "longest pause between refills that fail"),
	define$1("NP_REPORT_INTERVAL", "reportIntervalMs", interval, "pings and check points"),
	define$1("NP_SERVICE_COOLDOWN", "serviceCooldownMs", interval, "longest wait before a restart"),
	define$1("NP_SHUTDOWN_TIMEOUT", "shutdownTimeoutMs", duration(0, longestDurationMs), "longest graceful stop; 0 = stop at once"),
	define$1("NP_RELOAD_INTERVAL", "reloadIntervalMs", interval, "state backup, certificate reload")
];
function define$1(name, field, kind, meaning) {
	const value = DEFAULT_ENVIRONMENT[field];
	return {
		name,
		field,
		kind,
		defaultText: field.endsWith("Ms") ? formatDuration(value) : String(value),
		allowed: kind.allowed,
		meaning
	};
}

// packages/url-config/src/parameters.ts
/** Mbit/s to bytes per second. */
const bytesPerSecondOfMegabit = 125e3;
const everywhere = [
	"server",
	"client",
	"master"
];
const tunnels = ["server", "client"];
const listeners = ["server", "master"];
/**
* Every query parameter, in the order of the documents. The parser knows no other and has no second
* list of defaults or limits.
*/
const parameters = {
	log: define("log", everywhere, "info", "info", {
		...oneOf([
			"none",
			"debug",
			"info",
			"warn",
			"error",
			"event"
		]),
		meaning: "least level of log lines; event shows check points only, none nothing"
	}),
	tls: define("tls", listeners, 0, "0", {
		...digit([
			0,
			1,
			2
		]),
		meaning: "0 no TLS, 1 self-signed certificate made in memory, 2 certificate from crt and key"
	}),
	crt: define("crt", listeners, void 0, void 0, {
		...filePath(),
		meaning: "PEM certificate file for tls=2"
	}),
	key: define("key", listeners, void 0, void 0, {
		...filePath(),
		meaning: "PEM private key file for tls=2"
	}),
	min: define("min", ["client"], 64, "64", {
		...wholeNumber(1, 65535),
		meaning: "least idle pool connections (dual-end)"
	}),
	max: define("max", ["server"], 1024, "1024", {
		...wholeNumber(1, 65535),
		meaning: "most idle pool connections; handed to the client"
	}),
	mode: define("mode", tunnels, 0, "0", {
		...digit([
			0,
			1,
			2
		]),
		meaning: "server: 0 auto, 1 reverse, 2 forward; client: 0 auto, 1 single-end, 2 dual-end"
	}),
	read: define("read", tunnels, 6e5, "10m0s", {
		...duration(0),
		meaning: "close a relayed connection after this time without a byte; 0 = never"
	}),
	rate: define("rate", tunnels, 0, "0", {
		...wholeNumber(0, 1e6, bytesPerSecondOfMegabit),
		meaning: "Mbit/s for the instance, each direction on its own; 0 = no limit"
	}),
	proxy: define("proxy", tunnels, false, "0", {
		...flag("1"),
		meaning: "1 = PROXY protocol v1 header to the target"
	}),
	slot: define("slot", tunnels, 65536, "65536", {
		...wholeNumber(0, 1e6),
		meaning: "most concurrent TCP connections and UDP sessions together; 0 = no limit"
	}),
	dns: define("dns", tunnels, 3e5, "5m0s", {
		...duration(0),
		meaning: "how long a resolved name is kept; 0 = look up at each dial"
	}),
	sni: define("sni", ["client"], void 0, "none", {
		...serverName(),
		meaning: "server name for TLS and the handshake; none = the tunnel's host name"
	}),
	dial: define("dial", tunnels, "auto", "auto", {
		...dialAddress(),
		meaning: "local IP address to dial the target from"
	}),
	block: define("block", tunnels, {
		socks: false,
		http: false,
		tls: false
	}, "0", {
		...blockDigits(),
		meaning: "close connections that start so: 1 SOCKS, 2 HTTP, 3 TLS"
	}),
	notcp: define("notcp", tunnels, true, "0", {
		...flag("0"),
		meaning: "1 = no TCP"
	}),
	noudp: define("noudp", tunnels, true, "0", {
		...flag("0"),
		meaning: "1 = no UDP"
	}),
	type: define("type", ["server"], 0, "0", {
		...digit([
			0,
			1,
			2,
			3
		]),
		meaning: "kind of pool: 0 TCP; 1 QUIC, 2 WebSocket and 3 HTTP/2 are not supported yet"
	}),
	compat: define("compat", tunnels, true, "1", {
		...flag("1"),
		meaning: "0 = refuse peers that cannot prove themselves (NodePass 1.14 nodes)"
	})
};
function define(name, schemes, defaultValue, defaultText, rest) {
	return {
		name,
		schemes,
		defaultValue,
		defaultText,
		...rest
	};
}

// packages/url-config/src/split-url.ts
/** What ends the part of a URL that can hold the key: an address, then a path, without an `@`. */
const addressAndPath = /^[^@/?#\s]*:\d+\/[^@]*$/;
const masterAddress = /^[^@/?#\s]*:\d+(?:\/[^@]*)?$/;
/**
* Takes a URL apart without decoding or checking it. Never throws.
*
* The key ends at the last `@` before the query: clients write passwords unescaped, and no address
* has an `@`. A key may even hold an unescaped `?` or `#`; then what stands before it is no address,
* and the last `@` of all counts. `redact` shares this rule, so that what is no part of the key here
* is what is shown there.
*/
function splitUrl(text) {
	const prefix = /^\s*[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? "";
	const scheme = prefix === "" ? void 0 : prefix.slice(0, -3).toLowerCase();
	const rest = text.slice(prefix.length);
	const head = rest.slice(0, endOf(rest, /[?#]/));
	let at = head.lastIndexOf("@");
	if (!(scheme === "master" ? masterAddress : addressAndPath).test(head.slice(at + 1))) at = rest.lastIndexOf("@");
	const userInfo = at < 0 ? void 0 : rest.slice(0, at);
	const remaining = rest.slice(at + 1);
	const beforeFragment = remaining.slice(0, endOf(remaining, /#/));
	const beforeQuery = beforeFragment.slice(0, endOf(beforeFragment, /\?/));
	const authority = beforeQuery.slice(0, endOf(beforeQuery, /\//));
	return {
		scheme,
		prefix,
		userInfo,
		authority,
		path: beforeQuery.slice(authority.length),
		query: beforeQuery.length < beforeFragment.length ? beforeFragment.slice(beforeQuery.length + 1) : void 0,
		fragment: beforeFragment.length < remaining.length ? remaining.slice(beforeFragment.length + 1) : void 0
	};
}
/** Where `pattern` first matches, or the end. */
function endOf(text, pattern) {
	const index = text.search(pattern);
	return index < 0 ? text.length : index;
}

// packages/url-config/src/redact.ts
/** Names whose value is hidden wherever they turn up in a query; none is a parameter of ours. */
const secretName = /^(?:pass(?:word|wd|phrase)?|psk|secret|token|api[-_]?key)$/i;
/** What stands for a secret. */
const redacted = "***";
/** Whether a query key of this name is likely to carry a secret. */
function isSecretName(name) {
	return secretName.test(name);
}
/**
* The URL with its key replaced by `***`, for logs and messages; all else stays as it is. Works on
* broken URLs too, and hides too much of one rather than too little. Never throws.
*/
function redact(url) {
	const { prefix, userInfo, authority, path, query, fragment } = splitUrl(url);
	const shownQuery = query?.replace(/(^|&)([^=&]*)=([^&]*)/g, (pair, before, name) => isSecretName(name) ? `${before}${name}=${"***"}` : pair);
	return [
		prefix,
		userInfo === void 0 ? "" : `${"***"}@`,
		authority,
		path,
		shownQuery === void 0 ? "" : `?${shownQuery}`,
		fragment === void 0 ? "" : `#${fragment}`
	].join("");
}

// packages/url-config/src/read-query.ts
/** Enough for every parameter and what other programs add; each unknown one costs a search. */
const mostPairs = 256;
const definitions = new Map(Object.entries(parameters));
/**
* Takes the query of a URL apart and notes what does not belong there. Empty pairs (`&&`) carry
* nothing and are no fault.
*/
function openQuery(query, scheme, findings) {
	const texts = collect(query, scheme, findings);
	return { read(definition, inherited) {
		const fallback = inherited ?? definition.defaultValue;
		const text = texts.get(definition.name);
		if (text === void 0) return fallback;
		const result = definition.schema.safeParse(text);
		if (result.success) return result.data;
		const problem = urlProblem("INVALID_VALUE", definition.name, text, definition.allowed);
		const clamped = definition.clamp?.(text);
		if (clamped !== void 0) {
			findings.overlook(problem, `${clamped.text} is used`);
			return clamped.value;
		}
		const name = inherited ?? definition.defaultText;
		findings.overlook(problem, name === void 0 ? "not used" : `the default ${name} is used`);
		return fallback;
	} };
}
/** The decoded text of every parameter that the scheme has. */
function collect(query, scheme, findings) {
	const texts = /* @__PURE__ */ new Map();
	const pairs = query?.split("&").filter((pair) => pair !== "") ?? [];
	if (pairs.length > mostPairs) {
		const fault = `has ${pairs.length} parameters`;
		findings.fail(urlProblem("MALFORMED", "query", "", `at most ${mostPairs}`, fault));
		return texts;
	}
	for (const pair of pairs) {
		const equals = pair.indexOf("=");
		const rawName = equals < 0 ? pair : pair.slice(0, equals);
		const rawText = equals < 0 ? "" : pair.slice(equals + 1);
		const name = decode(rawName);
		const text = decode(rawText);
		if (name === void 0 || text === void 0) {
			const fault = "has a broken percent-escape";
			const shown = isSecretName(rawName) ? "***" : rawText;
			const problem = urlProblem("INVALID_VALUE", rawName, shown, "%25 for a percent sign", fault);
			findings.overlook(problem, "ignored");
			continue;
		}
		const definition = definitions.get(name);
		if (definition === void 0 || !definition.schemes.includes(scheme)) findings.overlook(unknownParameter(name, text, scheme, definition), "ignored");
		else if (texts.has(name)) {
			const problem = urlProblem("DUPLICATE", name, text, "once", "is given more than once");
			findings.overlook(problem, `the first is used`);
		} else texts.set(name, text);
	}
	return texts;
}
function unknownParameter(name, text, scheme, definition) {
	const value = isSecretName(name) ? "***" : text;
	if (definition !== void 0) {
		const fault = `is no parameter of ${scheme} URLs, only of ${definition.schemes.join(" and ")} URLs`;
		return urlProblem("UNKNOWN_PARAMETER", name, value, namesOf(scheme), fault);
	}
	const suggestion = name === "cert" ? "crt" : closestName(name, [...definitions.keys()]);
	const hint = suggestion === void 0 ? "" : `; did you mean ${suggestion}?`;
	return urlProblem("UNKNOWN_PARAMETER", name, value, namesOf(scheme), `is no parameter of NodePass URLs${hint}`);
}
/** The names of the parameters of a scheme, in words. */
function namesOf(scheme) {
	return [...definitions.values()].filter(({ schemes }) => schemes.includes(scheme)).map(({ name }) => name).join(", ");
}
/** `undefined` for a broken escape. `+` is a space in a query, as everywhere in forms. */
function decode(text) {
	try {
		return decodeURIComponent(text.replaceAll("+", " "));
	} catch {
		return;
	}
}

// packages/url-config/src/read-tls.ts
/** Reads `tls`, `crt` and `key`. NodePass 1.14 takes `tls=1` for a `tls=2` without its files. */
function readTlsFiles(query, defaults, findings) {
	const tls = query.read(parameters.tls, defaults.tls);
	const crt = query.read(parameters.crt, defaults.crt);
	const keyFile = query.read(parameters.key, defaults.keyFile);
	const absent = (name, allowed) => findings.overlook(urlProblem("MISSING", name, "", allowed, "is missing, which tls=2 needs"), "tls=1 is used");
	if (tls !== 2 || crt !== void 0 && keyFile !== void 0) return {
		tls,
		crt,
		keyFile
	};
	if (crt === void 0) absent("crt", parameters.crt.allowed);
	if (keyFile === void 0) absent("key", parameters.key.allowed);
	return {
		tls: 1,
		crt,
		keyFile
	};
}

// packages/url-config/src/find-loops.ts
/**
* Finds targets that lead back into the tunnel: its own port on a loopback or wildcard address, or
* the very same address. A dual-end client whose tunnel is on another machine may use the same port
* on its own. Names are compared as text only, nothing is looked up; port 0 is not known yet.
*/
function findLoops({ tunnel, targets, scheme, mode }) {
	const isElsewhere = scheme === "client" && !isLoopback(tunnel.host) && !isWildcard(tunnel.host);
	const allowed = isElsewhere ? "another port, or mode=2 if the tunnel is on another machine" : "another port";
	return targets.filter(({ host, port }) => {
		if (port === 0 || port !== tunnel.port) return false;
		if (isSameHost(host, tunnel.host)) return true;
		return (isLoopback(host) || isWildcard(host)) && !(isElsewhere && mode === 2);
	}).map((target) => urlProblem("LOOP", "target address", formatHostPort(target), allowed, `leads back to the tunnel's own port ${tunnel.port}`));
}

// packages/url-config/src/tunnel-key.ts
/**
* The key of a URL that gives none: FNV-1a 32 over the tunnel port's decimal digits, as 8 lower-case
* hex digits. Both ends derive it alike; it keeps nobody out.
*
* @see docs/protocol.md, "Tunnel key"
*/
function deriveTunnelKey(port) {
	let hash = 2166136261;
	for (const digit of String(port)) hash = Math.imul(hash ^ digit.charCodeAt(0), 16777619);
	return (hash >>> 0).toString(16).padStart(8, "0");
}

// packages/url-config/src/read-key.ts
const parameter = "tunnel key";
const allowed = "any text, its special characters percent-encoded (%40 for @)";
/** Reads the key from what stands before the `@`; its text goes into no problem. */
function readKey(userInfo, tunnelPort, findings) {
	const overlook = (fault, taken) => findings.overlook(urlProblem("INVALID_VALUE", parameter, "***", allowed, fault), taken);
	const colon = userInfo?.indexOf(":") ?? -1;
	if (colon >= 0) overlook("has an unescaped colon", "what stands before the colon is used");
	const raw = colon < 0 ? userInfo : userInfo?.slice(0, colon);
	if (raw === void 0 || raw === "") {
		if (userInfo !== void 0) {
			const problem = urlProblem("INVALID_VALUE", parameter, "", `${allowed}; no @ without a key`);
			findings.overlook(problem, "the key is derived from the port");
		}
		return {
			key: deriveTunnelKey(tunnelPort),
			keyGiven: false
		};
	}
	if (/[\s@/?#]/.test(raw)) overlook("has unescaped special characters", "they are part of it");
	try {
		return {
			key: decodeURIComponent(raw),
			keyGiven: true
		};
	} catch {
		overlook("has a broken percent-escape", "it is used as written");
		return {
			key: raw,
			keyGiven: true
		};
	}
}

// packages/url-config/src/parse-tunnel-url.ts
/** Stands for an address that has been reported as unusable; never gets out. */
const noAddress = {
	host: "",
	port: 0
};
/**
* Reads a server or client URL that has been taken apart.
*
* @throws {UrlConfigError} `INVALID_URL` with all that is wrong
*/
function readTunnelUrl(scheme, parts, defaults, findings) {
	const tunnel = readTunnelAddress(parts.authority, findings);
	const key = readKey(parts.userInfo, tunnel.port, findings);
	const targets = readTargets(parts.path, findings);
	const query = openQuery(parts.query, scheme, findings);
	const mode = query.read(parameters.mode);
	const shared = {
		log: query.read(parameters.log, defaults.log),
		...key,
		tunnel,
		targets,
		...readShared(query)
	};
	const settings = scheme === "server" ? {
		scheme,
		...shared,
		mode,
		...readServerParameters(query, defaults, findings)
	} : {
		scheme,
		...shared,
		mode,
		tunnel: withHost(tunnel, mode, findings),
		min: query.read(parameters.min),
		sni: query.read(parameters.sni)
	};
	checkPorts(settings, findings);
	for (const loop of findLoops(settings)) findings.fail(loop);
	findings.throwIfFailed();
	return settings;
}
function readShared(query) {
	return {
		readTimeoutMs: query.read(parameters.read),
		rateBytesPerSecond: query.read(parameters.rate),
		proxy: query.read(parameters.proxy),
		slot: query.read(parameters.slot),
		dnsTtlMs: query.read(parameters.dns),
		dial: query.read(parameters.dial),
		block: query.read(parameters.block),
		tcp: query.read(parameters.notcp),
		udp: query.read(parameters.noudp),
		compat: query.read(parameters.compat)
	};
}
function readServerParameters(query, defaults, findings) {
	const type = query.read(parameters.type);
	if (type !== 0) findings.fail(urlProblem("UNSUPPORTED", "type", String(type), "0 (TCP pool)", "is not supported yet"));
	const max = query.read(parameters.max);
	return {
		...readTlsFiles(query, defaults, findings),
		max,
		type: 0
	};
}
function readTunnelAddress(authority, findings) {
	if (authority === "") {
		findings.fail(urlProblem("MISSING", "tunnel address", "", addressForm, "is missing"));
		return noAddress;
	}
	const result = readHostPort(authority, "tunnel address");
	if (!("code" in result)) return result;
	findings.fail(result);
	return noAddress;
}
function readTargets(path, findings) {
	const text = path.slice(1);
	const targets = [];
	const form = `${addressForm}; several with commas`;
	for (const raw of text === "" ? [] : text.split(",")) {
		const item = findings.lenient ? raw.trim() : raw;
		if (item === "") {
			findings.overlook(urlProblem("MISSING", "target address", "", form, "is empty between commas"), "ignored");
			continue;
		}
		const result = readHostPort(item, "target address");
		if ("code" in result) {
			findings.fail(result);
			targets.push(noAddress);
		} else targets.push(result);
	}
	if (targets.length === 0) findings.fail(urlProblem("MISSING", "target address", "", form, "is missing"));
	return targets;
}
/** Gives a dual-end client's tunnel the host that it needs to dial. */
function withHost(tunnel, mode, findings) {
	if (mode !== 2 || tunnel.host !== "" || tunnel === noAddress) return tunnel;
	const problem = urlProblem("MISSING", "tunnel address", `:${tunnel.port}`, "host:port", "has no host, which mode=2 has to dial");
	findings.overlook(problem, "127.0.0.1 is used");
	return {
		host: "127.0.0.1",
		port: tunnel.port
	};
}
/** Port 0 lets the system choose, so it is for addresses that may be listened on. */
function checkPorts(settings, findings) {
	const { scheme, mode, tunnel, targets } = settings;
	const refuse = (address, parameter) => {
		if (address === noAddress || address.port !== 0) return;
		const fault = "has port 0, but is dialled";
		const value = formatHostPort(address);
		findings.fail(urlProblem("INVALID_VALUE", parameter, value, "port 1 to 65535", fault));
	};
	if (scheme === "client" && mode === 2) refuse(tunnel, "tunnel address");
	const listens = scheme === "server" ? mode !== 2 : mode !== 1;
	for (const target of targets.slice(listens ? 1 : 0)) refuse(target, "target address");
}

// packages/url-config/src/parse-url.ts
/** A longer URL is refused unread. */
const longestUrlCharacters = 65536;
const tunnelSchemes = ["server", "client"];
const everyScheme = [...tunnelSchemes, "master"];
/**
* Like {@link parse}, for servers and clients only.
*
* @throws {UrlConfigError} `INVALID_URL`
*/
function parseTunnelUrl(url, options = {}) {
	return readTunnel(url, options, createFindings("INVALID_URL", false));
}
function readTunnel(url, options, findings) {
	const { scheme, parts } = openUrl(url, tunnelSchemes, findings);
	return readTunnelUrl(scheme, parts, options.defaults ?? {}, findings);
}
/** Takes the URL apart, if it is one of these schemes and can be looked at safely. */
function openUrl(url, schemes, findings) {
	const malformed = malformation(url);
	if (malformed !== void 0) {
		const problem = urlProblem("MALFORMED", "URL", "", "a URL of printable text", malformed);
		throw new UrlConfigError("INVALID_URL", [problem]);
	}
	const parts = splitUrl(url);
	const scheme = schemes.find((name) => name === parts.scheme);
	if (scheme === void 0) {
		const allowed = schemes.map((name) => `${name}://`).join(", ");
		const [shown, fault] = parts.scheme === void 0 ? [redact(url), "has no scheme"] : [`${parts.scheme}://`, "is not known here"];
		throw new UrlConfigError("INVALID_URL", [urlProblem("UNKNOWN_SCHEME", "scheme", shown, allowed, fault)]);
	}
	if (parts.fragment !== void 0) findings.overlook(urlProblem("MALFORMED", "fragment", "", "%23 for a # in a value", "has no place in a NodePass URL"), "ignored");
	return {
		scheme,
		parts
	};
}
/** Why a text is no URL at all; nothing of it is quoted, as nobody knows where its key is. */
function malformation(url) {
	if (url === "") return "is empty";
	if (url.length > longestUrlCharacters) return `has ${url.length} characters, more than ${longestUrlCharacters}`;
	return /[\p{Cc}\p{Cs}]/u.test(url) ? "has control characters or broken Unicode" : void 0;
}

// packages/tunnel-core/src/node-http.ts
/**
* What this package uses of `node:http`. An `import` of a built-in evaluates all its exports, and
* one of them, `WebSocket`, loads Node's whole fetch client: 15 MB of memory and 25 ms in every
* process with a tunnel (Node 26, measured). Asking for the module leaves it where it is.
*/
const { Agent: Agent$1, METHODS: METHODS$1, createServer: createServer$1, request: request$1 } = process.getBuiltinModule("node:http");

// packages/tunnel-core/src/wire/handshake-answer.ts
/** Longest body that is read; the longest that is sent has some 250 characters. */
const MAX_ANSWER_CHARS = 16384;
/**
* Writes the answer's body byte for byte as a NodePass 1.14 server does: `tls` and `type` as text,
* no white space, an LF at the end.
*
* @see docs/protocol.md, "Handshake"
*/
function formatHandshakeAnswer(answer) {
	return `{${answerFields(answer)}}\n`;
}
/** The four fields without braces, so that further ones can follow them. */
function answerFields({ flow, max, tls, type }) {
	return `"flow":"${flow}","max":${max},"tls":"${tls}","type":"${type}"`;
}
/**
* Reads the answer of a NodePass 1.14 server: numbers may be text, `type` may be missing (before
* 1.13), further fields are left alone.
*
* @param text the whole body
* @throws {TunnelError} `HANDSHAKE_INVALID` naming the field, its value and what is allowed
*/
function parseHandshakeAnswer(text) {
	return toHandshakeAnswer(parseAnswerObject(text));
}
/** The body as an object whose fields are unknown. */
function parseAnswerObject(text) {
	if (text.length > 16384) throw invalid$4(`answer of ${text.length} characters exceeds ${MAX_ANSWER_CHARS}`);
	let value;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new TunnelError("HANDSHAKE_INVALID", "the server's answer is no JSON", { cause: error });
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid$4("the server's answer is no JSON object");
	return value;
}
/** Checks the four fields that every server sends. */
function toHandshakeAnswer(fields) {
	const flow = fields.flow;
	if (flow !== "-" && flow !== "+") throw answerFieldError("flow", flow, "\"-\" or \"+\"");
	const max = toInteger(fields.max);
	if (max === void 0) throw answerFieldError("max", fields.max, "an integer from 0");
	return {
		flow,
		max: Math.max(1, max),
		tls: toChoice(fields.tls, "tls", [
			0,
			1,
			2
		]),
		type: fields.type === void 0 ? 0 : toChoice(fields.type, "type", [
			0,
			1,
			2,
			3
		])
	};
}
/** The error for one field of an answer. */
function answerFieldError(field, value, allowed) {
	return invalid$4(`${field} of the server's answer is ${(value === void 0 ? "missing" : JSON.stringify(value) ?? typeof value).slice(0, 64)}, not ${allowed}`);
}
function toChoice(value, field, allowed) {
	const number = toInteger(value);
	const choice = allowed.find((one) => one === number);
	if (choice === void 0) throw answerFieldError(field, value, `one of ${allowed.join(", ")}`);
	return choice;
}
/** A JSON number, or its decimal digits as text, that is an integer from 0; else `undefined`. */
function toInteger(value) {
	const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
	return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : void 0;
}
function invalid$4(message) {
	return new TunnelError("HANDSHAKE_INVALID", message);
}

// packages/tunnel-core/src/wire/proof.ts
/** Bytes of a nonce, one from each end. */
const NONCE_BYTES = 32;
/** Bytes of a client instance's identity, made when the client starts. */
const CLIENT_ID_BYTES = 16;
/** Bytes of a session id. */
const SESSION_ID_BYTES = 8;
/** Bytes of every proof and derived key. */
const PROOF_BYTES = 32;
const SCRYPT_SALT = "nodepass-v1";
/**
* 16 MiB and some tens of milliseconds a guess. Not more, since a master may start a thousand
* tunnels at once; `nodepass keygen` makes keys that need no stretching at all.
*/
const SCRYPT_COST = {
	N: 16384,
	r: 8,
	p: 1,
	maxmem: 67108864
};
/**
* Stretches the tunnel key, so that somebody who saw a handshake, or answered one in the server's
* place, pays for each guess of a weak key. Slow on purpose: once at start, off the event loop.
*
* @param key the tunnel key
* @returns 32 bytes: scrypt of the key's UTF-8 with salt `nodepass-v1`, N 2^14, r 8, p 1
* @see docs/protocol.md, "Keys"
*/
function stretchTunnelKey(key) {
	return new Promise((resolve, reject) => {
		scrypt(key, SCRYPT_SALT, 32, SCRYPT_COST, (error, stretched) => {
			if (error) reject(error);
			else resolve(stretched);
		});
	});
}
/**
* One key per use, from the stretched tunnel key by HKDF-SHA256 with the use as its info. They are
* key objects, which print none of their bytes.
*/
var ProofKeys = class {
	client;
	server;
	session;
	/** @param stretched from `stretchTunnelKey` */
	constructor(stretched) {
		this.client = derive(stretched, "nodepass/1 client proof");
		this.server = derive(stretched, "nodepass/1 server proof");
		this.session = derive(stretched, "nodepass/1 session");
	}
};
/** A fresh random nonce. */
function newNonce() {
	return randomBytes(32);
}
/** A fresh identity for a client instance that starts. */
function newClientId() {
	return randomBytes(16);
}
/** A fresh session id. */
function newSessionId() {
	return randomBytes(8);
}
/**
* The client's proof: HMAC-SHA256 over all that its request says.
*
* @see docs/protocol.md, "Proofs"
*/
function clientProof(keys, input) {
	return authenticate(keys.client, [
		input.method,
		input.path,
		input.host,
		input.clientNonce,
		input.serverNonce,
		input.client,
		input.extensions.join(",")
	]);
}
/** The server's proof: HMAC-SHA256 over both nonces and the whole body. */
function serverProof(keys, input) {
	return authenticate(keys.server, [
		input.clientNonce,
		input.serverNonce,
		input.body
	]);
}
/** The key of one session, which the MACs of its pool hellos are made with. */
function sessionKey(keys, input) {
	return authenticate(keys.session, [
		input.clientNonce,
		input.serverNonce,
		input.sessionId
	]);
}
/**
* The key of a proved session's control connection, in place of the tunnel key.
*
* The XOR of known text (`{"action":"ping"}`) prints its key to whoever sees the line. With the
* tunnel key that would be the key of all proofs; this one dies with the session.
*
* @param session from `sessionKey`
* @returns 64 lower-case hex digits, for `createSignalEncoder` and `SignalDecoder`
* @see docs/protocol.md, "Control connection of a proved session"
*/
function signalKey(session) {
	return createHmac("sha256", session).update("nodepass/1 signals").digest("hex");
}
/** Compares two proofs in constant time. */
function verifyProof(expected, actual) {
	return expected.length === actual.length && timingSafeEqual(expected, actual);
}
function derive(stretched, use) {
	const key = hkdfSync("sha256", stretched, /* @__PURE__ */ new Uint8Array(0), use, 32);
	return createSecretKey(Buffer.from(key));
}
/** HMAC-SHA256 over fields, each with its length before it (u32, big-endian): no two lists alike. */
function authenticate(key, fields) {
	const hmac = createHmac("sha256", key);
	for (const field of fields) {
		const bytes = typeof field === "string" ? Buffer.from(field, "utf8") : field;
		const length = Buffer.allocUnsafe(4);
		length.writeUInt32BE(bytes.length, 0);
		hmac.update(length).update(bytes);
	}
	return hmac.digest();
}

// packages/tunnel-core/src/wire/extensions.ts
/** Each datagram of a UDP session has its length before it. */
const DATAGRAMS = "datagrams";
/** Pool connections carry one connection after another, in frames. */
const STREAMS = "streams";
/** Lower-case letters, digits and `-`, at most 32. */
const NAME = /^[a-z0-9-]{1,32}$/;
/** Whether `name` can be an extension's. */
function isExtensionName(name) {
	return NAME.test(name);
}
/** The extensions in force: those of `offered` that this end knows too, in the offered order. */
function negotiateExtensions(offered, supported) {
	return offered.filter((name) => supported.includes(name));
}

// packages/tunnel-core/src/wire/proof-headers.ts
/** The version of the proved handshake. */
const PROTOCOL_VERSION = 1;
/** Header of the answer that carries the server's proof. */
const ANSWER_PROOF_HEADER = "NodePass-Proof";
/** The first request's headers, beside `Host`. */
function openingHeaders(clientNonce) {
	return {
		"NodePass-Version": String(1),
		"NodePass-Nonce": toBase64Url(clientNonce)
	};
}
/** The second request's headers, beside `Host`. */
function proofHeaders(input) {
	return {
		...openingHeaders(input.clientNonce),
		"NodePass-Client": toBase64Url(input.client),
		...input.extensions.length > 0 && { "NodePass-Extensions": input.extensions.join(",") },
		Authorization: `NodePass-Proof ${toBase64Url(input.proof)}`
	};
}
/**
* Reads a request's headers.
*
* @throws {TunnelError} `HANDSHAKE_INVALID` naming the header and what is allowed, never its value
* @see docs/protocol.md, "Proved handshake"
*/
function parseHandshakeRequest(headers) {
	const authorization = single(headers, "authorization") ?? "";
	if (authorization.startsWith("Bearer ")) return {
		kind: "token",
		token: authorization.slice(7)
	};
	const version = single(headers, "nodepass-version");
	if (version === void 0) return { kind: "plain" };
	const proved = authorization.startsWith("NodePass-Proof ");
	if (proved ? version !== String(1) : !/^[1-9]\d{0,3}$/.test(version)) throw invalid$3("nodepass-version", proved ? String(1) : "an integer from 1");
	const clientNonce = bytesOf(headers, "nodepass-nonce", 32);
	if (!proved) return {
		kind: "opening",
		clientNonce
	};
	const proof = fromBase64Url(authorization.slice(15), 32);
	if (proof === void 0) throw invalid$3("authorization", `${32} bytes in base64url`);
	return {
		kind: "proof",
		clientNonce,
		client: bytesOf(headers, "nodepass-client", 16),
		extensions: parseExtensions(single(headers, "nodepass-extensions")),
		proof
	};
}
/** The value of `WWW-Authenticate` in the answer to a first request. */
function formatChallenge(serverNonce) {
	return `NodePass version="${1}", nonce="${toBase64Url(serverNonce)}"`;
}
/**
* Reads the value of `WWW-Authenticate`.
*
* @returns the server's nonce, or `undefined` if the header is missing or of another scheme: the
*   server is no node of this project
* @throws {TunnelError} `HANDSHAKE_INVALID` for a challenge of ours that is malformed
*/
function parseChallenge(value) {
	if (value === void 0 || !/^nodepass /i.test(value)) return void 0;
	const nonce = fromBase64Url(/^nodepass version="1", nonce="([\w-]{1,64})"$/i.exec(value)?.[1] ?? "", 32);
	if (nonce === void 0) throw invalid$3("www-authenticate", "version=\"1\" and a nonce of 32 bytes");
	return nonce;
}
/** The value of `NodePass-Proof` in the final answer. */
function formatAnswerProof(proof) {
	return toBase64Url(proof);
}
/**
* Reads the value of `NodePass-Proof`.
*
* @throws {TunnelError} `PEER_UNPROVED` if it is missing or malformed
*/
function parseAnswerProof(value) {
	const proof = fromBase64Url(value ?? "", 32);
	if (proof === void 0) throw new TunnelError("PEER_UNPROVED", "the server's answer carries no proof");
	return proof;
}
function parseExtensions(value) {
	if (value === void 0) return [];
	const names = value.split(",", 16 + 1);
	const unique = new Set(names);
	if (names.length > 16 || unique.size < names.length || !names.every(isExtensionName)) throw invalid$3("nodepass-extensions", `at most ${16} different names, with commas`);
	return names;
}
function bytesOf(headers, name, length) {
	const bytes = fromBase64Url(single(headers, name) ?? "", length);
	if (bytes === void 0) throw invalid$3(name, `${length} bytes in base64url`);
	return bytes;
}
function single(headers, name) {
	const value = headers[name];
	return typeof value === "string" ? value : void 0;
}
function toBase64Url(bytes) {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
/** Exactly `length` bytes in their one unpadded spelling, else `undefined`. */
function fromBase64Url(text, length) {
	if (text.length !== Math.ceil(length * 4 / 3)) return void 0;
	const bytes = Buffer.from(text, "base64url");
	return bytes.length === length && bytes.toString("base64url") === text ? bytes : void 0;
}
function invalid$3(header, allowed) {
	return new TunnelError("HANDSHAKE_INVALID", `header ${header} is not ${allowed}`);
}

// packages/tunnel-core/src/wire/certificate-fingerprint.ts
/** `sha256:` and 32 pairs of hex digits joined by `:`. */
const FINGERPRINT_CHARS = 102;
/**
* SHA-256 of a certificate as both ends of a tunnel write it: `sha256:AA:BB:…`, upper case.
*
* @param der the certificate's DER bytes (`PeerCertificate.raw`, `X509Certificate.raw`)
* @see docs/protocol.md, "Certificate check"
*/
function fingerprint(der) {
	const hex = hash("sha256", der, "hex").toUpperCase();
	let text = `sha256:${hex.slice(0, 2)}`;
	for (let at = 2; at < hex.length; at += 2) text += `:${hex.slice(at, at + 2)}`;
	return text;
}
/** Whether `text` has exactly the shape that `fingerprint` writes. */
function isFingerprint(text) {
	if (text.length !== FINGERPRINT_CHARS || !text.startsWith("sha256:")) return false;
	for (let at = 7; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if ((at - 7) % 3 === 2) {
			if (code !== 58) return false;
		} else if (!(code >= 48 && code <= 57 || code >= 65 && code <= 70)) return false;
	}
	return true;
}

// packages/tunnel-core/src/wire/proved-answer.ts
/**
* Writes the body: the four fields of `formatHandshakeAnswer`, then session, fp and ext.
*
* @see docs/protocol.md, "The proved answer"
*/
function formatProvedAnswer(answer) {
	const { session, fp, ext } = answer;
	const names = ext.map((name) => `"${name}"`).join(",");
	return `{${answerFields(answer)},"session":"${session}","fp":"${fp}","ext":[${names}]}\n`;
}
/**
* Reads the body. Verify the server's proof over its bytes first.
*
* @param text the whole body
* @param offered the extensions that the client's request named
* @throws {TunnelError} `HANDSHAKE_INVALID` naming the field, its value and what is allowed
*/
function parseProvedAnswer(text, offered) {
	const fields = parseAnswerObject(text);
	const answer = toHandshakeAnswer(fields);
	const { session, fp, ext } = fields;
	if (typeof session !== "string" || !/^[0-9a-f]{16}$/.test(session)) throw answerFieldError("session", session, "16 lower-case hex digits");
	if (typeof fp !== "string" || (answer.tls === 0 ? fp !== "" : !isFingerprint(fp))) throw answerFieldError("fp", fp, answer.tls === 0 ? "empty without tls" : "sha256:AA:BB:…");
	if (!isNameList(ext) || !ext.every((name) => offered.includes(name))) throw answerFieldError("ext", ext, `a list of some of ${offered.join(", ") || "nothing"}`);
	return {
		...answer,
		session,
		fp,
		ext
	};
}
function isNameList(value) {
	return Array.isArray(value) && value.length <= 16 && value.every((name) => typeof name === "string" && isExtensionName(name)) && new Set(value).size === value.length;
}

// packages/tunnel-core/src/handshake/handshake-client.ts
/** The port on which the handshake itself goes over TLS (NodePass 1.14). */
const HTTPS_PORT = 443;
/**
* Meets the server: by proof if it is a node of this project, by token if it is a 1.14 node and
* `token` is given.
*
* @throws {TunnelError} `HANDSHAKE_TIMEOUT`, `HANDSHAKE_REJECTED`, `HANDSHAKE_INVALID`,
*   `PEER_UNPROVED`, `PEER_LOST`
* @see docs/protocol.md, "Handshake"
*/
async function shakeHands(options) {
	const deadline = AbortSignal.timeout(options.timeoutMs);
	const signal = AbortSignal.any([options.signal, deadline]);
	try {
		return await handshake(options, signal);
	} catch (error) {
		if (error instanceof TunnelError) throw error;
		if (deadline.aborted) throw new TunnelError("HANDSHAKE_TIMEOUT", `no handshake within ${options.timeoutMs} ms`, { cause: error });
		const message = error instanceof Error ? error.message : String(error);
		throw new TunnelError("PEER_LOST", `handshake failed: ${message}`, { cause: error });
	}
}
async function handshake(options, signal) {
	const agent = options.port === 443 ? new Agent({
		keepAlive: true,
		maxSockets: 1,
		rejectUnauthorized: false
	}) : new Agent$1({
		keepAlive: true,
		maxSockets: 1
	});
	try {
		const clientNonce = newNonce();
		const opening = await get(options, agent, openingHeaders(clientNonce), signal);
		const serverNonce = opening.status === 401 ? parseChallenge(opening.challenge) : void 0;
		if (serverNonce !== void 0) return await prove(options, agent, clientNonce, serverNonce, signal);
		if (options.token === void 0) throw new TunnelError("PEER_UNPROVED", `the server at ${options.address}:${options.port} cannot prove itself (answer ${opening.status})`);
	} finally {
		agent.destroy();
	}
	return {
		proved: false,
		answer: await present(options, options.token, signal)
	};
}
async function prove(options, agent, clientNonce, serverNonce, signal) {
	const { keys, client, extensions } = options;
	const said = {
		method: "GET",
		path: "/",
		host: options.serverName ?? "none",
		clientNonce,
		serverNonce,
		client,
		extensions
	};
	const proof = clientProof(keys, said);
	const reply = await get(options, agent, proofHeaders({
		clientNonce,
		client,
		extensions,
		proof
	}), signal);
	if (reply.status !== 200) throw rejected(reply);
	const expected = serverProof(keys, {
		clientNonce,
		serverNonce,
		body: reply.body
	});
	if (!verifyProof(expected, parseAnswerProof(reply.proof))) throw new TunnelError("PEER_UNPROVED", "the server's answer carries a wrong proof");
	const answer = parseProvedAnswer(reply.body, extensions);
	const sessionId = Buffer.from(answer.session, "hex");
	return {
		proved: true,
		answer,
		sessionKey: sessionKey(keys, {
			clientNonce,
			serverNonce,
			sessionId
		})
	};
}
/** The 1.14 handshake: the token in one request. */
async function present(options, token, signal) {
	const agent = options.port === 443 ? new Agent({ maxSockets: 1 }) : new Agent$1({ maxSockets: 1 });
	try {
		const reply = await get(options, agent, { Authorization: `Bearer ${token}` }, signal);
		if (reply.status !== 200) throw rejected(reply);
		return parseHandshakeAnswer(reply.body);
	} finally {
		agent.destroy();
	}
}
function rejected(reply) {
	const text = reply.body.trim().slice(0, 200).replaceAll(/[^\x20-\x7e]/g, "?");
	const hint = reply.status === 401 ? " (is the key the same on both ends?)" : "";
	return new TunnelError("HANDSHAKE_REJECTED", `the server refused the handshake: ${reply.status} ${text}${hint}`);
}
function get(options, agent, headers, signal) {
	const { address, port, serverName } = options;
	const send = port === 443 ? request : request$1;
	return new Promise((resolve, reject) => {
		const request = send({
			host: address,
			port,
			agent,
			signal,
			path: "/",
			...serverName !== void 0 && { servername: serverName },
			headers: {
				Host: serverName ?? "none",
				"User-Agent": "Go-http-client/1.1",
				...headers,
				"Accept-Encoding": "gzip"
			}
		}, (response) => {
			read(response).then(resolve, reject);
		});
		request.removeHeader("Connection");
		request.on("error", reject);
		request.end();
	});
}
async function read(response) {
	let body = "";
	response.setEncoding("utf8");
	for await (const chunk of response) {
		body += String(chunk);
		if (body.length > 16384) {
			response.destroy();
			throw new TunnelError("HANDSHAKE_INVALID", `answer over ${MAX_ANSWER_CHARS} characters`);
		}
	}
	const proof = response.headers["nodepass-proof"];
	return {
		status: response.statusCode ?? 0,
		challenge: response.headers["www-authenticate"],
		proof: typeof proof === "string" ? proof : void 0,
		body
	};
}

// packages/tunnel-core/src/wire/tunnel-token.ts
/**
* The token of a NodePass 1.14 handshake: HMAC-SHA256 over the empty message, lower-case hex.
*
* It is the same for ever, so it proves nothing once somebody has seen it; between two nodes of
* this project it is never sent.
*
* @param key the tunnel key
* @see docs/protocol.md, "Handshake"
*/
function tunnelToken(key) {
	return createHmac("sha256", key).update("").digest("hex");
}

// packages/tunnel-core/src/deadline-queue.ts
/**
* Items that all have the same time to live, expired by one timer. Constant time to add and to
* delete; no timer runs while it is empty.
*/
var DeadlineQueue = class {
	#deadlines = /* @__PURE__ */ new Map();
	#timeoutMs;
	#onExpire;
	#timer;
	/** @param timeoutMs ms from `add` to `onExpire`; 0 = items never expire */
	constructor(timeoutMs, onExpire) {
		this.#timeoutMs = timeoutMs;
		this.#onExpire = onExpire;
	}
	get size() {
		return this.#deadlines.size;
	}
	add(item) {
		this.#deadlines.set(item, performance.now() + this.#timeoutMs);
		if (this.#timer === void 0 && this.#timeoutMs > 0) this.#arm(this.#timeoutMs);
	}
	has(item) {
		return this.#deadlines.has(item);
	}
	/** @returns whether it was waiting */
	delete(item) {
		return this.#deadlines.delete(item);
	}
	/** Takes the item that has waited longest. */
	shift() {
		for (const item of this.#deadlines.keys()) {
			this.#deadlines.delete(item);
			return item;
		}
	}
	/** Empties the queue; the items are given to `each`, not expired. */
	clear(each) {
		clearTimeout(this.#timer);
		this.#timer = void 0;
		const items = [...this.#deadlines.keys()];
		this.#deadlines.clear();
		if (each !== void 0) for (const item of items) each(item);
	}
	#arm(ms) {
		this.#timer = setTimeout(() => {
			this.#timer = void 0;
			this.#expire();
		}, ms);
	}
	#expire() {
		const now = performance.now();
		for (const [item, deadline] of this.#deadlines) {
			if (deadline > now) {
				clearTimeout(this.#timer);
				this.#arm(deadline - now);
				return;
			}
			this.#deadlines.delete(item);
			this.#onExpire(item);
		}
	}
};

// packages/tunnel-core/src/streams/detached-reader.ts
/** Reader of a stream that nobody uses (any more): takes its events, keeps nothing. */
const DETACHED_READER = {
	onBytes: () => false,
	onEnd: () => {},
	onDrain: () => {},
	onError: () => {},
	onClose: () => {}
};

// packages/tunnel-core/src/streams/fast-read.ts
function findNames() {
	const socket = new Socket();
	const symbols = Object.getOwnPropertySymbols(socket);
	const named = (description) => symbols.find((s) => s.description === description);
	const buffer = named("kBuffer");
	const callback = named("kBufferCb");
	const generator = named("kBufferGen");
	socket.destroy();
	if (buffer === void 0 || callback === void 0 || generator === void 0) return void 0;
	return {
		buffer,
		callback,
		generator
	};
}
let names;
let looked = false;
/** Whether this Node has all private names that the fast path of accepted sockets needs. */
function canReadFast() {
	if (!looked) {
		names = findNames();
		looked = true;
	}
	return names !== void 0;
}
/**
* Switches a connected socket (plain or TLS) to read into the buffers that `nextBuffer` gives.
*
* @returns false, with nothing changed, where the fast path is not available for this socket
*/
function readFast(socket, nextBuffer, callback) {
	if (!canReadFast() || names === void 0) return false;
	const handle = Reflect.get(socket, "_handle");
	if (typeof handle !== "object" || handle === null) return false;
	const useUserBuffer = Reflect.get(handle, "useUserBuffer");
	if (typeof useUserBuffer !== "function") return false;
	const buffer = nextBuffer();
	Reflect.set(socket, names.buffer, buffer);
	Reflect.set(socket, names.callback, callback);
	Reflect.set(socket, names.generator, nextBuffer);
	useUserBuffer.call(handle, buffer);
	return true;
}

// packages/tunnel-core/src/streams/stream-reader.ts
const READER = Symbol("reader");
const FRESH = Symbol("fresh");
function onRead(length, buffer) {
	return this[READER].onBytes(buffer, length, false);
}
function onData(chunk) {
	if (!this[READER].onBytes(chunk, chunk.length, true)) this.pause();
}
function onEnd() {
	this[READER].onEnd();
}
function onDrain() {
	this[READER].onDrain();
}
function onError(error) {
	this[READER].onError(error);
}
function onClose() {
	this[READER].onClose();
}
function listen$1(stream) {
	stream.on("end", onEnd);
	stream.on("drain", onDrain);
	stream.on("error", onError);
	stream.on("close", onClose);
}
function age(stream) {
	stream[FRESH] = false;
}
/** Changes who handles the stream's events. */
function setReader(stream, reader) {
	stream[READER] = reader;
}
/**
* Makes a connected socket (accepted, or TLS) a stream that reads without allocations where Node
* can, by `data` events where it can't. It goes on reading if it was reading.
*
* @param socket accepted or TLS socket; nothing may be left in its read buffer
* @param raw the TCP socket under it (itself when plain)
*/
function adoptSocket(socket, raw, reader, buffers) {
	const stream = socket;
	stream[READER] = reader;
	stream.raw = raw;
	if (raw !== socket) {
		stream[FRESH] = true;
		setImmediate(age, stream);
	}
	listen$1(stream);
	if (!readFast(stream, buffers.nextBuffer, onRead)) stream.on("data", onData);
	return stream;
}
/** Idle time, ms, after which the system probes a pool connection: NATs forget silent ones. */
const KEEP_ALIVE_MS = 3e4;
/** Dials a TCP stream; the reader learns of failure by `onError` and `onClose`. */
function dialStream(options, reader, buffers, onConnect) {
	const tcp = {
		host: options.address,
		port: options.port,
		...options.localAddress !== void 0 && { localAddress: options.localAddress },
		allowHalfOpen: true,
		noDelay: true,
		...options.keepAlive === true && {
			keepAlive: true,
			keepAliveInitialDelay: 3e4
		},
		autoSelectFamily: false,
		onread: {
			buffer: buffers.nextBuffer,
			callback: onRead
		}
	};
	const stream = connect(Object.assign(tcp, { highWaterMark: 0 }));
	stream[READER] = reader;
	stream.raw = stream;
	stream.on("connect", onConnect);
	listen$1(stream);
	return stream;
}
/** Ends a stream at once so that the other side sees a reset, not an end (also through TLS). */
function resetStream(stream) {
	if (stream.destroyed) return;
	const { raw } = stream;
	const plain = raw === stream;
	if (raw.destroyed || raw.connecting) {
		if (stream[FRESH] !== true) stream.destroy();
	} else if (stream.writableEnded && !stream.writableFinished && stream.writableLength === 0) {
		if (plain) stream.once("finish", resetNow);
		else {
			stream.destroy();
			raw.destroy();
		}
	} else {
		raw.resetAndDestroy();
		if (plain) return;
		if (stream[FRESH] === true) setImmediate(destroyNow, stream);
		else stream.destroy();
	}
}
function resetNow() {
	this.resetAndDestroy();
}
function destroyNow(stream) {
	stream.destroy();
}

// packages/tunnel-core/src/wire/hello-window.ts
/** How far behind the highest counter one may come: reordered dials are far fewer. */
const HELLO_WINDOW_COUNTERS = 65536;
/**
* Which counters of a session's hellos have been used: a sliding window, so its size never changes.
*
* Ask it only about hellos whose MAC is right, else a stranger could move it.
*
* @see docs/protocol.md, "Pool hello"
*/
var HelloWindow = class {
	/** Bit `counter % width` of the last `width` counters up to `#highest`. 8 KiB. */
	#used = new Uint32Array(HELLO_WINDOW_COUNTERS / 32);
	#highest = -1;
	/**
	* Uses a counter up.
	*
	* @returns whether it may be used: false if it was used before, or is 65 536 or more behind the
	*   highest one
	*/
	admit(counter) {
		if (!Number.isInteger(counter) || counter < 0 || counter > 4294967295) return false;
		if (counter > this.#highest) this.#advance(counter);
		else if (this.#highest - counter >= 65536 || this.#isUsed(counter)) return false;
		const slot = counter % HELLO_WINDOW_COUNTERS;
		this.#used[slot >>> 5] = (this.#used[slot >>> 5] ?? 0) | 1 << (slot & 31);
		return true;
	}
	#isUsed(counter) {
		const slot = counter % HELLO_WINDOW_COUNTERS;
		return ((this.#used[slot >>> 5] ?? 0) >>> (slot & 31) & 1) === 1;
	}
	/** Forgets the counters that leave the window, whose slots the new ones take. */
	#advance(counter) {
		if (counter - this.#highest >= 65536) this.#used.fill(0);
		else for (let next = this.#highest + 1; next <= counter; next++) {
			const slot = next % HELLO_WINDOW_COUNTERS;
			this.#used[slot >>> 5] = (this.#used[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
		}
		this.#highest = counter;
	}
};

// packages/tunnel-core/src/wire/pool-hello.ts
/** First byte of a hello: 'N', neither a TLS record (0x16) nor an HTTP `GET` (0x47). */
const HELLO_MAGIC = 78;
/** Version of the layout. */
const HELLO_VERSION = 1;
/** Bytes of a hello: magic, version, session id (8), counter (4), MAC (16). */
const HELLO_BYTES = 30;
const SESSION_BYTES = 8;
const SIGNED_BYTES = 14;
const MAC_BYTES = 16;
const MAX_COUNTER = 4294967295;
/**
* Makes the writer of a client's hellos in one session.
*
* Layout: u8 0x4E, u8 version 1, 8 bytes session id, u32 counter (big-endian), 16 bytes MAC: the
* first half of HMAC-SHA256 under the session key over the 14 bytes before it.
*
* @param session the eight bytes of the session id
* @param sessionKey 32 bytes from `sessionKey()`
* @returns a function from a counter, 0 to 2^32-1 and never twice, to a fresh buffer that the caller owns
* @throws {TunnelError} `HELLO_INVALID` if the session id has not 8 bytes; the writer throws it for
*   a counter out of range
* @see docs/protocol.md, "Pool hello"
*/
function createHelloWriter(session, sessionKey) {
	if (session.length !== SESSION_BYTES) throw new TunnelError("HELLO_INVALID", `session id of ${session.length} bytes is not of 8`);
	const head = Buffer.allocUnsafe(SIGNED_BYTES);
	head[0] = 78;
	head[1] = 1;
	head.set(session, 2);
	return (counter) => {
		if (!Number.isInteger(counter) || counter < 0 || counter > MAX_COUNTER) throw new TunnelError("HELLO_INVALID", `counter ${counter} is not from 0 to ${MAX_COUNTER}`);
		head.writeUInt32BE(counter, 10);
		const hello = Buffer.allocUnsafe(30);
		hello.set(head, 0);
		hello.set(mac(sessionKey, head), SIGNED_BYTES);
		return hello;
	};
}
/**
* Reads a hello from the front of `bytes`.
*
* @param bytes what has arrived so far; what follows the hello is the connection's data
* @returns the hello, or `undefined` if it is incomplete; a complete one has `HELLO_BYTES`
* @throws {TunnelError} `HELLO_INVALID` at the first byte that no hello of this version has
*/
function parseHello(bytes) {
	if (bytes.length === 0) return void 0;
	if (bytes[0] !== 78) throw new TunnelError("HELLO_INVALID", "this is no pool hello");
	if (bytes.length === 1) return void 0;
	if (bytes[1] !== 1) throw new TunnelError("HELLO_INVALID", `pool hello of version ${bytes[1]} is not of version ${1}`);
	if (bytes.length < 30) return void 0;
	const hello = Buffer.from(bytes.subarray(0, 30));
	return {
		session: hello.toString("hex", 2, 10),
		counter: hello.readUInt32BE(10),
		mac: hello.subarray(SIGNED_BYTES)
	};
}
/** Checks a hello's MAC in constant time. */
function verifyHello(hello, sessionKey) {
	const head = Buffer.allocUnsafe(SIGNED_BYTES);
	head[0] = 78;
	head[1] = 1;
	head.write(hello.session, 2, SESSION_BYTES, "hex");
	head.writeUInt32BE(hello.counter, 10);
	return hello.mac.length === MAC_BYTES && timingSafeEqual(mac(sessionKey, head), hello.mac);
}
/** The id that both ends call a proved pool connection by: its counter as eight hex digits. */
function poolId(counter) {
	return counter.toString(16).padStart(8, "0");
}
function mac(sessionKey, head) {
	return createHmac("sha256", sessionKey).update(head).digest().subarray(0, MAC_BYTES);
}

// packages/tunnel-core/src/pool/pool-dialer.ts
/** Bytes of the id that a 1.14 server sends on each pool connection. */
const ID_BYTES = 4;
/** Dials pool connections of one session. */
var PoolDialer = class {
	context;
	terms;
	deadlines;
	#counter = 0;
	constructor(context, terms) {
		this.context = context;
		this.terms = terms;
		this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (dial) => {
			dial.fail(/* @__PURE__ */ new Error(`no pool connection within ${context.limits.tcpDialTimeoutMs} ms`));
		});
	}
	/** The first connection of a proved session is its control connection. */
	dial(result) {
		new PoolDial(this, this.#counter++, result);
	}
	/** The hello of this counter was never sent: a control connection that failed is dialled again. */
	giveBack(counter) {
		if (counter === 0) this.#counter = 0;
	}
	close() {
		this.deadlines.clear((dial) => dial.fail(/* @__PURE__ */ new Error("the session has ended")));
	}
};
/** One pool connection in the making. */
var PoolDial = class {
	#dialer;
	#counter;
	#result;
	#raw;
	#stream;
	#id;
	#error;
	#done = false;
	constructor(dialer, counter, result) {
		this.#dialer = dialer;
		this.#counter = counter;
		this.#result = result;
		const { address, port } = dialer.terms;
		dialer.deadlines.add(this);
		const to = {
			address,
			port,
			keepAlive: true
		};
		this.#raw = dialStream(to, this, dialer.context.buffers, () => this.#connected());
	}
	#connected() {
		if (this.#done) return;
		const { address, tls } = this.#dialer.terms;
		if (tls === void 0) {
			this.#opened(this.#raw);
			return;
		}
		const options = {
			socket: this.#raw,
			secureContext: tls.context,
			minVersion: "TLSv1.3",
			rejectUnauthorized: tls.mode === 2,
			host: address,
			...tls.serverName !== void 0 && { servername: tls.serverName }
		};
		const secure = connect$1(options);
		const failed = (error) => this.fail(error);
		secure.on("error", failed);
		secure.once("secureConnect", () => {
			this.#secured(secure);
			if (this.#stream !== void 0) secure.off("error", failed);
		});
	}
	#secured(secure) {
		if (this.#done) return;
		const pin = this.#dialer.terms.tls?.pin;
		const seen = peerFingerprint(secure);
		if (pin !== void 0 && seen !== pin) {
			this.fail(/* @__PURE__ */ new Error(`the certificate ${seen ?? "(none)"} is not the server's proved one, ${pin}`));
			return;
		}
		setReader(this.#raw, DETACHED_READER);
		const stream = adoptSocket(secure, this.#raw, this, this.#dialer.context.buffers);
		stream.peerFingerprint = seen;
		this.#opened(stream);
	}
	#opened(stream) {
		this.#stream = stream;
		const { hello } = this.#dialer.terms;
		if (hello === void 0) {
			stream.resume();
			return;
		}
		stream.write(hello(this.#counter));
		this.#finish(stream, poolId(this.#counter), void 0);
	}
	#finish(stream, id, early) {
		this.#done = true;
		this.#dialer.deadlines.delete(this);
		setReader(stream, DETACHED_READER);
		this.#result.onOpen(stream, id, early);
		stream.resume();
	}
	/** Towards a 1.14 server: four bytes of id, then what the entry may have sent already. */
	onBytes(buffer, length) {
		const stream = this.#stream;
		if (this.#done || stream === void 0) return false;
		const bytes = Buffer.from(buffer.subarray(0, length));
		const all = this.#id === void 0 ? bytes : Buffer.concat([this.#id, bytes]);
		this.#id = all;
		if (all.length < ID_BYTES) return true;
		const early = all.length > ID_BYTES ? all.subarray(ID_BYTES) : void 0;
		this.#finish(stream, all.toString("hex", 0, ID_BYTES), early);
		return true;
	}
	onEnd() {
		this.fail(closedEarly());
	}
	onDrain() {}
	onError(error) {
		this.#error = error;
	}
	onClose() {
		this.fail(this.#error ?? closedEarly());
	}
	fail(error) {
		if (this.#done) return;
		this.#done = true;
		this.#dialer.deadlines.delete(this);
		this.#dialer.giveBack(this.#counter);
		this.#stream?.destroy();
		this.#raw.destroy();
		this.#result.onFailed(error);
	}
};
function closedEarly() {
	return new TunnelError("PEER_LOST", "the server closed a pool connection before it was open");
}
/** The fingerprint of the certificate that the peer showed. */
function peerFingerprint(secure) {
	const certificate = secure.getPeerX509Certificate();
	return certificate === void 0 ? void 0 : fingerprint(certificate.raw);
}

// packages/tunnel-core/src/pool/pool-refill.ts
/** Most pool connections being dialled at once. */
const MAX_DIALING = 128;
/** The same with TLS: a handshake is a millisecond of computing that users would wait for. */
const MAX_DIALING_TLS = 8;
/** Part of the capacity that has to be taken in a report interval to keep it. */
const KEEP_SHARE = .2;
/** What an idle interval leaves of the capacity. */
const SHRINK = .8;
/**
* Keeps a client's pool full: a new connection is dialled at the moment one is taken. Capacity
* doubles when the pool runs empty and shrinks slowly when little is taken; idle connections are
* never closed for it, since the server may be taking one at this moment.
*/
var PoolRefill = class {
	#options;
	#capacity;
	#dialing = 0;
	#taken = 0;
	/** Connections opened since the capacity last grew: a burst counts once, not once a connection. */
	#openedSinceGrowth = 0;
	/** Connections lost unused since one was used, or since the last tick. */
	#lost = 0;
	#maxDialing;
	#failures = 0;
	#retry;
	#controlSeen = false;
	#closed = false;
	constructor(options) {
		this.#options = options;
		this.#capacity = Math.min(options.min, options.max);
		this.#maxDialing = options.dialer.terms.tls === void 0 ? MAX_DIALING : MAX_DIALING_TLS;
	}
	/** Opens the control connection; the pool follows once it stands. */
	start() {
		this.#dialOne();
	}
	/** A connection has left the pool. */
	taken() {
		if (this.#closed) return;
		this.#taken++;
		this.#lost = 0;
		if (this.#options.pool.size === 0 && this.#openedSinceGrowth >= this.#capacity) {
			this.#capacity = Math.min(this.#options.max, this.#capacity * 2);
			this.#openedSinceGrowth = 0;
		}
		this.#fill();
	}
	/**
	* A connection was lost without having been used. A pool that is lost as a whole (`flush`) is
	* filled at once; a path that cuts whatever is dialled is tried at the pace of the settings.
	*/
	lost() {
		if (this.#closed) return;
		if (++this.#lost <= this.#capacity) this.#fill();
		else if (this.#short) this.#fillLater(this.#options.context.limits.maxPoolIntervalMs);
	}
	/** Once per report interval. */
	tick() {
		if (this.#taken < this.#capacity * KEEP_SHARE) {
			const least = Math.min(this.#options.min, this.#options.max);
			this.#capacity = Math.max(least, Math.floor(this.#capacity * SHRINK));
		}
		this.#taken = 0;
		this.#lost = 0;
		this.#fill();
	}
	get capacity() {
		return this.#capacity;
	}
	onOpen(stream, id, early) {
		this.#dialing--;
		this.#openedSinceGrowth++;
		this.#failures = 0;
		if (this.#closed) {
			stream.destroy();
			return;
		}
		if (!this.#controlSeen && id === "00000000") {
			this.#controlSeen = true;
			this.#options.onControl(stream, early);
		} else this.#options.pool.add(stream, id, early);
		this.#fill();
	}
	onFailed(error) {
		this.#dialing--;
		if (this.#closed) return;
		this.#failures++;
		if (error.message.startsWith("the certificate ")) {
			this.#options.onFatal(error);
			return;
		}
		this.#options.context.logLimited("debug", "pool connection failed", { error: error.message });
		if (!this.#controlSeen && !isTransient(error)) {
			this.#options.onFatal(error);
			return;
		}
		this.#fillLater(this.#retryDelay());
	}
	#fillLater(delayMs) {
		if (this.#retry !== void 0) return;
		this.#retry = setTimeout(() => {
			this.#retry = void 0;
			this.#fill();
		}, delayMs);
	}
	/**
	* A 1.14 server closes its listener after the handshake and opens it again: the first retries
	* come soon, later ones at the pace of the settings.
	*/
	#retryDelay() {
		const { minPoolIntervalMs, maxPoolIntervalMs } = this.#options.context.limits;
		const longest = this.#controlSeen ? maxPoolIntervalMs : minPoolIntervalMs;
		return Math.min(longest, 10 * 2 ** Math.min(this.#failures - 1, 10));
	}
	#fill() {
		if (this.#closed || this.#retry !== void 0) return;
		if (!this.#controlSeen) {
			if (this.#dialing === 0) this.#dialOne();
			return;
		}
		while (this.#short && this.#dialing < this.#maxDialing) this.#dialOne();
	}
	/** Fewer connections are ready or under way than there should be. */
	get #short() {
		return this.#options.pool.size + this.#dialing < this.#capacity;
	}
	#dialOne() {
		this.#dialing++;
		this.#options.dialer.dial(this);
	}
	close() {
		this.#closed = true;
		clearTimeout(this.#retry);
		this.#options.dialer.close();
	}
};
/**
* Failures that pass by themselves while a server restarts or opens its listener again. The last
* two are a NodePass 1.14 server's HTTP listener that took the connection before it closed: it ends
* it, or answers a TLS handshake in plain text.
*/
const TRANSIENT = [
	"ECONNREFUSED",
	"ECONNRESET",
	"PEER_LOST",
	"EPROTO"
];
function isTransient(error) {
	return TRANSIENT.includes(error.code);
}

// packages/tunnel-core/src/relay/relay-source.ts
/** Reads up to this size are copied out of the shared buffer and don't ask for a bulk buffer. */
const SMALL_READ_BYTES = 8192;
/** Small reads in a row after which a bulk buffer is given back. */
const SMALL_READS_BEFORE_GIVING_BACK = 64;
/** Most plaintext in a TLS record (RFC 8446, 5.1). */
const TLS_RECORD_BYTES = 16384;
/** Below this a TLS stream's write() may be true while the bytes are still in use. */
const TLS_HIGH_WATER_MARK = 65536;
/**
* A stream that is read for a relay: its buffers, and what holds its reading back.
*
* Back pressure: `blocked` while the other side has bytes pending, `limited` while the rate limit
* holds this one back; reading goes on when neither does.
*/
var RelaySource = class {
	queued = false;
	flushQueued = false;
	stream;
	/** Whether the stream is TLS: it reads records, and its writes are never done at once. */
	tls;
	context;
	bucket;
	blocked = false;
	limited = false;
	/** Bulk buffer this stream reads into. */
	#bulk;
	#smallReads = 0;
	/** Records gathered in this turn (TLS only). */
	#gather;
	#gathered = 0;
	/** Gather buffers whose bytes are still being written. */
	#pinned;
	ended = false;
	closed = false;
	constructor(context, stream, bucket) {
		this.context = context;
		this.stream = stream;
		this.tls = stream.raw !== stream;
		this.bucket = bucket;
	}
	/** The bulk buffer that this stream reads into, with its head room. */
	get bulk() {
		return this.#bulk?.whole;
	}
	/** Whether what is in `buffer` has to be copied to outlive the read callback. */
	get readsShared() {
		return this.#bulk === void 0;
	}
	/** Begins under the rate limit: a new source waits its turn like any other. */
	beginLimited() {
		if (this.bucket === void 0 || this.bucket.take(0)) return;
		this.limited = true;
		this.stream.pause();
		this.bucket.wait(this);
	}
	/** Before a plain read's bytes are passed on: a large read asks for a bulk buffer. */
	sizeUp(length) {
		if (this.#bulk !== void 0 || length <= SMALL_READ_BYTES || this.bucket !== void 0) return;
		this.#smallReads = 0;
		this.#returnsBulk = false;
		this.#wantsBulk = true;
	}
	#wantsBulk = false;
	/** After a read's bytes were passed on. @returns whether to go on reading */
	afterRead(length) {
		const { bucket, context } = this;
		if (this.#wantsBulk) {
			this.#wantsBulk = false;
			if (!(this.#returnsBulk || this.ended || this.closed)) this.#bulk = context.buffers.borrow();
		} else if (this.#bulk !== void 0 && this.#returnsBulk) {
			if (!this.blocked) this.giveBackBulk();
		} else if (this.#bulk !== void 0) {
			if (length > SMALL_READ_BYTES) this.#smallReads = 0;
			else if (++this.#smallReads >= SMALL_READS_BEFORE_GIVING_BACK && !this.blocked) this.giveBackBulk();
		}
		if (bucket !== void 0) {
			context.buffers.next = context.buffers.sharedPrefix(bucket.quantumBytes);
			if (!bucket.take(length)) {
				this.limited = true;
				bucket.wait(this);
			}
		}
		if (this.#bulk !== void 0) context.buffers.next = this.#bulk.body;
		return !this.blocked && !this.limited;
	}
	/**
	* Wants the bulk buffer given back. That can happen only in a read callback, where the next
	* read's buffer is chosen: until then the system may read into it.
	*/
	returnBulk() {
		this.#returnsBulk = true;
	}
	#returnsBulk = false;
	/** Only inside a read callback, or when nothing more will be read. */
	giveBackBulk() {
		this.#returnsBulk = false;
		if (this.#bulk === void 0) return;
		this.context.buffers.giveBack(this.#bulk);
		this.#bulk = void 0;
	}
	/**
	* Adds a TLS record to those of this turn, which are passed on at once; a short record ends the
	* burst and is passed on now, so that nothing waits.
	*
	* @returns false if the record was not gathered and has to be copied
	*/
	gatherRecord(buffer, length) {
		if (this.#gathered === 0 && length < 16384) return false;
		this.#gather ??= this.context.buffers.borrow();
		const gather = this.#gather;
		if (gather === void 0) return false;
		const { whole } = gather;
		buffer.copy(whole, this.#gathered, 0, length);
		this.#gathered += length;
		if (length < 16384 || whole.length - this.#gathered < 16384) this.flushGathered();
		else this.context.flushes.add(this);
		return true;
	}
	/** Passes on what was gathered. */
	flushGathered() {
		const gather = this.#gather;
		if (gather === void 0 || this.#gathered === 0) return;
		const length = this.#gathered;
		this.#gather = void 0;
		this.#gathered = 0;
		this.passGathered(gather.whole, length);
		if (!this.blocked) this.context.buffers.giveBack(gather);
		else if (this.#pinned === void 0) this.#pinned = [gather];
		else this.#pinned.push(gather);
	}
	/** End of the turn. */
	flush() {
		if (this.closed) return;
		this.flushGathered();
		if (this.blocked) this.stream.pause();
	}
	onTokens() {
		this.limited = false;
		if (!this.blocked && !this.closed) this.stream.resume();
	}
	/** The other side has drained. */
	unblock() {
		this.#unpin();
		this.blocked = false;
		if (this.ended) this.giveBackBulk();
		else if (!this.limited && !this.closed) this.stream.resume();
	}
	/** Nothing uses this source's buffers any more. */
	releaseBuffers() {
		if (this.queued) this.bucket?.cancel(this);
		this.limited = false;
		this.giveBackBulk();
		if (this.#gather !== void 0) this.context.buffers.giveBack(this.#gather);
		this.#gather = void 0;
		this.#gathered = 0;
		this.#unpin();
	}
	#unpin() {
		if (this.#pinned === void 0) return;
		for (const buffer of this.#pinned) this.context.buffers.giveBack(buffer);
		this.#pinned = void 0;
	}
};
/** A copy of the first `length` bytes. */
function copyOf(buffer, length) {
	const copy = Buffer.allocUnsafe(length);
	buffer.copy(copy, 0, 0, length);
	return copy;
}

// packages/tunnel-core/src/streams/relay-buffers.ts
/** Size of the buffer that all quiet connections share, bytes. */
const SHARED_BYTES = 65536;
/** Most bulk buffers handed out at once: 64 x 512 KiB = 32 MiB. */
const MAX_BULK_BUFFERS = 64;
/** Bulk buffers kept for the next busy connection. */
const MAX_SPARE_BUFFERS = 8;
/** Room for a header before the bytes in a bulk buffer. */
const HEAD_ROOM_BYTES = 4;
/**
* The read buffers of all relayed connections of one process (or of one tunnel, used alone).
*
* Quiet connections share one small buffer: what is read into it is copied before it is written,
* so it is never pinned. A busy connection borrows a bulk buffer of its own. Measured: 512 KiB
* reads need 0.4 times the CPU of 16 KiB reads (docs/performance.md).
*/
var RelayBuffers = class {
	bulkBytes;
	#shared;
	#prefixes = /* @__PURE__ */ new Map();
	#spare = [];
	#lent = 0;
	#next;
	/** @param bulkBytes size of one bulk buffer, bytes; at least 65536 are used. @default 524288 */
	constructor(bulkBytes = 524288) {
		this.bulkBytes = Math.max(SHARED_BYTES, bulkBytes);
	}
	/** The buffer of quiet connections; valid only inside a read callback. */
	get shared() {
		this.#shared ??= Buffer.allocUnsafeSlow(SHARED_BYTES);
		return this.#shared;
	}
	/** The front of the shared buffer, for connections that must not read more at a time. */
	sharedPrefix(bytes) {
		if (bytes >= SHARED_BYTES) return this.shared;
		let prefix = this.#prefixes.get(bytes);
		if (prefix === void 0) {
			prefix = this.shared.subarray(0, bytes);
			this.#prefixes.set(bytes, prefix);
		}
		return prefix;
	}
	/** Where the read after this callback lands; asked for by `nextBuffer` right after it. */
	set next(buffer) {
		this.#next = buffer;
	}
	/**
	* The `onread.buffer` function of every socket. Node calls it right after each read callback,
	* so one field tells it what that callback chose; without a choice it is the shared buffer.
	*/
	nextBuffer = () => {
		const buffer = this.#next;
		if (buffer === void 0) return this.shared;
		this.#next = void 0;
		return buffer;
	};
	/** Borrows a bulk buffer; `undefined` when all are lent. */
	borrow() {
		if (this.#lent >= MAX_BULK_BUFFERS) return void 0;
		this.#lent++;
		const spare = this.#spare.pop();
		if (spare !== void 0) return spare;
		const whole = Buffer.allocUnsafeSlow(this.bulkBytes);
		return {
			whole,
			body: whole.subarray(4)
		};
	}
	/** Gives a bulk buffer back; nothing may be reading from or writing to it any more. */
	giveBack(buffer) {
		this.#lent--;
		if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(buffer);
	}
	/** Bulk buffers lent now, for tests and the resource ledger. */
	get lent() {
		return this.#lent;
	}
};

// packages/tunnel-core/src/wire/endpoint.ts
/**
* Reads the `remote` of a signal: `1.2.3.4:5` or `[2001:db8::1]:5`.
*
* @returns the address without brackets (an IPv6 zone stays) and the port, or `undefined` if the
*   text is anything else
*/
function parseRemote(remote) {
	const colon = remote.lastIndexOf(":");
	if (colon < 1) return void 0;
	const port = parsePort(remote, colon + 1);
	if (port === void 0) return void 0;
	if (remote.charCodeAt(0) === 91) {
		if (remote.charCodeAt(colon - 1) !== 93) return void 0;
		const address = remote.slice(1, colon - 1);
		return isIPv6(address) ? {
			address,
			port
		} : void 0;
	}
	const address = remote.slice(0, colon);
	return isIPv4(address) ? {
		address,
		port
	} : void 0;
}
/**
* Writes the `remote` of a signal as a NodePass 1.14 node does: IPv6 in brackets, an IPv4 address
* that a dual-stack listener reports as `::ffff:1.2.3.4` in its IPv4 form.
*/
function formatRemote(address, port) {
	if (!address.includes(":")) return `${address}:${port}`;
	const plain = unmapAddress(address);
	return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
/** `1.2.3.4` for `::ffff:1.2.3.4`; any other text as it is. */
function unmapAddress(address) {
	if (address.length < 14 || address.slice(0, 7).toLowerCase() !== "::ffff:") return address;
	const rest = address.slice(7);
	return isIP(rest) === 4 ? rest : address;
}
/** Reads decimal digits up to the end as a port, 0 to 65 535, without a leading zero. */
function parsePort(text, from) {
	const digits = text.length - from;
	if (digits < 1 || digits > 5) return void 0;
	if (digits > 1 && text.charCodeAt(from) === 48) return void 0;
	let port = 0;
	for (let at = from; at < text.length; at++) {
		const digit = text.charCodeAt(at) - 48;
		if (digit < 0 || digit > 9) return void 0;
		port = port * 10 + digit;
	}
	return port <= 65535 ? port : void 0;
}

// packages/tunnel-core/src/wire/stream-frame.ts
const STREAM_HEADER_BYTES = 4;
/** Writes a frame's header at `offset`. */
function writeStreamHeader(out, offset, type, length) {
	out[offset] = type;
	out[offset + 1] = length >>> 16;
	out[offset + 2] = length >>> 8 & 255;
	out[offset + 3] = length & 255;
}
/** A header of its own. */
function streamHeader(type, length) {
	const header = Buffer.allocUnsafe(4);
	writeStreamHeader(header, 0, type, length);
	return header;
}
/** The frame that begins a connection of the user at `remote`. */
function openFrame(type, remote) {
	const frame = Buffer.allocUnsafe(4 + remote.length);
	writeStreamHeader(frame, 0, type, remote.length);
	frame.write(remote, 4, "latin1");
	return frame;
}

// packages/tunnel-core/src/framed/stream-frame-decoder.ts
/**
* Cuts the bytes of a pool connection into frames (docs/protocol.md, "Streams"). Data is passed on
* as it arrives, so a frame is never put together; only headers and addresses are, in 4 and at
* most 128 bytes.
*/
var StreamFrameDecoder = class {
	/** Bytes of the present data frame that are still to come. */
	#remaining = 0;
	#header = 0;
	#headerBytes = 0;
	#openType = 0;
	#openBytes = 0;
	#open = "";
	/**
	* Takes the bytes at `start` to `end`.
	*
	* @returns where it stopped: `end`, or before it when the sink wants the rest later
	* @throws {TunnelError} `FRAME_INVALID`; the connection is then unusable
	*/
	decode(buffer, start, end, sink) {
		let at = start;
		while (at < end) if (this.#remaining > 0) {
			const stop = Math.min(end, at + this.#remaining);
			this.#remaining -= stop - at;
			sink.onData(buffer, at, stop);
			at = stop;
		} else if (this.#openType !== 0) {
			const stop = Math.min(end, at + this.#openBytes);
			this.#open += buffer.toString("latin1", at, stop);
			this.#openBytes -= stop - at;
			at = stop;
			if (this.#openBytes > 0) continue;
			const type = this.#openType;
			this.#openType = 0;
			sink.onOpen(type, this.#open);
			return at;
		} else {
			this.#header = (this.#header << 8 | (buffer[at] ?? 0)) >>> 0;
			at++;
			if (++this.#headerBytes === 4 && !this.#headed(sink)) return at;
		}
		return at;
	}
	#headed(sink) {
		const type = this.#header >>> 24;
		const length = this.#header & 16777215;
		this.#header = 0;
		this.#headerBytes = 0;
		if (type === 3) this.#remaining = length;
		else if (type === 4 && length === 0) return sink.onFin();
		else if ((type === 1 || type === 2) && length > 0) {
			if (length > 128) throw invalid$2(`address of ${length} bytes in an open frame`);
			this.#openType = type;
			this.#openBytes = length;
			this.#open = "";
		} else throw invalid$2(`frame of type ${type} and ${length} bytes`);
		return true;
	}
};
function invalid$2(what) {
	return new TunnelError("FRAME_INVALID", `${what} on a pool connection`);
}

// packages/tunnel-core/src/framed/framed-connection.ts
/** Bytes kept while nobody can take them; then reading stops. */
const MAX_HELD_BYTES = 16384;
/**
* Most bytes that an entry has sent on a connection that it uses again. Whether they have reached
* the target it cannot know: behind a target that ended its side and reads no more, the next user
* would wait for it. So few bytes fit in the buffers on the way.
*/
const MAX_REUSED_BYTES = 32768;
/**
* A pool connection that carries one TCP connection after another, in frames.
*
* States: `idle` → `opening` (exit: the target is being dialled) → `open` → `ending` (the peer's
* fin has come) → `idle` when both sides' fins are through, or destroyed. An end is only what a
* fin frame says: a pool connection that ends in the middle of a connection resets it.
*/
var FramedConnection = class extends RelaySource {
	id;
	/** Called when it closes while its target is being dialled. */
	onLostWhileOpening;
	#owner;
	#decoder = new StreamFrameDecoder();
	#state = "idle";
	#relay;
	/** Bytes of the local side that the present connection has sent. */
	#sent = 0;
	#finSent = false;
	/** The fin and all before it have been handed to the system. */
	#finFlushed = false;
	/** Bytes that nobody can take yet. */
	#held;
	/** So much is held that reading has stopped. */
	#full = false;
	/** An open frame of ours that goes out with the first data, or at the end of the turn. */
	#opening;
	/** An open frame of the peer's, handled when the buffer it came in is done with. */
	#opened;
	/** Whether the bytes being decoded are valid only during the call. */
	#copies = true;
	#onFinWritten = () => {
		if (!this.#finSent) return;
		this.#finFlushed = true;
		this.settle();
	};
	constructor(context, stream, id, owner) {
		super(context, stream, context.outbound);
		this.id = id;
		this.#owner = owner;
	}
	get idle() {
		return this.#state === "idle";
	}
	/** Entry: begins a TCP connection. */
	open(remote, relay) {
		this.#state = "open";
		this.#relay = relay;
		this.#sent = 0;
		this.#opening = openFrame(1, remote);
		this.context.flushes.add(this);
		this.beginLimited();
	}
	/** Entry: begins a UDP session; the stream is the caller's from now on. */
	openUdp(remote) {
		this.#state = "open";
		if (this.bulk !== void 0) this.stream.once("close", () => this.releaseBuffers());
		this.stream.write(openFrame(2, remote));
	}
	/** Exit: the target has been reached. */
	start(relay) {
		this.#state = "open";
		this.#relay = relay;
		this.beginLimited();
		this.#takeHeld();
	}
	/** Ends the connection it carries, and itself, so that the peer's side is reset. */
	reset() {
		resetStream(this.stream);
	}
	/**
	* Sends a copy of bytes of the local side.
	*
	* @returns false while they are pending
	*/
	sendData(buffer, length) {
		this.#sent += length;
		const opening = this.#opening;
		const at = opening?.length ?? 0;
		const frame = Buffer.allocUnsafe(at + 4 + length);
		if (opening !== void 0) {
			opening.copy(frame);
			this.#opening = void 0;
		}
		writeStreamHeader(frame, at, 3, length);
		buffer.copy(frame, at + 4, 0, length);
		return this.stream.write(frame);
	}
	/**
	* Sends bytes of the local side where they lie, after the head room of a bulk buffer.
	*
	* @returns false while they are pending: until then the buffer is in use
	*/
	sendBulk(bulk, length) {
		if (this.tls && length < 65536) return this.sendData(bulk.subarray(4), length);
		this.#sent += length;
		this.#sendOpening();
		writeStreamHeader(bulk, 0, 3, length);
		return this.stream.write(bulk.subarray(0, 4 + length));
	}
	/** The local side has ended. */
	sendFin() {
		if (this.#finSent || this.closed) return;
		this.#sendOpening();
		this.#finSent = true;
		this.stream.write(streamHeader(4, 0), this.#onFinWritten);
	}
	#sendOpening() {
		if (this.#opening === void 0) return;
		this.stream.write(this.#opening);
		this.#opening = void 0;
	}
	flush() {
		if (!this.closed) this.#sendOpening();
		super.flush();
		if (this.#full) this.stream.pause();
	}
	/** All that was sent has gone: the local side may be read on. */
	onDrain() {
		this.#relay?.unblock();
	}
	onBytes(buffer, length, owned) {
		if (this.tls && !owned && this.gatherRecord(buffer, length)) return this.afterRead(length);
		if (!owned && !this.tls) this.sizeUp(length);
		this.#copies = !owned && (this.tls || this.readsShared);
		this.#take(buffer, length);
		return this.afterRead(length) && !this.#full;
	}
	passGathered(gather, length) {
		this.#copies = false;
		this.#take(gather, length);
	}
	#take(buffer, length) {
		const decodable = this.#state === "idle" || this.#state === "open";
		if (this.#held !== void 0 || !decodable) {
			this.#hold(buffer.subarray(0, length));
			return;
		}
		let stopped;
		try {
			stopped = this.#decoder.decode(buffer, 0, length, this);
		} catch (error) {
			if (!(error instanceof TunnelError)) throw error;
			this.#owner.onViolation(error);
			resetStream(this.stream);
			return;
		}
		if (stopped < length) this.#hold(buffer.subarray(stopped, length));
		this.#handleOpened();
	}
	#hold(bytes) {
		this.#held = this.#held === void 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
		if (this.#held.length >= MAX_HELD_BYTES) this.#full = true;
	}
	/** The state allows to decode again: what was held comes first. */
	#takeHeld() {
		const held = this.#held;
		this.#held = void 0;
		this.#full = false;
		this.#copies = false;
		if (held !== void 0) this.#take(held, held.length);
		if (!this.blocked && !this.limited && !this.closed) this.stream.resume();
	}
	onData(buffer, start, end) {
		const relay = this.#relay;
		if (relay === void 0) throw outside("data");
		const bytes = buffer.subarray(start, end);
		if (!relay.deliver(this.#copies ? copyOf(bytes, end - start) : bytes)) this.blocked = true;
	}
	onFin() {
		const relay = this.#relay;
		if (relay === void 0) throw outside("fin");
		this.#state = "ending";
		this.returnBulk();
		relay.peerEnded();
		this.settle();
		return this.idle;
	}
	onOpen(type, remote) {
		if (this.#owner.role === "entry" || this.#state !== "idle") throw outside("open");
		if (parseRemote(remote) === void 0) throw new TunnelError("FRAME_INVALID", "address of an open frame is no ip:port");
		this.#state = "opening";
		this.#opened = {
			type,
			remote
		};
	}
	#handleOpened() {
		const opened = this.#opened;
		if (opened === void 0) return;
		this.#opened = void 0;
		this.#owner.onGone(this);
		if (opened.type === 1) {
			this.#owner.onOpenTcp(this, opened.remote);
			return;
		}
		const early = this.#held;
		this.#held = void 0;
		this.stream.once("close", () => this.releaseBuffers());
		this.#owner.onOpenUdp(this, opened.remote, early);
	}
	/** The local side has closed: cleanly, or the peer's side is reset. */
	localClosed() {
		if (this.#state === "ending" && this.#finSent) this.settle();
		else this.reset();
	}
	/** Becomes idle if its connection has ended on both sides and nothing of it is in use. */
	settle() {
		const relay = this.#relay;
		if (this.#state !== "ending" || !this.#finFlushed || this.closed || relay === void 0) return;
		if (!relay.closed && relay.stream.writableLength > 0) return;
		this.#relay = void 0;
		relay.detach();
		this.#state = "idle";
		this.#finSent = false;
		this.#finFlushed = false;
		this.returnBulk();
		if (this.blocked) this.unblock();
		if (this.ended || this.#owner.role === "entry" && this.#sent > MAX_REUSED_BYTES) {
			this.stream.destroy();
			return;
		}
		this.#owner.onReusable(this);
		if (this.#held !== void 0) this.#takeHeld();
	}
	onEnd() {
		this.ended = true;
		const over = this.#owner.role === "exit" && this.#state === "ending" && this.#finSent;
		if (this.idle) this.stream.destroy();
		else if (!over) resetStream(this.stream);
	}
	onError(_error) {}
	onClose() {
		if (this.closed) return;
		this.closed = true;
		const relay = this.#relay;
		this.#relay = void 0;
		if (this.idle) this.#owner.onGone(this);
		relay?.carrierLost();
		this.onLostWhileOpening?.();
		if (relay === void 0 || relay.closed) this.releaseBuffers();
		else relay.onReleased = () => this.releaseBuffers();
	}
};
function outside(what) {
	return new TunnelError("FRAME_INVALID", `${what} frame outside a connection's life`);
}

// packages/tunnel-core/src/streams/early-reader.ts
/** Early bytes after which a stream is read no further until its relay begins. */
const MAX_EARLY_BYTES$1 = 16384;
/** Reader of a stream that waits for its relay: keeps what comes, up to a bound. */
var EarlyReader = class {
	/** Called when the stream closes while it waits. */
	onLost;
	#bytes;
	#ended = false;
	/** @param onLost called when the stream closes while it waits */
	constructor(onLost) {
		this.onLost = onLost;
	}
	/** What has come; `undefined` if nothing. */
	get early() {
		if (this.#bytes === void 0 && !this.#ended) return void 0;
		return {
			bytes: this.#bytes,
			ended: this.#ended
		};
	}
	get ended() {
		return this.#ended;
	}
	onBytes(buffer, length, _owned) {
		const bytes = buffer.subarray(0, length);
		this.#bytes = this.#bytes === void 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
		return this.#bytes.length < MAX_EARLY_BYTES$1;
	}
	onEnd() {
		this.#ended = true;
	}
	onDrain() {}
	onError(_error) {}
	onClose() {
		this.onLost?.();
	}
};

// packages/tunnel-core/src/pool/pool-connection.ts
/**
* An idle pool connection. It keeps reading, so that its end is noticed, and keeps what comes
* before the signal that claims it.
*/
var PoolConnection = class extends EarlyReader {
	id;
	stream;
	#pool;
	constructor(pool, stream, id) {
		super();
		this.#pool = pool;
		this.stream = stream;
		this.id = id;
	}
	onEnd() {
		super.onEnd();
		this.#pool.ended(this);
	}
	onClose() {
		this.#pool.remove(this);
		super.onClose();
	}
};

// packages/tunnel-core/src/pool/connection-pool.ts
/** The ready connections of one session, by id. */
var ConnectionPool = class {
	#idle = /* @__PURE__ */ new Map();
	#claims = /* @__PURE__ */ new Map();
	#deadlines;
	#options;
	/** Connections in `#idle` whose peer has sent its FIN: claimable, not ready. */
	#ended = 0;
	#closed = false;
	constructor(options) {
		this.#options = options;
		this.#deadlines = new DeadlineQueue(options.claimTimeoutMs, (claim) => {
			this.#claims.delete(claim.id);
			claim.onConnection(void 0);
		});
	}
	/** Ready connections. */
	get size() {
		return this.#idle.size - this.#ended;
	}
	has(id) {
		return this.#idle.has(id);
	}
	/**
	* Adds a connection; it goes to the claim that waits for its id, else it is idle.
	*
	* @param early bytes that came with the connection's opening
	*/
	add(stream, id, early) {
		const { frame } = this.#options;
		if (frame !== void 0 && !this.#closed && !stream.destroyed && !this.#idle.has(id)) {
			const framed = frame(stream, id);
			setReader(stream, framed);
			this.put(framed);
			if (early !== void 0 && early.length > 0) framed.onBytes(early, early.length, true);
			return;
		}
		const connection = new PoolConnection(this, stream, id);
		if (this.#closed || stream.destroyed || this.#idle.has(id)) {
			setReader(stream, connection);
			stream.destroy();
			return;
		}
		setReader(stream, connection);
		if (early !== void 0 && early.length > 0) connection.onBytes(early, early.length, true);
		const claim = this.#claims.get(id);
		if (claim !== void 0) {
			this.#claims.delete(id);
			this.#deadlines.delete(claim);
			claim.onConnection(connection);
			return;
		}
		this.#idle.set(id, connection);
		this.#options.onAvailable?.();
	}
	/** A framed connection is idle, new or again. */
	put(connection) {
		if (this.#closed) {
			connection.stream.destroy();
			return;
		}
		this.#idle.set(connection.id, connection);
		this.#options.onAvailable?.();
	}
	/** A framed connection was opened by the peer, or has closed. */
	withdraw(connection) {
		if (this.#idle.get(connection.id) !== connection) return;
		this.#idle.delete(connection.id);
		if (!this.#closed) this.#options.onTaken?.(!connection.idle);
	}
	/** Closes the idle connections over `most`; only the entry may, which alone uses them. */
	trim(most) {
		for (const connection of [...this.#idle.values()].slice(0, Math.max(0, this.size - most))) {
			this.#idle.delete(connection.id);
			connection.stream.destroy();
		}
	}
	/** Takes any ready connection (the one that has been idle longest). */
	take() {
		for (const connection of this.#idle.values()) {
			if (connection.stream.destroyed) continue;
			this.#idle.delete(connection.id);
			this.#options.onTaken?.(true);
			return connection;
		}
	}
	/** Takes the connection with this id, now or when it arrives. */
	claim(claim) {
		const connection = this.#idle.get(claim.id);
		if (connection instanceof PoolConnection) {
			this.#idle.delete(claim.id);
			if (connection.ended) this.#ended--;
			else this.#options.onTaken?.(true);
			claim.onConnection(connection);
			return;
		}
		const full = this.#claims.size >= this.#options.maxClaims;
		if (this.#closed || full || this.#claims.has(claim.id)) {
			claim.onConnection(void 0);
			return;
		}
		this.#claims.set(claim.id, claim);
		this.#deadlines.add(claim);
	}
	/** Gives up a claim; its `onConnection` is not called. */
	unclaim(claim) {
		if (this.#claims.get(claim.id) !== claim) return;
		this.#claims.delete(claim.id);
		this.#deadlines.delete(claim);
	}
	/** The peer ended an idle connection. */
	ended(connection) {
		if (this.#idle.get(connection.id) !== connection) return;
		if (this.#options.role === "exit" && !this.#closed) {
			this.#ended++;
			this.#options.onTaken?.(false);
			return;
		}
		this.#idle.delete(connection.id);
		connection.stream.destroy();
		if (!this.#closed) this.#options.onTaken?.(false);
	}
	/** An idle connection has closed. */
	remove(connection) {
		if (this.#idle.get(connection.id) !== connection) return;
		this.#idle.delete(connection.id);
		if (connection.ended) this.#ended--;
		else if (!this.#closed) this.#options.onTaken?.(false);
	}
	/** Closes connections that ended long ago and that no signal has claimed. */
	#stale = /* @__PURE__ */ new Set();
	sweepEnded() {
		const stale = this.#stale;
		this.#stale = /* @__PURE__ */ new Set();
		if (this.#ended === 0) return;
		for (const connection of this.#idle.values()) {
			if (!connection.ended) continue;
			if (stale.has(connection)) connection.stream.destroy();
			else this.#stale.add(connection);
		}
	}
	/** Closes every idle connection (`flush`); the pool goes on. */
	flush() {
		for (const connection of [...this.#idle.values()]) connection.stream.destroy();
	}
	/** Closes every idle connection and fails every claim. */
	close() {
		this.#closed = true;
		this.#deadlines.clear((claim) => claim.onConnection(void 0));
		this.#claims.clear();
		this.flush();
		this.#idle.clear();
		this.#ended = 0;
	}
};

// packages/tunnel-core/src/session/certificate-check.ts
/** Report intervals after which a connection that the peer should have closed is closed here. */
const CLOSE_AFTER_TICKS = 2;
/**
* The `verify` round of NodePass 1.14 (docs/protocol.md, "Certificate check"): each end names a pool
* connection and the fingerprint it knows; the other compares and closes that connection.
*/
var CertificateCheck = class {
	#options;
	#offered;
	#sent = false;
	#ticks = 0;
	constructor(options) {
		this.#options = options;
	}
	/** Sends our fingerprint as soon as the pool has a connection for it. */
	start() {
		const { plan } = this.#options;
		if (!plan.wait) this.#options.onPassed();
		if (!plan.send || this.#sent) return;
		const connection = this.#options.pool.take();
		if (connection === void 0) return;
		const fp = plan.fingerprintOf(connection.stream);
		if (fp === void 0) {
			connection.stream.destroy();
			this.#options.onFailed("a pool connection shows no certificate");
			return;
		}
		this.#sent = true;
		this.#offered = connection;
		this.#options.send({
			action: "verify",
			id: connection.id,
			fp
		});
	}
	/** The peer's `verify`. */
	received(id, fp) {
		const { pool } = this.#options;
		if (this.#offered?.id === id) {
			this.#compare(this.#offered, fp);
			return;
		}
		pool.claim({
			id,
			onConnection: (connection) => {
				if (connection === void 0) {
					this.#options.context.log("warn", "verify signal for an unknown pool connection", { id });
					return;
				}
				this.#compare(connection, fp);
			}
		});
	}
	#compare(connection, theirs) {
		const ours = this.#options.plan.fingerprintOf(connection.stream);
		setReader(connection.stream, DETACHED_READER);
		connection.stream.destroy();
		if (theirs === "") return;
		const a = Buffer.from(ours ?? "");
		const b = Buffer.from(theirs);
		if (a.length !== b.length || !timingSafeEqual(a, b)) {
			this.#options.onFailed(`the peer's certificate fingerprint ${theirs} is not the one seen here, ${ours ?? "none"}`);
			return;
		}
		this.#options.context.log("info", "certificate fingerprint verified", { fingerprint: theirs });
		this.#options.onPassed();
	}
	/** Once per report interval. */
	tick() {
		if (this.#offered !== void 0 && ++this.#ticks >= CLOSE_AFTER_TICKS) this.close();
	}
	close() {
		this.#offered?.stream.destroy();
		this.#offered = void 0;
	}
};

// packages/tunnel-core/src/wire/signal.ts
/** The bytes of a signal key. */
function signalKeyBytes(key) {
	return Buffer.from(key, "utf8");
}
/** Whether `text` is a pool connection's id: eight lower-case hex digits. */
function isPoolId(text) {
	if (text.length !== 8) return false;
	for (let at = 0; at < 8; at++) {
		const code = text.charCodeAt(at);
		if (!(code >= 48 && code <= 57 || code >= 97 && code <= 102)) return false;
	}
	return true;
}

// packages/tunnel-core/src/wire/signal-encoder.ts
/** Longer than any valid signal: a `verify` has 145 bytes, a `tcp` with a long zone still less. */
const SCRATCH_BYTES$1 = 512;
/** Longest `remote` that is sent; an IPv6 address with a zone and a port needs 68. */
const MAX_REMOTE_CHARS = 128;
/**
* Makes the encoder of one control connection.
*
* A line is base64 (standard alphabet, padded) of the JSON text XORed with the key's bytes
* repeated, then LF. The JSON's bytes are those a NodePass 1.14 node writes: no white space, the
* fields in the order action, remote, id, fp.
*
* @param key of the signals: the tunnel key towards a 1.14 node, else `signalKey()`
* @returns a function from a signal to its line, LF included; it throws `SIGNAL_INVALID` for an
*   id, a remote or a fingerprint of the wrong shape
* @throws {TunnelError} `INVALID_OPTIONS` if the key is empty
* @see docs/protocol.md, "Control connection"
*/
function createSignalEncoder(key) {
	const mask = signalKeyBytes(key);
	if (mask.length === 0) throw new TunnelError("INVALID_OPTIONS", "the signal key is empty");
	const scratch = Buffer.allocUnsafe(SCRATCH_BYTES$1);
	const encode = (json) => {
		const length = scratch.write(json, 0, "latin1");
		for (let at = 0, k = 0; at < length; at++) {
			scratch[at] = (scratch[at] ?? 0) ^ (mask[k] ?? 0);
			if (++k === mask.length) k = 0;
		}
		return `${scratch.toString("base64", 0, length)}\n`;
	};
	const ping = encode("{\"action\":\"ping\"}");
	const pong = encode("{\"action\":\"pong\"}");
	const flush = encode("{\"action\":\"flush\"}");
	return (signal) => {
		switch (signal.action) {
			case "ping": return ping;
			case "pong": return pong;
			case "flush": return flush;
			case "tcp":
			case "udp":
				checkId(signal.id);
				if (signal.remote.length > MAX_REMOTE_CHARS || parseRemote(signal.remote) === void 0) throw new TunnelError("SIGNAL_INVALID", `remote of signal ${signal.action} is no ip:port`);
				return encode(`{"action":"${signal.action}","remote":"${signal.remote}","id":"${signal.id}"}`);
			case "verify":
				checkId(signal.id);
				if (signal.fp !== "" && !isFingerprint(signal.fp)) throw new TunnelError("SIGNAL_INVALID", "fp of signal verify is no sha256 fingerprint");
				return encode(`{"action":"verify","id":"${signal.id}","fp":"${signal.fp}"}`);
		}
	};
}
function checkId(id) {
	if (isPoolId(id)) return;
	throw new TunnelError("SIGNAL_INVALID", "id of a signal is not 8 lower-case hex digits");
}

// packages/tunnel-core/src/wire/signal-decoder.ts
const DEFAULT_MAX_LINE_BYTES = 4096;
/** Longest name of an unknown action that is handed on (to be logged). */
const MAX_NAME_CHARS = 32;
const LF$1 = 10;
const NONE = Object.freeze([]);
const EMPTY$1 = Buffer.alloc(0);
/** Value of each base64 character; 64 for `=`, 255 for bytes that are none. */
const SEXTETS = sextets();
/** The signals without fields: always the same line, so they are known by their bytes. */
const CONSTANT_SIGNALS = [
	Object.freeze({ action: "ping" }),
	Object.freeze({ action: "pong" }),
	Object.freeze({ action: "flush" })
];
/**
* Reads the lines of one control connection, however the stream is cut.
*
* Everything in a line comes from the network and is checked. No message of an error holds any of
* a line's text: XORed with the key, chosen bytes would print the key into the log.
*
* @see docs/protocol.md, "Control connection"
*/
var SignalDecoder = class {
	#mask;
	#maxLineBytes;
	#constants;
	/** The beginning of a line whose end has not arrived. */
	#partial = EMPTY$1;
	#have = 0;
	/** The JSON text of the line at hand. */
	#json = EMPTY$1;
	#failure;
	/**
	* @param key of the signals: the tunnel key towards a 1.14 node, else `signalKey()`
	* @throws {TunnelError} `INVALID_OPTIONS` for an empty key or a limit out of range
	*/
	constructor(key, options) {
		const maxLineBytes = options?.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
		if (!Number.isInteger(maxLineBytes) || maxLineBytes < 64 || maxLineBytes > 1048576) throw new TunnelError("INVALID_OPTIONS", `maxLineBytes ${maxLineBytes} is not an integer from 64 to 1048576`);
		const encode = createSignalEncoder(key);
		this.#mask = signalKeyBytes(key);
		this.#maxLineBytes = maxLineBytes;
		this.#constants = CONSTANT_SIGNALS.map((signal) => ({
			line: Buffer.from(encode(signal).slice(0, -1), "latin1"),
			signal
		}));
	}
	/**
	* Takes the next bytes of the stream.
	*
	* @param chunk may be reused by the caller after the call
	* @returns what its complete lines say, in order
	* @throws {TunnelError} `SIGNAL_INVALID` for a line that is no signal, `SIGNAL_TOO_LARGE` for one
	*   over the limit, as soon as that is certain. The stream is then unusable: what the same chunk
	*   held before that line is dropped with it, and every further call throws the same error.
	*/
	push(chunk) {
		if (this.#failure !== void 0) throw this.#failure;
		try {
			return this.#read(chunk);
		} catch (error) {
			if (error instanceof TunnelError) this.#failure = error;
			this.#partial = EMPTY$1;
			this.#json = EMPTY$1;
			throw error;
		}
	}
	#read(chunk) {
		let events;
		let at = 0;
		while (at < chunk.length) {
			const end = chunk.indexOf(LF$1, at);
			const stop = end < 0 ? chunk.length : end;
			if (this.#have + stop - at > this.#maxLineBytes) throw new TunnelError("SIGNAL_TOO_LARGE", `signal of more than maxLineBytes ${this.#maxLineBytes}`);
			if (end < 0) {
				this.#keep(chunk, at);
				break;
			}
			let event;
			if (this.#have === 0) event = this.#decode(chunk, at, end);
			else {
				this.#keep(chunk.subarray(0, end), at);
				event = this.#decode(this.#partial, 0, this.#have);
				this.#have = 0;
			}
			events ??= [];
			events.push(event);
			at = end + 1;
		}
		return events ?? NONE;
	}
	#keep(chunk, from) {
		const needed = this.#have + chunk.length - from;
		if (needed > this.#partial.length) {
			const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxLineBytes, Math.max(256, needed * 2)));
			larger.set(this.#partial.subarray(0, this.#have));
			this.#partial = larger;
		}
		this.#partial.set(from === 0 ? chunk : chunk.subarray(from), this.#have);
		this.#have = needed;
	}
	#decode(bytes, start, end) {
		for (const { line, signal } of this.#constants) if (line.length === end - start && sameBytes(line, bytes, start)) return signal;
		const length = this.#unmask(bytes, start, end);
		let value;
		try {
			value = JSON.parse(this.#json.toString("utf8", 0, length));
		} catch {
			throw invalid$1("signal is no JSON (another key?)");
		}
		return toSignal(value);
	}
	/** Undoes base64 and the key of one line, into `#json`; returns the length. */
	#unmask(bytes, start, end) {
		const chars = end - start;
		if (chars === 0 || chars % 4 !== 0) throw invalid$1(`signal of ${chars} bytes is no base64`);
		let padding = 0;
		if (bytes[end - 1] === 61) padding = bytes[end - 2] === 61 ? 2 : 1;
		const length = chars / 4 * 3 - padding;
		if (this.#json.length < length + 2) this.#json = Buffer.allocUnsafeSlow(length + 256);
		const json = this.#json;
		const mask = this.#mask;
		let out = 0;
		let k = 0;
		let bits = 0;
		for (let at = start, held = 0; at < end - padding; at++) {
			const sextet = SEXTETS[bytes[at] ?? 0] ?? 255;
			if (sextet === 255) throw invalid$1("signal is no base64");
			bits = (bits << 6 | sextet) & 65535;
			held += 6;
			if (held >= 8) {
				held -= 8;
				json[out++] = bits >>> held ^ (mask[k] ?? 0);
				if (++k === mask.length) k = 0;
			}
		}
		if (padding > 0 && (bits & (padding === 1 ? 3 : 15)) !== 0) throw invalid$1("signal is no base64");
		return length;
	}
};
function toSignal(value) {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid$1("signal is no JSON object");
	const { action, remote, id, fp } = value;
	switch (action) {
		case "ping":
		case "pong":
		case "flush": return { action };
		case "tcp":
		case "udp":
			if (typeof remote !== "string" || parseRemote(remote) === void 0) throw invalid$1(`remote of signal ${action} is no ip:port`);
			return {
				action,
				remote,
				id: checkedId(action, id)
			};
		case "verify":
			if (fp !== void 0 && fp !== "" && !(typeof fp === "string" && isFingerprint(fp))) throw invalid$1("fp of signal verify is no sha256 fingerprint");
			return {
				action,
				id: checkedId(action, id),
				fp: fp ?? ""
			};
		default:
			if (typeof action !== "string") throw invalid$1("action of a signal is no text");
			return {
				action: "unknown",
				name: printable(action.slice(0, MAX_NAME_CHARS))
			};
	}
}
function checkedId(action, id) {
	if (typeof id === "string" && isPoolId(id)) return id;
	throw invalid$1(`id of signal ${action} is not 8 lower-case hex digits`);
}
/** A name fit for a log line: whatever is no printable ASCII becomes `?`. */
function printable(text) {
	let out = "";
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		out += code > 32 && code < 127 ? text.charAt(at) : "?";
	}
	return out;
}
function sameBytes(line, bytes, start) {
	for (let at = line.length - 1; at >= 0; at--) if (line[at] !== bytes[start + at]) return false;
	return true;
}
function sextets() {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const table = (/* @__PURE__ */ new Uint8Array(256)).fill(255);
	for (let at = 0; at < 64; at++) table[alphabet.charCodeAt(at)] = at;
	return table;
}
function invalid$1(message) {
	return new TunnelError("SIGNAL_INVALID", message);
}

// packages/tunnel-core/src/session/control-channel.ts
/** Report intervals without a byte after which a 1.14 peer is lost. */
const SILENT_INTERVALS = 3;
/** The same for our own nodes: losing a session by mistake costs them only a reconnect. */
const SILENT_INTERVALS_PROVED = 1;
/** After this long a ping counts as never answered, ms. */
const UNANSWERED_MS = 4e3;
/** Least silence, ms: short report intervals don't make a busy machine a lost one. */
const MIN_SILENCE_MS = 1e3;
/** Bytes of one signal line, about, for the bound of what is queued. */
const SIGNAL_BYTES = 128;
/**
* The control connection: signals in lines, those of one turn of the event loop in one write, and
* a ping every report interval that tells whether the peer is there and how far away it is.
*/
var ControlChannel = class {
	#options;
	#decoder;
	#encode;
	#maxQueuedBytes;
	#maxSilentTicks;
	#pending = "";
	#silentTicks = 0;
	/** When the pings without a pong were sent: a probe's may be on the way beside a tick's. */
	#pingsSentAt = [];
	#closed = false;
	#onPong = [];
	#flush = () => {
		const lines = this.#pending;
		this.#pending = "";
		if (this.#closed) return;
		this.#options.stream.write(lines, "latin1");
		if (this.#options.stream.writableLength > this.#maxQueuedBytes) this.#lose("the peer does not read its control connection");
	};
	constructor(options) {
		this.#options = options;
		this.#decoder = new SignalDecoder(options.key);
		this.#encode = createSignalEncoder(options.key);
		this.#maxQueuedBytes = options.context.limits.semaphoreLimit * SIGNAL_BYTES;
		const least = options.proved ? SILENT_INTERVALS_PROVED : SILENT_INTERVALS;
		const { reportIntervalMs } = options.context.limits;
		this.#maxSilentTicks = Math.max(least, Math.ceil(MIN_SILENCE_MS / reportIntervalMs));
		setReader(options.stream, this);
	}
	/** Handles what came before this channel existed; call once after construction. */
	start() {
		const { early } = this.#options;
		if (early !== void 0 && early.length > 0) this.onBytes(early, early.length, true);
		this.ping();
	}
	send(signal) {
		if (this.#closed) return;
		if (this.#pending === "") setImmediate(this.#flush);
		this.#pending += this.#encode(signal);
	}
	ping() {
		const now = performance.now();
		while (now - (this.#pingsSentAt[0] ?? now) > UNANSWERED_MS) this.#pingsSentAt.shift();
		this.#pingsSentAt.push(now);
		this.send({ action: "ping" });
	}
	/** Pings and calls back whether the peer answered within `timeoutMs`. */
	probe(timeoutMs, callback) {
		if (this.#closed) {
			callback(false);
			return;
		}
		const done = (alive) => {
			clearTimeout(timer);
			const at = this.#onPong.indexOf(done);
			if (at >= 0) this.#onPong.splice(at, 1);
			callback(alive);
		};
		const timer = setTimeout(() => done(false), timeoutMs);
		this.#onPong.push(done);
		this.ping();
	}
	/** Once per report interval. */
	tick() {
		const most = this.#maxSilentTicks;
		if (++this.#silentTicks > most) {
			this.#lose(`nothing came from the peer for over ${most} report intervals`);
			return;
		}
		this.ping();
	}
	onBytes(buffer, length, _owned) {
		this.#silentTicks = 0;
		try {
			for (const signal of this.#decoder.push(buffer.subarray(0, length))) {
				if (this.#closed) return false;
				if (signal.action === "ping") this.send({ action: "pong" });
				else if (signal.action === "pong") this.#pong();
				else this.#options.onSignal(signal);
			}
		} catch (error) {
			this.#lose(error instanceof Error ? error.message : String(error));
			return false;
		}
		return !this.#closed;
	}
	#pong() {
		const sentAt = this.#pingsSentAt.shift();
		if (sentAt !== void 0) {
			const roundTrip = performance.now() - sentAt;
			this.#options.context.counters.ping = Math.max(1, Math.round(roundTrip));
		}
		for (const done of [...this.#onPong]) done(true);
	}
	onEnd() {
		this.#lose("the peer closed the control connection");
	}
	onDrain() {}
	onError(error) {
		this.#lose(`control connection failed: ${error.message}`);
	}
	onClose() {
		this.#lose("the control connection closed");
	}
	/** Ends the channel without calling `onLost`. */
	close() {
		if (this.#closed) return;
		if (this.#pending !== "") this.#flush();
		this.#closed = true;
		this.#options.context.lingerer.end(this.#options.stream);
		for (const done of [...this.#onPong]) done(false);
	}
	#lose(reason) {
		if (this.#closed) return;
		this.#closed = true;
		this.#options.stream.destroy();
		for (const done of [...this.#onPong]) done(false);
		this.#options.onLost(reason);
	}
};

// packages/tunnel-core/src/session/session.ts
/** How many unknown actions of one session are logged. */
const MAX_UNKNOWN_LOGGED = 3;
/**
* One meeting of two ends, from the control connection's opening until its loss.
*
* States: waiting for the control connection → checking certificates (1.14 peers with TLS only) →
* ready → ended. Relays that run on its pool connections outlive it.
*/
var Session = class {
	terms;
	pool;
	#context;
	#hooks;
	#control;
	#check;
	#timer;
	#ready = false;
	#ended = false;
	#unknownLogged = 0;
	constructor(context, terms, hooks) {
		this.terms = terms;
		this.#context = context;
		this.#hooks = hooks;
		this.pool = new ConnectionPool({
			role: terms.role,
			claimTimeoutMs: context.limits.poolGetTimeoutMs,
			maxClaims: context.limits.semaphoreLimit,
			frame: terms.streams ? (stream, id) => this.#frame(stream, id) : void 0,
			onAvailable: () => this.#available(),
			onTaken: (used) => hooks.onTaken(this, used)
		});
	}
	#frame(stream, id) {
		this.#framedOwner ??= {
			role: this.terms.role,
			onOpenTcp: this.#hooks.onOpenTcp,
			onOpenUdp: this.#hooks.onOpenUdp,
			onReusable: (connection) => this.pool.put(connection),
			onGone: (connection) => this.pool.withdraw(connection),
			onViolation: (error) => {
				this.#context.logLimited("warn", "pool connection broke the rules of frames", {
					reason: error.message,
					peer: this.terms.peer
				});
			}
		};
		return new FramedConnection(this.#context, stream, id, this.#framedOwner);
	}
	#framedOwner;
	get ready() {
		return this.#ready;
	}
	get ended() {
		return this.#ended;
	}
	get hasControl() {
		return this.#control !== void 0;
	}
	/** The control connection has come. */
	begin(stream, early) {
		if (this.#ended || this.#control !== void 0) {
			stream.destroy();
			return;
		}
		const { limits } = this.#context;
		this.#control = new ControlChannel({
			context: this.#context,
			key: this.terms.signalKey,
			proved: this.terms.proved,
			stream,
			early,
			onSignal: (signal) => this.#signal(signal),
			onLost: (reason) => this.end(reason)
		});
		this.#timer = setInterval(() => {
			this.#control?.tick();
			this.pool.sweepEnded();
			if (this.terms.streams && this.terms.role === "entry") this.pool.trim(this.terms.max);
			this.#check?.tick();
		}, limits.reportIntervalMs);
		this.#control.start();
		if (this.#ended) return;
		if (this.terms.check === void 0) this.#becomeReady();
		else {
			this.#check = new CertificateCheck({
				plan: this.terms.check,
				pool: this.pool,
				context: this.#context,
				send: (signal) => this.send(signal),
				onPassed: () => this.#becomeReady(),
				onFailed: (reason) => this.end(reason)
			});
			this.#check.start();
		}
	}
	#becomeReady() {
		if (this.#ready || this.#ended) return;
		this.#ready = true;
		this.#hooks.onReady(this);
		this.#hooks.onAvailable(this);
	}
	#available() {
		this.#check?.start();
		if (this.#ready) this.#hooks.onAvailable(this);
	}
	/** Entry: takes a pool connection for a new connection, if the session serves and has one. */
	take() {
		if (!this.#ready || this.#ended) return void 0;
		return this.pool.take();
	}
	send(signal) {
		this.#control?.send(signal);
	}
	/** Asks the peer whether it is there. */
	probe(timeoutMs, callback) {
		if (this.#control === void 0) callback(!this.#ended);
		else this.#control.probe(timeoutMs, callback);
	}
	#signal(signal) {
		switch (signal.action) {
			case "tcp":
			case "udp":
				if (this.terms.role === "entry") {
					this.end(`the peer sent a ${signal.action} signal, which only the entry sends`);
					return;
				}
				this.#hooks.onOpen(this, {
					...signal,
					action: signal.action
				});
				return;
			case "flush":
				this.#context.logLimited("info", "pool flushed by the peer");
				this.pool.flush();
				return;
			case "verify":
				if (this.#check !== void 0) this.#check.received(signal.id, signal.fp);
				else this.#context.logLimited("warn", "verify signal in a session without a check");
				return;
			case "unknown":
				if (this.#unknownLogged++ < MAX_UNKNOWN_LOGGED) this.#context.log("warn", "unknown signal ignored", { action: signal.name });
				return;
			case "ping":
			case "pong": return;
		}
	}
	/**
	* Tells the peer that the session is over. An exit of framed connections goes on serving what the
	* peer opens until it has heard of that and closed them; other sessions end at once.
	*/
	retire(reason) {
		if (this.terms.role === "entry" || !this.terms.streams) {
			this.end(reason);
			return;
		}
		this.#ready = false;
		this.#retired = true;
		clearInterval(this.#timer);
		this.#control?.close();
	}
	#retired = false;
	/** The peer has not closed all idle connections of a retired session yet. */
	get retiring() {
		return this.#retired && this.pool.size > 0;
	}
	end(reason) {
		if (this.#ended) return;
		this.#ended = true;
		this.#ready = false;
		clearInterval(this.#timer);
		this.#control?.close();
		this.#check?.close();
		this.pool.close();
		this.#hooks.onEnd(this, reason);
	}
};

// packages/tunnel-core/src/tunnels/client-session.ts
/** A client's session: the pool that it keeps filled, and the control connection. */
var ClientSession = class {
	session;
	#refill;
	#context;
	#deadline;
	constructor(options) {
		const { context, settings, met, hooks } = options;
		this.#context = context;
		const { answer } = met;
		const role = answer.flow === "+" ? "entry" : "exit";
		const terms = {
			flow: answer.flow,
			role,
			proved: met.proved,
			framed: met.proved && met.answer.ext.includes("datagrams"),
			streams: met.proved && met.answer.ext.includes("streams"),
			max: answer.max,
			signalKey: met.proved ? signalKey(met.sessionKey) : settings.key,
			peer: `${options.address}:${options.port}`,
			check: met.proved ? void 0 : checkPlan(answer.tls, role)
		};
		this.session = new Session(context, terms, {
			...hooks,
			onTaken: (session, used) => {
				if (used) this.#refill.taken();
				else this.#refill.lost();
				hooks.onTaken(session, used);
			},
			onEnd: (session, reason) => {
				clearTimeout(this.#deadline);
				this.#refill.close();
				hooks.onEnd(session, reason);
			}
		});
		this.#refill = new PoolRefill({
			context,
			dialer: new PoolDialer(context, dialTerms(options)),
			pool: this.session.pool,
			min: settings.min,
			max: answer.max,
			onFatal: (error) => this.session.end(error.message),
			onControl: (stream, early) => {
				clearTimeout(this.#deadline);
				this.session.begin(stream, early);
			}
		});
		if (!met.proved && answer.tls === 2 && role === "exit") context.log("warn", "a NodePass 1.14 server with tls=2 never accepts users in reverse flow: its own certificate check fails");
	}
	start() {
		const { handshakeTimeoutMs } = this.#context.limits;
		this.#deadline = setTimeout(() => {
			this.session.end(`no control connection within ${handshakeTimeoutMs} ms`);
		}, handshakeTimeoutMs);
		this.#refill.start();
	}
	/** Dials no more and tells the server of the end, see `Session.retire`. */
	retire(reason) {
		clearTimeout(this.#deadline);
		this.#refill.close();
		this.session.retire(reason);
	}
	tick() {
		this.#refill.tick();
	}
};
/** The 1.14 certificate check (docs/protocol.md, "Certificate check"). */
function checkPlan(tls, role) {
	if (tls === 0) return void 0;
	return {
		send: tls === 1,
		wait: tls === 1 && role === "entry",
		fingerprintOf: (stream) => stream.peerFingerprint
	};
}
function dialTerms(options) {
	const { met, address, port, serverName, ca } = options;
	const { tls } = met.answer;
	return {
		address,
		port,
		tls: tls === 0 ? void 0 : {
			mode: tls,
			serverName,
			context: createSecureContext({
				minVersion: "TLSv1.3",
				...ca !== void 0 && { ca: [...rootCertificates, ...[ca].flat()] }
			}),
			pin: met.proved && tls === 1 ? met.answer.fp : void 0
		},
		hello: met.proved ? createHelloWriter(Buffer.from(met.answer.session, "hex"), met.sessionKey) : void 0
	};
}

// packages/tunnel-core/src/entry/pool-queue.ts
/** Hands pool connections of the current session to those who need one, first come first served. */
var PoolQueue = class {
	#waiting;
	#maxWaiting;
	#session;
	/**
	* @param timeoutMs longest wait, ms (`NP_POOL_GET_TIMEOUT`)
	* @param maxWaiting most who wait at once (`NP_SEMAPHORE_LIMIT`)
	*/
	constructor(timeoutMs, maxWaiting) {
		this.#maxWaiting = maxWaiting;
		this.#waiting = new DeadlineQueue(timeoutMs, (taker) => taker.onNoConnection());
	}
	/** The session to take from; those who wait go on waiting over a change. */
	setSession(session) {
		this.#session = session;
		this.serve();
	}
	get waiting() {
		return this.#waiting.size;
	}
	request(taker) {
		const session = this.#session;
		if (session !== void 0 && this.#waiting.size === 0) {
			const connection = session.take();
			if (connection !== void 0) {
				taker.onConnection(session, connection);
				return;
			}
		}
		if (this.#waiting.size >= this.#maxWaiting) taker.onNoConnection();
		else this.#waiting.add(taker);
	}
	cancel(taker) {
		this.#waiting.delete(taker);
	}
	/** A pool connection has become available. */
	serve() {
		const session = this.#session;
		while (session !== void 0 && this.#waiting.size > 0) {
			const connection = session.take();
			if (connection === void 0) return;
			this.#waiting.shift()?.onConnection(session, connection);
		}
	}
	close() {
		this.#session = void 0;
		this.#waiting.clear((taker) => taker.onNoConnection());
	}
};

// packages/tunnel-core/src/relay/first-bytes.ts
/** Longest time, ms, that first bytes are held back because they may begin a blocked protocol. */
const HOLD_MS = 1e3;
const HOLD = { action: "hold" };
const BLOCK = { action: "block" };
/** Bytes that begin SOCKS 4, SOCKS 5 and TLS. */
const BINARY_FIRST_BYTES = [
	4,
	5,
	22
];
/**
* The first bytes of a user's connection under `block`: held back while they may be the start of a
* blocked protocol. Who sends half a word and waits is let through after a second, still watched.
*/
var FirstBytes = class {
	#detector;
	#holds;
	#onReleased;
	#held;
	#released = false;
	/** Nothing is looked at any more. */
	done = false;
	/**
	* @param holds expires the hold by calling `release()`
	* @param onReleased passes on bytes whose hold has expired
	*/
	constructor(detector, holds, onReleased) {
		this.#detector = detector;
		this.#holds = holds;
		this.#onReleased = onReleased;
	}
	/** @param bytes valid during the call only */
	inspect(bytes) {
		const verdict = this.#detector.push(bytes);
		if (verdict === "blocked") {
			this.close();
			return BLOCK;
		}
		const copy = Buffer.from(bytes);
		const all = this.#held === void 0 ? copy : Buffer.concat([this.#held, copy]);
		if (verdict === "undecided" && !this.#released) {
			if (this.#held === void 0) this.#holds.add(this);
			this.#held = all;
			return HOLD;
		}
		this.#held = void 0;
		if (verdict === "allowed") this.close();
		return {
			action: "pass",
			bytes: all
		};
	}
	/** No more bytes will come: half a greeting of a blocked protocol is refused, other text passes. */
	end() {
		const held = this.#held;
		this.close();
		if (held === void 0) return {
			action: "pass",
			bytes: void 0
		};
		const binary = BINARY_FIRST_BYTES.includes(held[0] ?? 0);
		const word = held.toString("latin1").trim().split(" ", 1)[0] ?? "";
		if (binary || METHODS$1.includes(word.toUpperCase())) return BLOCK;
		return {
			action: "pass",
			bytes: held
		};
	}
	/** The hold has expired. */
	release() {
		const held = this.#held;
		this.#held = void 0;
		this.#released = true;
		if (held !== void 0) this.#onReleased(held);
	}
	close() {
		this.done = true;
		this.#holds.delete(this);
		this.#held = void 0;
	}
};

// packages/tunnel-core/src/framed/framed-relay.ts
/**
* A TCP connection carried by a framed pool connection: the local side of it. Call `begin` after
* the carrier has been told.
*/
var FramedRelay = class extends RelaySource {
	active = true;
	idleSweeps = 0;
	/** Set by a carrier that waits for this side's last bytes. */
	onReleased;
	#options;
	#carrier;
	#firstBytes;
	/** The carrier has not yet sent all that this side's bulk buffer holds. */
	#releaseLater = false;
	constructor(options) {
		super(options.context, options.local, options.context.inbound);
		this.#options = options;
		this.#carrier = options.carrier;
		const { inspection, local, context } = options;
		setReader(local, this);
		context.tcpRelays.add(this);
		if (inspection !== void 0) this.#firstBytes = new FirstBytes(inspection.detector(), inspection.holds, (held) => {
			this.#passHeld(held);
		});
		if (options.header !== void 0) local.write(options.header, "latin1");
	}
	/** Takes what the local side has brought already and reads on. */
	begin() {
		this.beginLimited();
		const { early } = this.#options;
		if (early === void 0) return;
		let go = true;
		if (early.bytes !== void 0) go = this.onBytes(early.bytes, early.bytes.length, true);
		if (early.ended) this.onEnd();
		else if (go) this.stream.resume();
	}
	onBytes(buffer, length, owned) {
		const carrier = this.#carrier;
		if (carrier === void 0) return false;
		this.active = true;
		this.context.counters.tcprx += length;
		if (this.#firstBytes !== void 0) this.#inspect(this.#firstBytes, buffer.subarray(0, length));
		else {
			if (!owned) this.sizeUp(length);
			const { bulk } = this;
			if (!(owned || bulk === void 0 ? carrier.sendData(buffer, length) : carrier.sendBulk(bulk, length))) this.blocked = true;
		}
		return this.afterRead(length);
	}
	#inspect(firstBytes, bytes) {
		const verdict = firstBytes.inspect(bytes);
		if (firstBytes.done) this.#firstBytes = void 0;
		if (verdict.action === "block") this.#refuse();
		else if (verdict.action === "pass" && verdict.bytes !== void 0) this.#passHeld(verdict.bytes);
	}
	#refuse() {
		this.#options.owner.onBlocked();
		this.cut();
	}
	#passHeld(bytes) {
		if (this.#carrier === void 0 || this.#carrier.sendData(bytes, bytes.length)) return;
		this.blocked = true;
		this.stream.pause();
	}
	/** Only a plain stream is local: nothing is ever gathered. */
	passGathered(gather, length) {
		this.#passHeld(copyOf(gather, length));
	}
	/** Bytes from the peer. @returns false while they are pending */
	deliver(bytes) {
		this.active = true;
		this.context.counters.tcptx += bytes.length;
		return this.stream.write(bytes);
	}
	/** The peer's side has ended. */
	peerEnded() {
		this.active = true;
		const { stream } = this;
		if (this.ended && stream.writableLength === 0) stream.destroy();
		else stream.end();
	}
	/** The carrier has done its part and is somebody else's. */
	detach() {
		this.#carrier = void 0;
	}
	/** The carrier has closed before the connection's end. */
	carrierLost() {
		this.#carrier = void 0;
		if (this.#releaseLater) this.releaseBuffers();
		else resetStream(this.stream);
	}
	unblock() {
		if (this.closed) {
			this.blocked = false;
			if (this.#releaseLater) this.releaseBuffers();
			return;
		}
		super.unblock();
	}
	onDrain() {
		const carrier = this.#carrier;
		if (carrier === void 0) return;
		carrier.unblock();
		carrier.settle();
	}
	onEnd() {
		const carrier = this.#carrier;
		if (this.ended || carrier === void 0) return;
		this.ended = true;
		const verdict = this.#firstBytes?.end();
		if (verdict?.action === "block") {
			this.#refuse();
			return;
		}
		if (verdict?.action === "pass" && verdict.bytes !== void 0) this.#passHeld(verdict.bytes);
		if (!this.blocked) this.giveBackBulk();
		carrier.sendFin();
	}
	onError(_error) {}
	onClose() {
		if (this.closed) return;
		this.closed = true;
		this.#firstBytes?.close();
		this.context.tcpRelays.delete(this);
		const carrier = this.#carrier;
		if (carrier !== void 0) {
			if (this.blocked) this.#releaseLater = true;
			carrier.localClosed();
		}
		if (!this.#releaseLater) this.releaseBuffers();
		this.onReleased?.();
		this.#options.owner.onFinished();
	}
	expire() {
		this.cut();
	}
	cut() {
		resetStream(this.stream);
		this.#carrier?.reset();
	}
};

// packages/tunnel-core/src/relay/relay-end.ts
/**
* One end of a relayed connection: reads its stream and writes to its peer's.
*
* End: an EOF ends the peer's writing side; an error or a close without EOF resets the peer.
*/
var RelayEnd = class extends RelaySource {
	#relay;
	#local;
	#peer;
	#firstBytes;
	constructor(relay, stream, local) {
		super(relay.context, stream, local ? relay.context.inbound : relay.context.outbound);
		this.#relay = relay;
		this.#local = local;
	}
	/** Begins to relay to `peer`. */
	begin(peer, firstBytes) {
		this.#peer = peer;
		this.#firstBytes = firstBytes;
		this.beginLimited();
	}
	onBytes(buffer, length, owned) {
		const relay = this.#relay;
		const peer = this.#peer;
		if (peer === void 0) return false;
		relay.active = true;
		if (this.#local) relay.context.counters.tcprx += length;
		else relay.context.counters.tcptx += length;
		if (this.#firstBytes !== void 0) this.#inspect(this.#firstBytes, buffer.subarray(0, length));
		else if (owned) this.blocked = !peer.stream.write(buffer) || this.blocked;
		else if (this.tls) this.#passRecord(buffer, length, peer);
		else this.#pass(buffer, length, peer);
		return this.afterRead(length);
	}
	/** From a plain stream: the buffer is the shared one, or the bulk buffer of this end. */
	#pass(buffer, length, peer) {
		this.sizeUp(length);
		const chunk = this.readsShared || peer.tls && length < 65536 ? copyOf(buffer, length) : buffer.subarray(0, length);
		if (!peer.stream.write(chunk)) this.blocked = true;
	}
	#passRecord(buffer, length, peer) {
		if (this.gatherRecord(buffer, length)) return;
		if (!peer.stream.write(copyOf(buffer, length))) this.blocked = true;
	}
	passGathered(gather, length) {
		const peer = this.#peer;
		if (peer !== void 0 && !peer.stream.write(gather.subarray(0, length))) this.blocked = true;
	}
	#inspect(firstBytes, bytes) {
		const verdict = firstBytes.inspect(bytes);
		if (firstBytes.done) this.#firstBytes = void 0;
		if (verdict.action === "block") this.#relay.blocked();
		else if (verdict.action === "pass" && verdict.bytes !== void 0) this.passHeld(verdict.bytes);
	}
	/** Passes on what was held back. */
	passHeld(bytes) {
		const peer = this.#peer;
		if (peer === void 0 || peer.closed || peer.stream.write(bytes)) return;
		this.blocked = true;
		this.stream.pause();
	}
	onDrain() {
		this.#peer?.unblock();
	}
	onEnd() {
		const peer = this.#peer;
		if (this.ended || peer === void 0) return;
		this.ended = true;
		const verdict = this.#firstBytes?.end();
		if (verdict?.action === "block") {
			this.#relay.blocked();
			return;
		}
		if (verdict?.action === "pass" && verdict.bytes !== void 0) this.passHeld(verdict.bytes);
		this.flushGathered();
		if (!this.blocked) this.giveBackBulk();
		const { stream } = peer;
		if (peer.ended && !peer.tls && stream.writableLength === 0) stream.destroy();
		else stream.end();
	}
	onError(_error) {
		const peer = this.#peer;
		if (peer !== void 0 && !peer.closed) resetStream(peer.stream);
	}
	onClose() {
		if (this.closed) return;
		this.closed = true;
		this.#firstBytes?.close();
		const peer = this.#peer;
		if (peer !== void 0 && !peer.closed && !(this.ended && peer.ended)) resetStream(peer.stream);
		if (peer === void 0 || peer.closed) this.#relay.finish();
	}
	/** Both streams have closed. */
	release() {
		this.releaseBuffers();
	}
};

// packages/tunnel-core/src/relay/tcp-relay.ts
/** A TCP connection carried between two streams, from its start until both have closed. */
var TcpRelay = class {
	active = true;
	idleSweeps = 0;
	context;
	#local;
	#remote;
	#owner;
	#finished = false;
	constructor(options) {
		const { context, local, remote, earlyLocal, earlyRemote, inspection } = options;
		this.context = context;
		this.#owner = options.owner;
		this.#local = new RelayEnd(this, local, true);
		this.#remote = new RelayEnd(this, remote, false);
		setReader(local, this.#local);
		setReader(remote, this.#remote);
		context.tcpRelays.add(this);
		const firstBytes = inspection && new FirstBytes(inspection.detector(), inspection.holds, (held) => this.#local.passHeld(held));
		this.#local.begin(this.#remote, firstBytes);
		this.#remote.begin(this.#local);
		if (options.header !== void 0) local.write(options.header, "latin1");
		if (earlyLocal !== void 0) takeEarly(this.#local, earlyLocal);
		if (earlyRemote !== void 0) takeEarly(this.#remote, earlyRemote);
	}
	/** The local side speaks a blocked protocol. */
	blocked() {
		this.#owner.onBlocked();
		this.cut();
	}
	expire() {
		this.cut();
	}
	cut() {
		resetStream(this.#local.stream);
		resetStream(this.#remote.stream);
	}
	finish() {
		if (this.#finished) return;
		this.#finished = true;
		this.#local.release();
		this.#remote.release();
		this.context.tcpRelays.delete(this);
		this.#owner.onFinished();
	}
};
function takeEarly(end, early) {
	let go = true;
	if (early.bytes !== void 0) go = end.onBytes(early.bytes, early.bytes.length, true);
	if (early.ended) end.onEnd();
	else if (go) end.stream.resume();
}

// packages/tunnel-core/src/entry/tcp-entry.ts
/** Carries the users' TCP connections into the tunnel. */
var TcpEntry = class {
	context;
	queue;
	constructor(context, queue) {
		this.context = context;
		this.queue = queue;
	}
	/** A user's connection, just accepted. */
	accept(socket) {
		const { context } = this;
		const stream = adoptSocket(socket, socket, DETACHED_READER, context.buffers);
		if (!context.slots.take()) {
			context.logLimited("warn", "connection refused: all slots are taken", { slot: context.settings.slot });
			resetStream(stream);
			return;
		}
		context.counters.tcps++;
		const user = new EntryUser(this, stream);
		setReader(stream, user);
		this.queue.request(user);
	}
	release() {
		this.context.counters.tcps--;
		this.context.slots.release();
	}
};
/** A user's connection until its relay begins; what it sends is kept meanwhile. */
var EntryUser = class extends EarlyReader {
	#entry;
	#remote = "";
	#stream;
	#done = false;
	constructor(entry, stream) {
		super();
		this.#entry = entry;
		this.#stream = stream;
	}
	onConnection(session, connection) {
		this.#done = true;
		const { context } = this.#entry;
		const local = this.#stream;
		const remote = formatRemote(local.remoteAddress ?? "0.0.0.0", local.remotePort ?? 0);
		this.#remote = remote;
		const { inspection } = context;
		const { early } = this;
		if (connection instanceof FramedConnection) {
			const options = {
				context,
				local,
				inspection,
				early,
				owner: this,
				carrier: connection
			};
			const relay = new FramedRelay(options);
			connection.open(remote, relay);
			relay.begin();
		} else {
			session.send({
				action: "tcp",
				remote,
				id: connection.id
			});
			new TcpRelay({
				context,
				local,
				inspection,
				owner: this,
				remote: connection.stream,
				earlyLocal: early,
				earlyRemote: connection.early
			});
		}
		if (context.debugs) context.log("debug", "tcp connection opened", { remote });
	}
	onBlocked() {
		const { context } = this.#entry;
		context.logLimited("warn", "blocked protocol refused", { remote: this.#remote });
	}
	onFinished() {
		const { context } = this.#entry;
		this.#entry.release();
		if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
	}
	onNoConnection() {
		if (this.#done) return;
		this.#entry.context.logLimited("warn", "connection refused: no pool connection in time", { timeoutMs: this.#entry.context.limits.poolGetTimeoutMs });
		resetStream(this.#stream);
	}
	onClose() {
		if (this.#done) return;
		this.#done = true;
		this.#entry.queue.cancel(this);
		this.#entry.release();
	}
};

// packages/tunnel-core/src/wire/proxy-header.ts
/**
* The PROXY protocol v1 line that an exit with `proxy=1` sends to the target before any data.
*
* IPv4-mapped IPv6 addresses count as IPv4, zones are left out. Two families, or something that is
* no IP address, give `PROXY UNKNOWN`: version 1 cannot say it, and a receiver must then use the
* connection's own addresses.
*
* @param source the user's address
* @param destination the target as dialled
* @returns the line with its CRLF, ASCII, at most 107 characters
* @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt section 2.1
*/
function proxyHeader(source, destination) {
	const from = canonicalAddress(source.address);
	const to = canonicalAddress(destination.address);
	const family = isIPv4(from) && isIPv4(to) ? "TCP4" : isIPv6(from) && isIPv6(to) ? "TCP6" : "";
	if (family === "") return "PROXY UNKNOWN\r\n";
	return `PROXY ${family} ${from} ${to} ${source.port} ${destination.port}\r\n`;
}
/** An address in its shortest form: no zone, lower case, IPv4 for IPv4-mapped; else "". */
function canonicalAddress(address) {
	if (isIPv4(address)) return address;
	const zone = address.indexOf("%");
	const bare = zone < 0 ? address : address.slice(0, zone);
	if (!isIPv6(bare)) return "";
	const shortest = new SocketAddress({
		address: bare,
		family: "ipv6"
	}).address;
	const mapped = shortest.slice(7);
	return shortest.startsWith("::ffff:") && isIPv4(mapped) ? mapped : shortest;
}

// packages/tunnel-core/src/exit/framed-opening.ts
/** A connection on a framed pool connection, of which the target is being dialled. */
var FramedOpening = class {
	#exit;
	#carrier;
	#remote;
	#dial;
	#done = false;
	constructor(exit, carrier, remote) {
		this.#exit = exit;
		this.#carrier = carrier;
		this.#remote = remote;
	}
	start() {
		this.#carrier.onLostWhileOpening = () => this.#lost();
		this.#dial = this.#exit.dialer.dial(this);
	}
	onTarget(target, address, port) {
		this.#done = true;
		const exit = this.#exit;
		const { context } = exit;
		const remote = this.#remote;
		const carrier = this.#carrier;
		carrier.onLostWhileOpening = void 0;
		const relay = new FramedRelay({
			context,
			local: target,
			carrier,
			header: exit.header(remote, address, port),
			owner: this
		});
		carrier.start(relay);
		relay.begin();
		if (context.debugs) context.log("debug", "tcp connection opened", { remote });
	}
	onNoTarget(error) {
		if (this.#done) return;
		this.#done = true;
		this.#carrier.onLostWhileOpening = void 0;
		this.#exit.context.logLimited("error", error.message, { remote: this.#remote });
		this.#carrier.reset();
		this.#exit.release();
	}
	/** Only an entry looks at what its local side sends. */
	onBlocked() {}
	onFinished() {
		const { context } = this.#exit;
		this.#exit.release();
		if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
	}
	#lost() {
		if (this.#done) return;
		this.#done = true;
		this.#dial?.cancel();
		this.#exit.release();
	}
};

// packages/tunnel-core/src/exit/tcp-exit.ts
/** Dials the target for each `tcp` signal and relays. */
var TcpExit = class {
	context;
	dialer;
	constructor(context, dialer) {
		this.context = context;
		this.dialer = dialer;
	}
	open(session, id, remote) {
		const { context } = this;
		if (!context.settings.tcp || !context.slots.take()) {
			this.#refused(remote);
			session.pool.claim({
				id,
				onConnection: (connection) => reset(connection?.stream)
			});
			return;
		}
		context.counters.tcps++;
		new ExitOpening(this, session, id, remote).start();
	}
	/** A connection that the peer begins on a framed pool connection. */
	openFramed(carrier, remote) {
		const { context } = this;
		if (!context.settings.tcp || !context.slots.take()) {
			this.#refused(remote);
			carrier.reset();
			return;
		}
		context.counters.tcps++;
		new FramedOpening(this, carrier, remote).start();
	}
	/** The PROXY protocol header of a connection, if one is to be sent. */
	header(remote, address, port) {
		if (!this.context.settings.proxy) return void 0;
		const source = parseRemote(remote) ?? {
			address: "",
			port: 0
		};
		return proxyHeader(source, {
			address,
			port
		});
	}
	#refused(remote) {
		this.context.logLimited("warn", "connection refused: tcp is off or all slots are taken", {
			remote,
			slot: this.context.settings.slot
		});
	}
	release() {
		this.context.counters.tcps--;
		this.context.slots.release();
	}
};
function reset(stream) {
	if (stream !== void 0) resetStream(stream);
}
/**
* A connection of which the target is being dialled and the pool connection may still be on its
* way: both at once, since neither needs the other.
*/
var ExitOpening = class {
	id;
	#exit;
	#session;
	#remote;
	#connection;
	#target;
	#targetReader = new EarlyReader(() => this.#giveUp());
	#address = "";
	#port = 0;
	#dial;
	#done = false;
	constructor(exit, session, id, remote) {
		this.#exit = exit;
		this.#session = session;
		this.id = id;
		this.#remote = remote;
	}
	start() {
		this.#dial = this.#exit.dialer.dial(this);
		if (!this.#done) this.#session.pool.claim(this);
	}
	onConnection(connection) {
		if (connection === void 0 || connection.stream.destroyed) {
			this.#exit.context.logLimited("warn", "no pool connection for a tcp signal", { id: this.id });
			this.#giveUp();
			return;
		}
		if (this.#done) {
			resetStream(connection.stream);
			return;
		}
		this.#connection = connection;
		if (this.#target !== void 0) this.#relay(connection, this.#target);
		else connection.onLost = () => this.#giveUp();
	}
	onTarget(stream, address, port) {
		this.#target = stream;
		this.#address = address;
		this.#port = port;
		if (this.#connection !== void 0) this.#relay(this.#connection, stream);
		else setReader(stream, this.#targetReader);
	}
	onNoTarget(error) {
		this.#exit.context.logLimited("error", error.message, { remote: this.#remote });
		this.#giveUp();
	}
	#relay(connection, target) {
		const { context } = this.#exit;
		const remote = this.#remote;
		this.#done = true;
		const header = this.#exit.header(remote, this.#address, this.#port);
		new TcpRelay({
			context,
			local: target,
			remote: connection.stream,
			header,
			earlyLocal: this.#targetReader.early,
			earlyRemote: connection.early,
			owner: this
		});
		if (context.debugs) context.log("debug", "tcp connection opened", { remote });
	}
	/** Only an entry looks at what its local side sends. */
	onBlocked() {}
	onFinished() {
		const { context } = this.#exit;
		this.#exit.release();
		if (context.debugs) context.log("debug", "tcp connection closed", { remote: this.#remote });
	}
	#giveUp() {
		if (this.#done) return;
		this.#done = true;
		this.#dial?.cancel();
		this.#session.pool.unclaim(this);
		reset(this.#connection?.stream);
		reset(this.#target);
		this.#exit.release();
		if (this.#connection === void 0) this.#session.pool.claim({
			id: this.id,
			onConnection: (connection) => reset(connection?.stream)
		});
	}
};

// packages/tunnel-core/src/udp/udp-socket.ts
/** Socket buffers asked for, bytes; the system may give less. */
const SOCKET_BUFFER_BYTES = 4194304;
/** Addresses are always numeric here; with this, send() needs no look-up and is synchronous. */
const numericLookup = (address, _options, callback) => {
	callback(null, address, isIP(address) === 6 ? 6 : 4);
};
/** A UDP socket that sends to numeric addresses. */
function createUdpSocket(family, options = {}) {
	return createSocket({
		type: family === 6 ? "udp6" : "udp4",
		ipv6Only: family === 6 && options.bindAll !== true,
		...options.systemLookup === true ? {} : { lookup: numericLookup }
	});
}
/** Asks for large socket buffers; the system's limits are fine too. */
function enlargeBuffers(socket) {
	try {
		socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
		socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
	} catch {}
}
/**
* Answers a user. A datagram may come from port 0 (RFC 768: it wants no answer); `send()` throws
* for that, which no stranger may cause.
*
* @returns whether it was sent
*/
function answerUser(socket, datagram, port, address) {
	if (port === 0) return false;
	socket.send(datagram, port, address);
	return true;
}

// packages/tunnel-core/src/handshake/bind.ts
/** Connections that wait to be accepted; the system's own limit may be lower. */
const BACKLOG = 4096;
/** Tries to find a port that is free for TCP and UDP, when the system chooses it. */
const SHARED_PORT_TRIES = 16;
/**
* Binds an address for TCP, UDP or both.
*
* @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED`, with nothing left bound
*/
async function bindAddress(at, options) {
	for (let tried = 1;; tried++) {
		const tcp = options.tcp ? await listen(at, options) : void 0;
		const port = tcp === void 0 ? at.port : portOf(tcp);
		if (!options.udp) return bound(at, port, tcp, void 0);
		try {
			const udp = await bindUdp({
				host: at.host,
				port
			}, options);
			return bound(at, udp.address().port, tcp, udp);
		} catch (error) {
			tcp?.close();
			if (!(at.port === 0 && tried < SHARED_PORT_TRIES && error instanceof TunnelError && error.code === "ADDRESS_IN_USE")) throw error;
		}
	}
}
function bound(at, port, tcp, udp) {
	let open = true;
	return {
		host: at.host,
		port,
		tcp,
		udp,
		close() {
			if (!open) return;
			open = false;
			tcp?.close();
			udp?.close();
		}
	};
}
function portOf(server) {
	const address = server.address();
	return typeof address === "object" && address !== null ? address.port : 0;
}
function listen(at, options) {
	return new Promise((resolve, reject) => {
		const server = createServer({
			allowHalfOpen: true,
			noDelay: true,
			highWaterMark: 0
		});
		const failed = (error) => reject(bindError(at, "tcp", error));
		server.once("error", failed);
		server.on("connection", (socket) => options.onConnection(socket));
		const address = {
			port: at.port,
			backlog: BACKLOG,
			...at.host !== "" && { host: at.host }
		};
		server.listen(address, () => {
			server.off("error", failed);
			server.on("error", (error) => options.onError(error));
			resolve(server);
		});
	});
}
async function bindUdp(at, options) {
	if (at.host !== "") return bindUdpFamily(at, at.host.includes(":") ? 6 : 4, options);
	try {
		return await bindUdpFamily(at, 6, options);
	} catch (error) {
		if (error instanceof TunnelError && error.code === "ADDRESS_IN_USE") throw error;
		return bindUdpFamily(at, 4, options);
	}
}
function bindUdpFamily(at, family, options) {
	return new Promise((resolve, reject) => {
		const named = at.host !== "" && !/^[\d.]+$|:/.test(at.host);
		const socket = createUdpSocket(family, {
			bindAll: at.host === "",
			systemLookup: named
		});
		const failed = (error) => {
			socket.close();
			reject(bindError(at, "udp", error));
		};
		socket.once("error", failed);
		const address = {
			port: at.port,
			exclusive: true,
			...at.host !== "" && { address: at.host }
		};
		socket.bind(address, () => {
			socket.off("error", failed);
			socket.on("error", (error) => options.onError(error));
			enlargeBuffers(socket);
			resolve(socket);
		});
	});
}
function bindError(at, protocol, error) {
	const where = `${at.host}:${at.port} (${protocol})`;
	if (error.code === "EADDRINUSE") return new TunnelError("ADDRESS_IN_USE", `address ${where} is in use`, { cause: error });
	return new TunnelError("BIND_FAILED", `cannot bind ${where}: ${error.message}`, { cause: error });
}

// packages/tunnel-core/src/target/target-dialer.ts
/** Dials the targets in turn; a target that refuses is skipped for the next one. */
var TargetDialer = class {
	context;
	deadlines;
	/** Source address, or `undefined` for the system's choice. */
	localAddress;
	#next = 0;
	constructor(context) {
		this.context = context;
		const { dial } = context.settings;
		this.localAddress = dial === "auto" ? void 0 : dial;
		this.deadlines = new DeadlineQueue(context.limits.tcpDialTimeoutMs, (dial) => dial.timeOut());
	}
	dial(wanted) {
		const { targets } = this.context.settings;
		const dial = new TargetDial(this, targets, this.#next, wanted);
		this.#next = (this.#next + 1) % targets.length;
		dial.start();
		return dial;
	}
	/** Ends every dial under way: who waits for one is told. */
	close() {
		this.deadlines.clear((dial) => dial.abort());
	}
};
/** One connection to any of the targets in the making. */
var TargetDial = class {
	#dialer;
	#targets;
	#first;
	#wanted;
	#tried = 0;
	#target;
	#addresses = [];
	#address = 0;
	#stream;
	#lastError;
	#done = false;
	#onConnect = () => this.#connected();
	constructor(dialer, targets, first, wanted) {
		this.#dialer = dialer;
		this.#targets = targets;
		this.#first = first;
		this.#wanted = wanted;
	}
	start() {
		this.#nextTarget();
	}
	/** Gives up without calling back. */
	cancel() {
		this.#done = true;
		this.#drop();
	}
	/** The tunnel closes. */
	abort() {
		if (this.#done) return;
		this.cancel();
		this.#wanted.onNoTarget(new TunnelError("CLOSED", "the tunnel has closed"));
	}
	#nextTarget() {
		const target = this.#targets[(this.#first + this.#tried) % this.#targets.length];
		if (target === void 0 || this.#tried >= this.#targets.length) {
			this.#fail();
			return;
		}
		this.#tried++;
		this.#target = target;
		this.#address = 0;
		this.#addresses = [];
		const addresses = this.#dialer.context.names.resolve(target.host);
		if (!(addresses instanceof Promise)) {
			this.#addresses = addresses;
			this.#nextAddress();
			return;
		}
		const attempt = this.#tried;
		const current = () => !this.#done && this.#tried === attempt;
		this.#dialer.deadlines.add(this);
		addresses.then((resolved) => {
			if (!current()) return;
			this.#addresses = resolved;
			this.#dialer.deadlines.delete(this);
			this.#nextAddress();
		}, (error) => {
			if (!current()) return;
			this.#lastError = error;
			this.#dialer.deadlines.delete(this);
			this.#nextTarget();
		});
	}
	#nextAddress() {
		const resolved = this.#addresses[this.#address++];
		const target = this.#target;
		if (resolved === void 0 || target === void 0) {
			this.#nextTarget();
			return;
		}
		const { localAddress, context } = this.#dialer;
		if (localAddress !== void 0 && isIP(localAddress) !== resolved.family) {
			this.#lastError = new TunnelError("TARGET_UNREACHABLE", `dial address ${localAddress} and target address ${resolved.address} are of two families`);
			this.#nextAddress();
			return;
		}
		this.#dialer.deadlines.add(this);
		this.#stream = dialStream({
			address: resolved.address,
			port: target.port,
			localAddress
		}, this, context.buffers, this.#onConnect);
	}
	#connected() {
		const stream = this.#stream;
		const address = this.#addresses[this.#address - 1]?.address;
		if (this.#done || stream === void 0 || address === void 0) return;
		this.#done = true;
		this.#dialer.deadlines.delete(this);
		this.#stream = void 0;
		setReader(stream, DETACHED_READER);
		this.#wanted.onTarget(stream, address, this.#target?.port ?? 0);
	}
	timeOut() {
		this.#lastError = new TunnelError("TARGET_UNREACHABLE", `no answer within ${this.#dialer.context.limits.tcpDialTimeoutMs} ms`);
		this.#drop();
		this.#nextAddress();
	}
	#drop() {
		this.#dialer.deadlines.delete(this);
		const stream = this.#stream;
		this.#stream = void 0;
		if (stream === void 0) return;
		setReader(stream, DETACHED_READER);
		stream.destroy();
	}
	#fail() {
		this.#done = true;
		const names = this.#targets.map((target) => `${target.host}:${target.port}`).join(", ");
		const cause = this.#lastError;
		const why = cause instanceof Error ? cause.message : "no address";
		this.#wanted.onNoTarget(new TunnelError("TARGET_UNREACHABLE", `target ${names} unreachable: ${why}`, { cause }));
	}
	onBytes() {
		return false;
	}
	onEnd() {}
	onDrain() {}
	onError(error) {
		this.#lastError = error;
	}
	onClose() {
		if (this.#done || this.#stream === void 0) return;
		this.#dialer.deadlines.delete(this);
		this.#stream = void 0;
		this.#nextAddress();
	}
};

// packages/tunnel-core/src/wire/datagram-frame.ts
/** Largest payload of a UDP datagram over IPv4: 65 535 less 20 bytes of IP and 8 of UDP header. */
const MAX_DATAGRAM_BYTES = 65507;
/** Bytes before each payload. */
const FRAME_HEADER_BYTES = 2;
/** First size of the buffer for a datagram that was cut; it grows to what arrives. */
const FIRST_BUFFER_BYTES = 2048;
const EMPTY = Buffer.alloc(0);
/**
* Writes a frame's header, so that several frames can be gathered in one buffer.
*
* Layout: u16 length (big-endian), then that many bytes of payload, which the caller copies to
* `offset + FRAME_HEADER_BYTES`.
*
* @param out receives two bytes at `offset`
* @param length of the payload, 0 to 65 507
* @throws {TunnelError} `FRAME_INVALID` if `length` is out of range
* @see docs/protocol.md, "Datagram frames"
*/
function writeFrameHeader(out, offset, length) {
	if (!(length >= 0 && length <= 65507)) throw frameTooLong(length);
	out[offset] = length >>> 8;
	out[offset + 1] = length & 255;
}
/**
* Cuts a byte stream into the datagrams that were framed into it.
*
* Keeps at most one datagram (65 507 bytes), in a buffer of its own that is made when first needed
* and grows with the datagrams that arrive in pieces.
*
* @see docs/protocol.md, "Datagram frames"
*/
var DatagramDecoder = class {
	#partial = EMPTY;
	/** Payload bytes in `#partial`. */
	#have = 0;
	/** Payload length; while the header is incomplete -1, or -2 less the header's first byte. */
	#length = NO_HEADER;
	/**
	* Takes the next bytes of the stream.
	*
	* @param chunk may be reused by the caller after the call
	* @param onDatagram called in order for each whole datagram, with a view of `chunk` or of the
	*   decoder's buffer that is valid only during the call; must not throw nor call `push`
	* @throws {TunnelError} `FRAME_INVALID` for a length over 65 507; the stream is then unusable
	*/
	push(chunk, onDatagram) {
		let at = 0;
		if (this.#length !== NO_HEADER) at = this.#resume(chunk, onDatagram);
		while (at < chunk.length) {
			const high = chunk[at] ?? 0;
			if (at + 1 === chunk.length) {
				this.#length = NO_HEADER - 1 - high;
				return;
			}
			const length = checkedLength(high << 8 | (chunk[at + 1] ?? 0));
			const start = at + 2;
			at = start + length;
			if (at > chunk.length) {
				this.#length = length;
				this.#append(chunk, start, chunk.length);
				return;
			}
			onDatagram(chunk.subarray(start, at));
		}
	}
	/** Goes on with a frame that an earlier chunk began; returns where in `chunk` it ends. */
	#resume(chunk, onDatagram) {
		if (chunk.length === 0) return 0;
		let at = 0;
		if (this.#length < NO_HEADER) {
			const high = NO_HEADER - 1 - this.#length;
			this.#length = checkedLength(high << 8 | (chunk[0] ?? 0));
			at = 1;
		}
		const end = at + this.#length - this.#have;
		if (end > chunk.length) {
			this.#append(chunk, at, chunk.length);
			return chunk.length;
		}
		let payload;
		if (this.#have === 0) payload = chunk.subarray(at, end);
		else {
			this.#append(chunk, at, end);
			payload = this.#partial.subarray(0, this.#have);
		}
		this.#length = NO_HEADER;
		this.#have = 0;
		onDatagram(payload);
		return end;
	}
	#append(chunk, start, end) {
		const needed = this.#have + end - start;
		if (needed > this.#partial.length) {
			const size = Math.min(MAX_DATAGRAM_BYTES, powerOfTwo(needed));
			const larger = Buffer.allocUnsafeSlow(size);
			this.#partial.copy(larger, 0, 0, this.#have);
			this.#partial = larger;
		}
		chunk.copy(this.#partial, this.#have, start, end);
		this.#have = needed;
	}
};
const NO_HEADER = -1;
function powerOfTwo(bytes) {
	return bytes <= FIRST_BUFFER_BYTES ? FIRST_BUFFER_BYTES : 2 ** (32 - Math.clz32(bytes - 1));
}
function checkedLength(length) {
	if (length > 65507) throw frameTooLong(length);
	return length;
}
function frameTooLong(length) {
	return new TunnelError("FRAME_INVALID", `datagram of ${length} bytes is not between 0 and ${MAX_DATAGRAM_BYTES}`);
}

// packages/tunnel-core/src/udp/datagram-sender.ts
/** First size of the buffer that frames are gathered in. */
const SCRATCH_BYTES = 262144;
/** Where a tunnel gathers the frames of one session's turn before it writes them. */
var FrameScratch = class {
	#buffer;
	/** A buffer of at least `bytes`, free until the next call unless `pin` follows. */
	take(bytes) {
		if (bytes > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(bytes);
		this.#buffer ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
		return this.#buffer;
	}
	/** The buffer last taken is still being written: never hand it out again. */
	pin() {
		this.#buffer = void 0;
	}
};
/** Writes one UDP session's datagrams to its pool connection. */
var DatagramSender = class {
	flushQueued = false;
	#options;
	#stream;
	#framed;
	#queue = [];
	#queuedBytes = 0;
	constructor(options) {
		this.#options = options;
		this.#framed = options.framed;
	}
	/** The pool connection has come: what waits is sent. */
	attach(stream, framed) {
		this.#stream = stream;
		this.#framed = framed;
		if (this.#queue.length > 0) this.flush();
	}
	/** Sends a datagram; the caller gives the buffer away. */
	send(datagram) {
		const pending = this.#queuedBytes + (this.#stream?.writableLength ?? 0);
		const { length } = datagram;
		if (pending + length > this.#options.maxQueuedBytes || length > 65507) {
			this.#options.onDropped(1);
			return;
		}
		this.#queue.push(datagram);
		this.#queuedBytes += length + 2;
		if (this.#stream === void 0) return;
		if (this.#framed) this.#options.flushes.add(this);
		else this.flush();
	}
	/** End of the turn: one write for all frames of this session. */
	flush() {
		const stream = this.#stream;
		const queue = this.#queue;
		if (stream === void 0 || queue.length === 0) return;
		const bytes = this.#queuedBytes;
		this.#queue = [];
		this.#queuedBytes = 0;
		if (stream.destroyed || stream.writableEnded) {
			this.#options.onDropped(queue.length);
			return;
		}
		if (!this.#framed) {
			for (const datagram of queue) stream.write(datagram);
			return;
		}
		const plain = stream.raw === stream;
		const out = plain ? this.#options.scratch.take(bytes) : Buffer.allocUnsafe(bytes);
		let at = 0;
		for (const datagram of queue) {
			writeFrameHeader(out, at, datagram.length);
			datagram.copy(out, at + 2);
			at += 2 + datagram.length;
		}
		if (!stream.write(out.subarray(0, at)) && plain) this.#options.scratch.pin();
	}
	/** Drops what waits. */
	drop() {
		if (this.#queue.length > 0) this.#options.onDropped(this.#queue.length);
		this.#queue = [];
		this.#queuedBytes = 0;
	}
};

// packages/tunnel-core/src/udp/datagram-throttle.ts
/** Most bytes that wait for the rate limit in one session and direction. */
const MAX_WAITING_BYTES = 1048576;
/** One direction of a UDP session under a rate limit: datagrams wait their turn, or are dropped. */
var DatagramThrottle = class {
	queued = false;
	#bucket;
	#deliver;
	#onDropped;
	#waiting = [];
	#waitingBytes = 0;
	#limited = false;
	#begun = false;
	constructor(bucket, deliver, onDropped) {
		this.#bucket = bucket;
		this.#deliver = deliver;
		this.#onDropped = onDropped;
	}
	/** Delivers the datagram now or in its turn; the caller gives the buffer away. */
	push(datagram) {
		if (!this.#begun) {
			this.#begun = true;
			if (!this.#bucket.take(0)) {
				this.#limited = true;
				this.#bucket.wait(this);
			}
		}
		if (!this.#limited) {
			this.#pass(datagram);
			return;
		}
		if (this.#waitingBytes + datagram.length > MAX_WAITING_BYTES) {
			this.#onDropped(1);
			return;
		}
		this.#waiting.push(datagram);
		this.#waitingBytes += datagram.length;
	}
	#pass(datagram) {
		this.#deliver(datagram);
		if (this.#bucket.take(datagram.length)) return;
		this.#limited = true;
		this.#bucket.wait(this);
	}
	onTokens() {
		this.#limited = false;
		let sent = 0;
		let at = 0;
		while (!this.#limited && at < this.#waiting.length && sent < this.#bucket.quantumBytes) {
			const datagram = this.#waiting[at++];
			if (datagram === void 0) break;
			this.#waitingBytes -= datagram.length;
			sent += datagram.length;
			this.#pass(datagram);
		}
		this.#waiting.splice(0, at);
		if (!this.#limited && this.#waiting.length > 0) {
			this.#limited = true;
			this.#bucket.wait(this);
		}
	}
	close() {
		this.#bucket.cancel(this);
		this.#waiting = [];
		this.#waitingBytes = 0;
	}
};

// packages/tunnel-core/src/udp/udp-relay.ts
/** Least bound of a session's queue, bytes: a few of the largest datagrams. */
const MIN_QUEUE_BYTES = 262144;
/**
* A UDP session between the local side and its pool connection. Received datagrams wait, within
* bounds, until the pool connection has come; the session ends without traffic, or with it.
*/
var UdpRelay = class {
	active = true;
	idleSweeps = 0;
	#options;
	#sender;
	#inbound;
	#outbound;
	#onDatagram;
	#stream;
	#decoder;
	/** Memory of the read at hand. */
	#memory;
	#closed = false;
	constructor(options) {
		this.#options = options;
		const { context } = options;
		const onDropped = (datagrams) => {
			context.counters.udpDropped += datagrams;
		};
		this.#sender = new DatagramSender({
			framed: true,
			scratch: options.scratch,
			flushes: context.flushes,
			maxQueuedBytes: Math.max(MIN_QUEUE_BYTES, context.limits.udpDataBufferBytes),
			onDropped
		});
		this.#onDatagram = (payload) => this.#outgoing(payload);
		if (context.inbound !== void 0) {
			const send = (datagram) => this.#sender.send(datagram);
			this.#inbound = new DatagramThrottle(context.inbound, send, onDropped);
		}
		if (context.outbound !== void 0) {
			const deliver = (datagram) => this.#deliver(datagram);
			this.#outbound = new DatagramThrottle(context.outbound, deliver, onDropped);
		}
		context.udpSessions.add(this);
	}
	get closed() {
		return this.#closed;
	}
	/** The session's pool connection has come. */
	attach(stream, framed, early) {
		if (this.#closed) {
			stream.destroy();
			return;
		}
		this.#stream = stream;
		if (framed) this.#decoder = new DatagramDecoder();
		setReader(stream, this);
		this.#sender.attach(stream, framed);
		if (early?.bytes !== void 0) this.onBytes(early.bytes, early.bytes.length, true);
		if (early?.ended === true || stream.destroyed) this.onEnd();
		else if (early !== void 0) stream.resume();
	}
	/** A datagram from the local side; the buffer is given away. */
	incoming(datagram) {
		this.active = true;
		this.#options.context.counters.udprx += datagram.length;
		if (this.#inbound === void 0) this.#sender.send(datagram);
		else this.#inbound.push(datagram);
	}
	onBytes(buffer, length, owned) {
		this.active = true;
		const chunk = owned ? buffer : Buffer.from(buffer.subarray(0, length));
		this.#memory = chunk.buffer;
		if (this.#decoder === void 0) {
			this.#outgoing(chunk);
			return true;
		}
		try {
			this.#decoder.push(chunk, this.#onDatagram);
		} catch (error) {
			this.#options.context.logLimited("warn", error instanceof Error ? error.message : "bad frame");
			this.close();
			return false;
		}
		return true;
	}
	#outgoing(payload) {
		if (this.#closed) return;
		const datagram = this.#outbound === void 0 && payload.buffer === this.#memory ? payload : Buffer.from(payload);
		if (this.#outbound === void 0) this.#deliver(datagram);
		else this.#outbound.push(datagram);
	}
	#deliver(datagram) {
		if (this.#closed) return;
		const { counters } = this.#options.context;
		if (this.#options.deliver(datagram)) counters.udptx += datagram.length;
		else counters.udpDropped++;
	}
	onEnd() {
		this.close();
	}
	onDrain() {}
	onError() {}
	onClose() {
		this.close();
	}
	expire() {
		this.close();
	}
	cut() {
		this.close();
	}
	close() {
		if (this.#closed) return;
		this.#closed = true;
		this.#inbound?.close();
		this.#outbound?.close();
		this.#sender.flush();
		this.#sender.drop();
		const stream = this.#stream;
		if (stream !== void 0) this.#options.context.lingerer.end(stream);
		this.#options.context.udpSessions.delete(this);
		this.#options.onClosed();
	}
};

// packages/tunnel-core/src/udp/udp-entry.ts
/** Carries the users' datagrams into the tunnel: a session per user address. */
var UdpEntry = class {
	context;
	queue;
	scratch = new FrameScratch();
	sessions = /* @__PURE__ */ new Map();
	#socket;
	/** @param socket bound; this entry takes its messages */
	constructor(context, queue, socket) {
		this.context = context;
		this.queue = queue;
		this.#socket = socket;
		socket.on("message", (datagram, from) => this.#received(datagram, from));
	}
	#received(datagram, from) {
		const name = `${from.address}:${from.port}`;
		const user = this.sessions.get(name) ?? this.#open(name, from);
		if (user === void 0) this.context.counters.udpDropped++;
		else user.relay.incoming(datagram);
	}
	#open(name, from) {
		const { context } = this;
		if (!context.slots.take()) {
			context.logLimited("warn", "datagram dropped: all slots are taken", { slot: context.settings.slot });
			return;
		}
		context.counters.udps++;
		const user = new UdpUser(this, this.#socket, name, from.address, from.port);
		this.sessions.set(name, user);
		this.queue.request(user);
		return user;
	}
	close() {
		for (const user of [...this.sessions.values()]) user.relay.close();
	}
};
/** One user address and its session. */
var UdpUser = class {
	relay;
	#entry;
	#remote;
	constructor(entry, socket, name, address, port) {
		this.#entry = entry;
		this.#remote = formatRemote(address, port);
		this.relay = new UdpRelay({
			context: entry.context,
			scratch: entry.scratch,
			deliver: (datagram) => answerUser(socket, datagram, port, address),
			onClosed: () => {
				entry.sessions.delete(name);
				entry.queue.cancel(this);
				entry.context.counters.udps--;
				entry.context.slots.release();
				if (entry.context.debugs) entry.context.log("debug", "udp session closed", { remote: this.#remote });
			}
		});
	}
	onConnection(session, connection) {
		if (connection instanceof FramedConnection) {
			connection.openUdp(this.#remote);
			this.relay.attach(connection.stream, true, void 0);
		} else {
			session.send({
				action: "udp",
				remote: this.#remote,
				id: connection.id
			});
			this.relay.attach(connection.stream, session.terms.framed, connection.early);
		}
		if (this.#entry.context.debugs) this.#entry.context.log("debug", "udp session opened", { remote: this.#remote });
	}
	onNoConnection() {
		this.#entry.context.logLimited("warn", "udp session refused: no pool connection in time", { remote: this.#remote });
		this.relay.close();
	}
};

// packages/tunnel-core/src/udp/udp-exit.ts
/** Opens a UDP session with the target for each `udp` signal. */
var UdpExit = class {
	#context;
	#targets;
	#scratch = new FrameScratch();
	constructor(context, targets) {
		this.#context = context;
		this.#targets = targets;
	}
	/** A session that the peer begins by a `udp` signal. */
	open(session, id, remote) {
		this.#open(remote, (take) => {
			session.pool.claim({
				id,
				onConnection: (connection) => {
					if (connection === void 0) take(void 0);
					else take({
						stream: connection.stream,
						framed: session.terms.framed,
						reader: connection
					});
				}
			});
		});
	}
	/** A session that the peer begins on a framed pool connection. */
	openFramed(stream, remote, early) {
		const reader = new EarlyReader();
		setReader(stream, reader);
		if (early !== void 0) reader.onBytes(early, early.length, true);
		this.#open(remote, (take) => take({
			stream,
			framed: true,
			reader
		}));
	}
	/** @param claim gives the session's pool connection, now or later, once it is asked for */
	#open(remote, claim) {
		const context = this.#context;
		const refuse = () => claim((given) => given && resetStream(given.stream));
		if (!context.settings.udp || !context.slots.take()) {
			context.logLimited("warn", "udp session refused: udp is off or all slots are taken", {
				remote,
				slot: context.settings.slot
			});
			refuse();
			return;
		}
		context.counters.udps++;
		let target;
		const abort = new AbortController();
		const relay = new UdpRelay({
			context,
			scratch: this.#scratch,
			deliver: (datagram) => {
				target?.send(datagram);
				return target !== void 0;
			},
			onClosed: () => {
				abort.abort();
				target?.close();
				target = void 0;
				context.counters.udps--;
				context.slots.release();
				if (context.debugs) context.log("debug", "udp session closed", { remote });
			}
		});
		if (context.debugs) context.log("debug", "udp session opened", { remote });
		const timeout = AbortSignal.timeout(context.limits.udpDialTimeoutMs);
		this.#targets.open(AbortSignal.any([abort.signal, timeout])).then((socket) => {
			if (relay.closed) {
				socket.close();
				refuse();
				return;
			}
			target = socket;
			socket.on("message", (datagram) => relay.incoming(datagram));
			socket.on("error", (error) => {
				context.logLimited("warn", "udp target error", { error: error.message });
				if (this.#targets.refused(socket)) relay.close();
			});
			claim((given) => {
				if (given === void 0) relay.close();
				else relay.attach(given.stream, given.framed, given.reader.early);
			});
		}, (error) => {
			const message = error instanceof Error ? error.message : String(error);
			if (!relay.closed) context.logLimited("error", message, { remote });
			relay.close();
			refuse();
		});
	}
};

// packages/tunnel-core/src/udp/udp-target.ts
/** How long a target that has refused a datagram is the last choice, ms. */
const REFUSED_MS = 5e3;
/** Opens UDP sockets that are connected to a target, the targets in turn. */
var UdpTargets = class {
	#context;
	#targetOf = /* @__PURE__ */ new WeakMap();
	#refusedAt = /* @__PURE__ */ new Map();
	#next = 0;
	constructor(context) {
		this.#context = context;
	}
	/**
	* A connected socket to the next target whose name resolves.
	*
	* @throws {TunnelError} `TARGET_UNREACHABLE`
	*/
	async open(signal) {
		let lastError;
		for (const target of this.#inTurn()) try {
			const socket = await this.#connect(target, signal);
			this.#targetOf.set(socket, target);
			return socket;
		} catch (error) {
			if (signal.aborted) throw error;
			lastError = error;
		}
		const why = lastError instanceof Error ? lastError.message : "no address";
		throw new TunnelError("TARGET_UNREACHABLE", `udp target unreachable: ${why}`, { cause: lastError });
	}
	/**
	* A datagram to this socket's target was refused (an ICMP error).
	*
	* @returns whether there is another target: end the session, and its user's next one goes there
	*/
	refused(socket) {
		const target = this.#targetOf.get(socket);
		if (target === void 0 || this.#context.settings.targets.length < 2) return false;
		this.#refusedAt.set(target, performance.now());
		return true;
	}
	/** The targets, beginning with the next one; those that refused a moment ago come last. */
	#inTurn() {
		const { targets } = this.#context.settings;
		const first = this.#next;
		this.#next = (first + 1) % targets.length;
		const turn = first === 0 ? targets : [...targets.slice(first), ...targets.slice(0, first)];
		if (this.#refusedAt.size === 0) return turn;
		const since = performance.now() - REFUSED_MS;
		const refused = (target) => (this.#refusedAt.get(target) ?? since) > since;
		return [...turn.filter((target) => !refused(target)), ...turn.filter(refused)];
	}
	async #connect(target, signal) {
		const addresses = await this.#context.names.resolve(target.host);
		const { dial } = this.#context.settings;
		const local = dial === "auto" ? void 0 : dial;
		let lastError = new TunnelError("TARGET_UNREACHABLE", `target ${target.host} has no address of the family of dial address ${local ?? "auto"}`);
		const inOrder = addresses.toSorted((one, other) => one.family - other.family);
		for (const resolved of inOrder) {
			if (local !== void 0 && isIP(local) !== resolved.family) continue;
			const socket = createUdpSocket(resolved.family);
			try {
				await connect$2(socket, resolved, target.port, local, signal);
			} catch (error) {
				socket.close();
				if (signal.aborted) throw error;
				lastError = error;
				continue;
			}
			enlargeBuffers(socket);
			return socket;
		}
		throw lastError;
	}
};
function connect$2(socket, resolved, port, local, signal) {
	return new Promise((resolve, reject) => {
		const settle = (error) => {
			socket.off("error", settle);
			signal.removeEventListener("abort", aborted);
			if (error === void 0) resolve();
			else reject(error);
		};
		const aborted = () => settle(new TunnelError("CLOSED", "the session has closed"));
		signal.addEventListener("abort", aborted, { once: true });
		socket.once("error", settle);
		const dial = () => socket.connect(port, resolved.address, settle);
		if (local === void 0) dial();
		else socket.bind({ address: local }, dial);
	});
}

// packages/tunnel-core/src/tunnels/dual-end.ts
/** The users' side of a dual-end tunnel; it outlives sessions, so users wait out a reconnect. */
var EntrySide = class {
	queue;
	#context;
	#tcp;
	#udp;
	#bound;
	constructor(context) {
		this.#context = context;
		const { poolGetTimeoutMs, semaphoreLimit } = context.limits;
		this.queue = new PoolQueue(poolGetTimeoutMs, semaphoreLimit);
		this.#tcp = new TcpEntry(context, this.queue);
	}
	/** Binds the first target address for the users. @throws {TunnelError} as `bindAddress` */
	async open() {
		const { settings } = this.#context;
		const at = settings.targets[0] ?? {
			host: "",
			port: 0
		};
		const bound = await bindAddress(at, {
			tcp: settings.tcp,
			udp: settings.udp,
			onConnection: (socket) => this.#tcp.accept(socket),
			onError: (error) => {
				this.#context.logLimited("error", "listener failed", { error: error.message });
			}
		});
		this.#bound = bound;
		if (bound.udp !== void 0) this.#udp = new UdpEntry(this.#context, this.queue, bound.udp);
		return bound;
	}
	stopTaking() {
		this.#bound?.tcp?.close();
		this.queue.close();
	}
	close() {
		this.stopTaking();
		this.#udp?.close();
		this.#bound?.close();
	}
};
/** The target's side of a dual-end tunnel. */
var ExitSide = class {
	#tcp;
	#udp;
	#dialer;
	constructor(context) {
		this.#dialer = new TargetDialer(context);
		this.#tcp = new TcpExit(context, this.#dialer);
		this.#udp = new UdpExit(context, new UdpTargets(context));
	}
	open = (session, signal) => {
		if (signal.action === "tcp") this.#tcp.open(session, signal.id, signal.remote);
		else this.#udp.open(session, signal.id, signal.remote);
	};
	openTcp = (connection, remote) => {
		this.#tcp.openFramed(connection, remote);
	};
	openUdp = (connection, remote, early) => {
		this.#udp.openFramed(connection.stream, remote, early);
	};
	close() {
		this.#dialer.close();
	}
};

// packages/tunnel-core/src/counters.ts
/** What a tunnel has carried since it opened, and what it carries now. Sizes in bytes. */
var TrafficCounters = class {
	/** Open TCP connections. */
	tcps = 0;
	/** Open UDP sessions. */
	udps = 0;
	/** Read from the user (entry) or from the target (exit). */
	tcprx = 0;
	/** Written to the user (entry) or to the target (exit). */
	tcptx = 0;
	udprx = 0;
	udptx = 0;
	/** Datagrams dropped because a queue was full or no session could be opened. */
	udpDropped = 0;
	/** Last round trip, ms. */
	ping = 0;
};

// packages/tunnel-core/src/names/name-cache.ts
/** A failing look-up of a name is tried again after this, not with each connection. */
const RETRY_MS = 1e3;
const DEFAULT_TIMEOUT_MS = 5e3;
const DEFAULT_MAX_NAMES = 1024;
const LOOPBACK = [{
	address: "127.0.0.1",
	family: 4
}];
/**
* Addresses of target names.
*
* An answer is used for `ttlMs`; after that the old one is returned once more while a new one is
* fetched in the background. A name that resolved once keeps its last good answer when look-ups
* fail. Each name has at most one look-up under way.
*/
var NameCache = class {
	#ttlMs;
	#lookup;
	#now;
	#timeoutMs;
	#maxNames;
	#entries = /* @__PURE__ */ new Map();
	/** @throws {TunnelError} `INVALID_OPTIONS` if a number is out of range */
	constructor(options) {
		this.#ttlMs = atLeast("ttlMs", options.ttlMs, 0);
		this.#timeoutMs = atLeast("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1);
		this.#maxNames = atLeast("maxNames", options.maxNames ?? DEFAULT_MAX_NAMES, 1);
		this.#lookup = options.lookup ?? lookupWithSystem;
		this.#now = options.now ?? (() => performance.now());
	}
	/**
	* Resolves an address literal, a name, or the empty host, which means loopback when dialing.
	*
	* @returns at least one address; synchronously for literals and names with a good answer
	* @throws {TunnelError} `NAME_NOT_RESOLVED` (as a rejection) if the name never resolved
	*/
	resolve(host) {
		const entry = this.#entries.get(host);
		if (entry === void 0) {
			if (host === "") return LOOPBACK;
			const family = isIP(host);
			if (family !== 0) return [{
				address: host,
				family: family === 4 ? 4 : 6
			}];
			return this.#refresh(this.#add(host));
		}
		const now = this.#now();
		const { addresses } = entry;
		if (addresses !== void 0 && now - entry.answeredAt < this.#ttlMs) return addresses;
		if (entry.failure !== void 0 && now - entry.failedAt < RETRY_MS) return addresses ?? Promise.reject(entry.failure);
		const refresh = this.#refresh(entry);
		return addresses === void 0 || this.#ttlMs === 0 ? refresh : addresses;
	}
	#add(host) {
		for (const oldest of this.#entries.keys()) {
			if (this.#entries.size < this.#maxNames) break;
			this.#entries.delete(oldest);
		}
		const entry = {
			host,
			addresses: void 0,
			answeredAt: 0,
			failure: void 0,
			failedAt: 0,
			lookup: void 0,
			refresh: void 0
		};
		this.#entries.set(host, entry);
		return entry;
	}
	#refresh(entry) {
		if (entry.refresh !== void 0) return entry.refresh;
		if (this.#entries.delete(entry.host)) this.#entries.set(entry.host, entry);
		const refresh = this.#answerInTime(entry).catch((error) => {
			entry.failure = notResolved(entry.host, error);
			entry.failedAt = this.#now();
			if (entry.addresses !== void 0) return entry.addresses;
			throw entry.failure;
		});
		entry.refresh = refresh;
		const done = () => {
			entry.refresh = void 0;
		};
		refresh.then(done, done);
		return refresh;
	}
	async #answerInTime(entry) {
		entry.lookup ??= this.#startLookup(entry);
		let timer;
		const timeout = new Promise((_resolve, reject) => {
			const fail = () => reject(/* @__PURE__ */ new Error(`no answer within ${this.#timeoutMs} ms`));
			timer = setTimeout(fail, this.#timeoutMs).unref();
		});
		try {
			return await Promise.race([entry.lookup, timeout]);
		} finally {
			clearTimeout(timer);
		}
	}
	/** An answer counts even when it comes after the time limit. */
	async #startLookup(entry) {
		try {
			const addresses = await this.#lookup(entry.host);
			if (addresses.length === 0) throw new Error("no address");
			entry.addresses = addresses;
			entry.answeredAt = this.#now();
			entry.failure = void 0;
			return addresses;
		} finally {
			entry.lookup = void 0;
		}
	}
};
async function lookupWithSystem(host) {
	return (await lookup(host, {
		all: true,
		order: "verbatim"
	})).map(({ address, family }) => ({
		address,
		family: family === 4 ? 4 : 6
	}));
}
function notResolved(host, cause) {
	const reason = cause instanceof Error ? cause.message : String(cause);
	return new TunnelError("NAME_NOT_RESOLVED", `cannot resolve ${host}: ${reason}`, { cause });
}
function atLeast(option, value, least) {
	if (value >= least) return value;
	throw new TunnelError("INVALID_OPTIONS", `${option} is ${value}, must be at least ${least}`);
}

// packages/tunnel-core/src/rate/token-bucket.ts
/** Time worth of one turn: long against the 1 ms of a timer, short against a user's patience. */
const QUANTUM_MS = 10;
/** A read below this costs more in calls than it gains in smoothness. */
const MIN_QUANTUM_BYTES = 4096;
/** A read above this gains nothing and only holds memory. */
const MAX_QUANTUM_BYTES = 524288;
/** Where the largest quantum is shorter than this, a turn is this long: ticks are 1 ms apart. */
const MIN_TURN_MS = 4;
/** What an idle bucket saves up for the next sender. */
const IDLE_SAVINGS_MS = 50;
/** What a busy bucket saves up: a late timer or a blocked loop must not cost rate. */
const BUSY_SAVINGS_MS = 1e3;
/** How long after its last tick a bucket counts as busy though nobody waits. */
const BUSY_MS = 250;
/** Longest sleep; a longer debt is slept off in parts. */
const MAX_DELAY_MS = 1e3;
/**
* Limits the sum of everything that is read in one direction of an instance.
*
* Works with debt: a read of any size passes and is subtracted; a source whose `take` returns
* false stops reading and queues with `wait`. The queue is served in order, in turns: the head is
* called when a whole turn of tokens is there, so a source of small datagrams gets as many bytes
* out of its turn as one of large chunks. A late tick calls as many as there are turns saved up.
* A called source that has nothing to read costs the next one a millisecond, not its turn.
*
* There is one timer, and only while somebody waits. It keeps the process alive: work waits on it.
*/
var TokenBucket = class {
	/** Best size of one read at this rate, bytes (rate × 10 ms, 4 KiB to 512 KiB). */
	quantumBytes;
	#bytesPerMs;
	#turnBytes;
	#idleSavings;
	#now;
	/** In order of arrival; a Set, so that `cancel` finds its waiter at once. */
	#waiting = /* @__PURE__ */ new Set();
	/** Kept between ticks: a fresh iterator would step over every deleted entry again. */
	#head;
	#timer;
	#tokens;
	#countedAt;
	#tickedAt = Number.NEGATIVE_INFINITY;
	/** How many the last tick called. */
	#called = 0;
	/** Bytes taken in a row while others want to send too. */
	#rowBytes = 0;
	#destroyed = false;
	/**
	* @param bytesPerSecond the rate, above 0
	* @throws {TunnelError} `INVALID_OPTIONS` if the rate is not a positive number
	*/
	constructor(bytesPerSecond, options = {}) {
		if (!(bytesPerSecond > 0 && Number.isFinite(bytesPerSecond))) throw new TunnelError("INVALID_OPTIONS", `bytesPerSecond is ${bytesPerSecond}, must be a number above 0`);
		this.#bytesPerMs = bytesPerSecond / 1e3;
		const ideal = Math.round(this.#bytesPerMs * QUANTUM_MS);
		this.quantumBytes = Math.min(MAX_QUANTUM_BYTES, Math.max(MIN_QUANTUM_BYTES, ideal));
		const readsPerTurn = Math.ceil(this.#bytesPerMs * MIN_TURN_MS / this.quantumBytes);
		this.#turnBytes = this.quantumBytes * readsPerTurn;
		this.#idleSavings = Math.max(2 * this.quantumBytes, this.#bytesPerMs * IDLE_SAVINGS_MS);
		this.#now = options.now ?? (() => performance.now());
		this.#countedAt = this.#now();
		this.#tokens = this.#bytesPerMs * QUANTUM_MS;
	}
	/**
	* Takes `bytes`, into debt if need be.
	*
	* `take(0)` takes nothing and asks whether a new source may start without queueing. Sources that
	* ask it before their first read keep a stream of short connections from passing the queue by.
	*
	* @returns true: go on reading; false: stop reading and call `wait`
	*/
	take(bytes) {
		if (this.#destroyed) return true;
		this.#refill();
		this.#tokens -= bytes;
		if (this.#tokens <= 0) {
			this.#rowBytes = 0;
			return false;
		}
		if (bytes === 0) return this.#waiting.size === 0;
		if (this.#waiting.size === 0 && this.#called < 2) return true;
		this.#rowBytes += bytes;
		if (this.#rowBytes < this.#turnBytes) return true;
		this.#rowBytes = 0;
		return false;
	}
	/** Queues at the end; `onTokens` is called when its turn has come. No-op if queued. */
	wait(waiter) {
		if (this.#destroyed || this.#waiting.has(waiter)) return;
		waiter.queued = true;
		this.#waiting.add(waiter);
		if (this.#timer === void 0) {
			this.#refill();
			this.#arm();
		}
	}
	/** Leaves the queue. No-op if not queued. */
	cancel(waiter) {
		if (!this.#waiting.delete(waiter)) return;
		waiter.queued = false;
		if (this.#waiting.size === 0) this.#disarm();
	}
	/** Drops all waiters without calling them; from now on nothing is limited. Idempotent. */
	destroy() {
		this.#destroyed = true;
		this.#disarm();
		for (const waiter of this.#waiting) waiter.queued = false;
		this.#waiting.clear();
		this.#head = void 0;
	}
	#refill() {
		const now = this.#now();
		const elapsed = now - this.#countedAt;
		if (elapsed <= 0) return;
		const savings = this.#waiting.size > 0 || now - this.#tickedAt <= BUSY_MS ? Math.max(this.#idleSavings, this.#bytesPerMs * BUSY_SAVINGS_MS) : this.#idleSavings;
		this.#tokens = Math.min(this.#tokens + elapsed * this.#bytesPerMs, savings);
		this.#countedAt = now;
	}
	#arm() {
		const missingMs = Math.ceil((this.#turnBytes - this.#tokens) / this.#bytesPerMs);
		const delay = Math.min(MAX_DELAY_MS, Math.max(1, missingMs));
		this.#timer = setTimeout(this.#tick, delay);
	}
	#disarm() {
		clearTimeout(this.#timer);
		this.#timer = void 0;
	}
	#tick = () => {
		this.#timer = void 0;
		this.#refill();
		this.#tickedAt = this.#countedAt;
		try {
			if (this.#tokens >= this.#turnBytes - this.#bytesPerMs) this.#callTurn();
		} finally {
			if (this.#timer === void 0 && this.#waiting.size > 0) this.#arm();
		}
	};
	#callTurn() {
		const turns = Math.max(1, Math.floor(this.#tokens / this.#turnBytes));
		this.#rowBytes = 0;
		this.#called = Math.min(turns, this.#waiting.size);
		for (let left = this.#called; left > 0; left--) this.#callHead();
	}
	#callHead() {
		this.#head ??= this.#waiting.values();
		const { value: waiter } = this.#head.next();
		if (waiter === void 0) {
			this.#head = void 0;
			return;
		}
		this.#waiting.delete(waiter);
		waiter.queued = false;
		waiter.onTokens();
	}
};

// packages/tunnel-core/src/relay/flush-queue.ts
/** Flushes everything that gathered output in one turn of the loop, at its end, with one callback. */
var FlushQueue = class {
	#queue = [];
	#spare = [];
	#run = () => {
		const queue = this.#queue;
		this.#queue = this.#spare;
		for (const member of queue) {
			member.flushQueued = false;
			member.flush();
		}
		queue.length = 0;
		this.#spare = queue;
	};
	/** Queues the member for the end of this turn; no-op if it is queued. */
	add(member) {
		if (member.flushQueued) return;
		member.flushQueued = true;
		if (this.#queue.push(member) === 1) setImmediate(this.#run);
	}
};

// packages/tunnel-core/src/relay/relay-registry.ts
/** Sweeps per idle time: an idle end comes after 1 to 1.25 times the time set. */
const SWEEPS_PER_TIMEOUT = 4;
/** Shortest sweep interval, ms. */
const MIN_SWEEP_MS = 10;
/**
* Everything open in a tunnel, swept for idle members by one timer instead of one per connection.
* No timer runs while nothing is open.
*/
var RelayRegistry = class {
	#members = /* @__PURE__ */ new Set();
	#sweepMs;
	#timer;
	#whenEmpty;
	/** @param idleTimeoutMs ms without traffic after which a member expires; 0 = never */
	constructor(idleTimeoutMs) {
		this.#sweepMs = idleTimeoutMs === 0 ? 0 : Math.max(MIN_SWEEP_MS, idleTimeoutMs / SWEEPS_PER_TIMEOUT);
	}
	get size() {
		return this.#members.size;
	}
	add(member) {
		this.#members.add(member);
		if (this.#timer === void 0 && this.#sweepMs > 0) this.#timer = setInterval(() => this.#sweep(), this.#sweepMs);
	}
	delete(member) {
		if (!this.#members.delete(member) || this.#members.size > 0) return;
		clearInterval(this.#timer);
		this.#timer = void 0;
		this.#whenEmpty?.();
	}
	/** Cuts every member now. */
	cutAll() {
		for (const member of [...this.#members]) member.cut();
	}
	/** Resolves true when nothing is open any more, false after `timeoutMs`. */
	drained(timeoutMs) {
		if (this.#members.size === 0) return Promise.resolve(true);
		if (timeoutMs <= 0) return Promise.resolve(false);
		return new Promise((resolve) => {
			const timer = setTimeout(() => {
				this.#whenEmpty = void 0;
				resolve(false);
			}, timeoutMs);
			this.#whenEmpty = () => {
				clearTimeout(timer);
				this.#whenEmpty = void 0;
				resolve(true);
			};
		});
	}
	#sweep() {
		for (const member of this.#members) if (member.active) {
			member.active = false;
			member.idleSweeps = 0;
		} else if (++member.idleSweeps >= SWEEPS_PER_TIMEOUT) member.expire();
	}
};

// packages/tunnel-core/src/streams/lingerer.ts
/** Longest time, ms, that a stream whose user is done waits for the peer to take its last bytes. */
const LINGER_MS = 5e3;
/** Ends streams whose last bytes may still be on their way; none stays for ever. */
var Lingerer = class {
	#lingering = new DeadlineQueue(LINGER_MS, (stream) => stream.destroy());
	/** Lets what was written out, then closes the stream; nothing more is read from it. */
	end(stream) {
		if (stream.destroyed) return;
		setReader(stream, DETACHED_READER);
		this.#lingering.add(stream);
		stream.end(() => {
			this.#lingering.delete(stream);
			stream.destroy();
		});
	}
	/** Closes what lingers, now. */
	close() {
		this.#lingering.clear((stream) => stream.destroy());
	}
};

// packages/tunnel-core/src/tunnel-context.ts
/** Most concurrent TCP connections and UDP sessions together (`slot`). */
var Slots = class {
	#limit;
	#used = 0;
	/** @param limit 0 = no limit */
	constructor(limit) {
		this.#limit = limit;
	}
	/** Takes a place; false when all are taken. */
	take() {
		if (this.#limit > 0 && this.#used >= this.#limit) return false;
		this.#used++;
		return true;
	}
	release() {
		this.#used--;
	}
	get used() {
		return this.#used;
	}
};

// packages/tunnel-core/src/wire/block-http.ts
/**
* After so many bytes of a first line without a verdict it is no HTTP: no common server takes a
* longer request line (Node 16 KiB, nginx and Apache 8 KiB).
*/
const MAX_UNDECIDED_BYTES = 16384;
/** Servers skip empty lines before a request; nobody but a request sends so many of them. */
const MAX_LEADING_BREAKS = 32;
/** Longest method token that is worth waiting for. */
const MAX_METHOD_CHARS = 32;
const SP = 32;
const TAB = 9;
const CR = 13;
const LF = 10;
const SLASH = 47;
const COLON = 58;
/** The IANA method registry's names that take a path, and PURGE; all are compared in capitals. */
const METHODS = new Set("GET HEAD POST PUT DELETE OPTIONS TRACE PATCH QUERY PURGE CONNECT ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL".split(" "));
/** Bytes of a token, RFC 9110 section 5.6.2. */
const TOKEN_BYTES = tokenBytes();
/** What ends a request line, as five bytes in capitals. */
const VERSION = [
	72,
	84,
	84,
	80,
	SLASH
];
/**
* HTTP by its request line, after any empty lines.
*
* `breaks` (empty lines) → `method` → `gap` (white space) → `target`, then → `words` if the first
* word after the method is neither a path nor an absolute URL. Certain as soon as a known method,
* in capitals or not, is followed by white space and `/` or `http:` or `https:`. Any other token is
* a method once white space and `HTTP/` follow on the same line, as in `BREW x HTTP/1.0` and the
* preface of HTTP/2: text protocols that start with a word and a path (`RETR /file`) pass.
*/
var HttpState = class {
	#phase = "breaks";
	#bytes = 0;
	#method = "";
	#known = false;
	#scheme = "";
	/** Bytes of `VERSION` seen at the start of the current word; -1 if the word is another. */
	#version = -1;
	next(byte) {
		if (++this.#bytes >= 16384) return "allowed";
		switch (this.#phase) {
			case "breaks":
				if (byte === CR || byte === LF) return this.#bytes > MAX_LEADING_BREAKS ? "blocked" : "undecided";
				this.#phase = "method";
				return this.#takeMethod(byte);
			case "method": return this.#takeMethod(byte);
			case "gap":
				if (byte === SP || byte === TAB) return "undecided";
				if (this.#known && byte === SLASH) return "blocked";
				this.#phase = this.#known ? "target" : "words";
				this.#version = 0;
				return this.#takeWord(byte);
			case "target":
			case "words": return this.#takeWord(byte);
		}
	}
	#takeMethod(byte) {
		if (TOKEN_BYTES[byte] === 1) {
			this.#method += String.fromCharCode(upper(byte));
			return this.#method.length > MAX_METHOD_CHARS ? "allowed" : "undecided";
		}
		if (byte !== SP && byte !== TAB || this.#method === "") return "allowed";
		this.#known = METHODS.has(this.#method);
		this.#phase = "gap";
		return "undecided";
	}
	#takeWord(byte) {
		if (byte === CR || byte === LF || byte === 0) return "allowed";
		if (byte === SP || byte === TAB) {
			this.#phase = "words";
			this.#version = 0;
			return "undecided";
		}
		if (this.#phase === "target") return this.#takeTarget(byte);
		if (this.#version >= 0) this.#version = VERSION[this.#version] === upper(byte) ? this.#version + 1 : -1;
		return this.#version === VERSION.length ? "blocked" : "undecided";
	}
	#takeTarget(byte) {
		if (byte === COLON && (this.#scheme === "HTTP" || this.#scheme === "HTTPS")) return "blocked";
		if (this.#scheme.length > 5) {
			this.#phase = "words";
			this.#version = -1;
		} else this.#scheme += String.fromCharCode(upper(byte));
		return "undecided";
	}
};
function upper(byte) {
	return byte >= 97 && byte <= 122 ? byte - 32 : byte;
}
function tokenBytes() {
	const table = /* @__PURE__ */ new Uint8Array(256);
	const symbols = "!#$%&'*+-.^_`|~0123456789";
	for (let at = 0; at < 25; at++) table[symbols.charCodeAt(at)] = 1;
	for (let code = 65; code <= 90; code++) table[code] = table[code + 32] = 1;
	return table;
}

// packages/tunnel-core/src/wire/block-socks.ts
/**
* SOCKS by its first two bytes: 5 and a number of methods (RFC 1928 section 3), or 4 and the
* command CONNECT or BIND (SOCKS 4 and 4a, which differ only later).
*
* Whatever the next bytes are, a SOCKS server would go on with them as SOCKS, so nothing is gained
* by waiting. A greeting that offers no method at all can only be refused: not blocked.
*/
var SocksState = class {
	#version = 0;
	next(byte) {
		if (this.#version === 0) {
			this.#version = byte;
			return byte === 4 || byte === 5 ? "undecided" : "allowed";
		}
		if (this.#version === 5) return byte === 0 ? "allowed" : "blocked";
		return byte === 1 || byte === 2 ? "blocked" : "allowed";
	}
};

// packages/tunnel-core/src/wire/block-tls.ts
/** Longest TLS record, RFC 8446 section 5.2. */
const MAX_RECORD_BYTES = 16640;
/** Fields of an SSLv2-compatible ClientHello before its variable part, record header excluded. */
const V2_FIXED_BYTES = 9;
/**
* TLS by its first record: handshake (0x16), version 3.0 to 3.4; certain at the third byte. RFC
* 8446 tells servers to ignore that version, so with a higher one the length and the message type
* ClientHello decide. Also the ClientHello in an SSLv2 record, which old servers take, if all its
* lengths agree (RFC 5246 appendix E.2).
*/
var TlsState = class {
	#at = 0;
	#first = 0;
	/** The u16 being read, or that was read last. */
	#word = 0;
	#recordBytes = 0;
	#neededBytes = V2_FIXED_BYTES;
	next(byte) {
		const at = this.#at++;
		if (at === 0) {
			this.#first = byte;
			return byte === 22 || byte >= 128 ? "undecided" : "allowed";
		}
		this.#word = (this.#word << 8 | byte) & 65535;
		return this.#first === 22 ? this.#record(at, byte) : this.#v2Record(at, byte);
	}
	#record(at, byte) {
		if (at === 1) return byte === 3 ? "undecided" : "allowed";
		if (at === 2) return byte <= 4 ? "blocked" : "undecided";
		if (at === 3) return "undecided";
		if (at === 4) return this.#word >= 4 && this.#word <= MAX_RECORD_BYTES ? "undecided" : "allowed";
		return byte === 1 ? "blocked" : "allowed";
	}
	#v2Record(at, byte) {
		switch (at) {
			case 1:
				this.#recordBytes = (this.#first & 127) << 8 | byte;
				return this.#recordBytes > V2_FIXED_BYTES ? "undecided" : "allowed";
			case 2: return byte === 1 ? "undecided" : "allowed";
			case 3: return byte === 3 || byte === 0 ? "undecided" : "allowed";
			case 4: return this.#word === 2 || this.#word >= 768 && this.#word <= 772 ? "undecided" : "allowed";
			case 6:
				this.#neededBytes += this.#word;
				return this.#word > 0 && this.#word % 3 === 0 ? "undecided" : "allowed";
			case 8:
				this.#neededBytes += this.#word;
				return this.#word === 0 || this.#word === 16 ? "undecided" : "allowed";
			case 10:
				this.#neededBytes += this.#word;
				return this.#word >= 16 && this.#word <= 32 && this.#neededBytes === this.#recordBytes ? "blocked" : "allowed";
			default: return "undecided";
		}
	}
};

// packages/tunnel-core/src/wire/block-detector.ts
/**
* Tells byte by byte whether what a user sends first is a protocol that `block` forbids.
*
* `undecided` → `blocked` as soon as one forbidden protocol is certain, `undecided` → `allowed` as
* soon as none is possible any more, at the latest after `MAX_UNDECIDED_BYTES`; then it stays. The
* bytes themselves are not kept: whoever asks holds back what is undecided. How the bytes are cut
* never changes the verdict, nor the byte at which it falls.
*
* @see docs/protocol.md, "Blocked protocols"
*/
var BlockDetector = class {
	#verdict;
	#protocol;
	#candidates = [];
	constructor(block) {
		if (block.socks) this.#candidates.push({
			protocol: "socks",
			state: new SocksState()
		});
		if (block.http) this.#candidates.push({
			protocol: "http",
			state: new HttpState()
		});
		if (block.tls) this.#candidates.push({
			protocol: "tls",
			state: new TlsState()
		});
		this.#verdict = this.#candidates.length === 0 ? "allowed" : "undecided";
	}
	/** The protocol that was blocked, for the log. */
	get protocol() {
		return this.#protocol;
	}
	/**
	* Takes the next bytes of the connection.
	*
	* @param bytes may be reused by the caller after the call; what follows the deciding byte is not read
	*/
	push(bytes) {
		for (let at = 0; at < bytes.length && this.#verdict === "undecided"; at++) this.#take(bytes[at] ?? 0);
		return this.#verdict;
	}
	#take(byte) {
		let left = 0;
		for (const candidate of this.#candidates) {
			const verdict = candidate.state.next(byte);
			if (verdict === "blocked") {
				this.#verdict = "blocked";
				this.#protocol = candidate.protocol;
				return;
			}
			if (verdict === "undecided") this.#candidates[left++] = candidate;
		}
		this.#candidates.length = left;
		if (left === 0) this.#verdict = "allowed";
	}
};

// packages/tunnel-core/src/tunnels/log-limiter.ts
/** Records of one text let through in a window. */
const PER_WINDOW = 3;
/** Length of a window, ms. */
const WINDOW_MS = 1e4;
/** Texts told apart; the oldest is forgotten first. */
const MAX_TEXTS = 64;
/** Lets a few records of each text through in each window and says how many it held back. */
var LogLimiter = class {
	#log;
	#windows = /* @__PURE__ */ new Map();
	constructor(log) {
		this.#log = log;
	}
	log(level, message, fields) {
		const now = performance.now();
		let window = this.#windows.get(message);
		if (window === void 0) {
			window = {
				startedAt: now,
				passed: 0,
				suppressed: 0
			};
			for (const oldest of this.#windows.keys()) {
				if (this.#windows.size < MAX_TEXTS) break;
				this.#windows.delete(oldest);
			}
			this.#windows.set(message, window);
		} else if (now - window.startedAt >= WINDOW_MS) {
			const { suppressed } = window;
			window.startedAt = now;
			window.passed = 0;
			window.suppressed = 0;
			if (suppressed > 0) fields = {
				...fields,
				suppressed
			};
		}
		if (window.passed >= PER_WINDOW) {
			window.suppressed++;
			return;
		}
		window.passed++;
		this.#log(level, message, fields);
	}
};

// packages/tunnel-core/src/tunnels/create-context.ts
/** Makes what all parts of a tunnel share. */
function createContext(settings, options, sink) {
	const limits = {
		...DEFAULT_ENVIRONMENT,
		...definedOf(options.limits)
	};
	const rate = settings.rateBytesPerSecond;
	const debugs = settings.log === "debug";
	const log = (level, message, fields = {}) => {
		if (level === "debug" && !debugs) return;
		if (sink.hasLogListener()) sink.emitLog({
			level,
			message,
			fields
		});
	};
	const { block } = settings;
	const inspection = block.socks || block.http || block.tls ? {
		detector: () => new BlockDetector(block),
		holds: new DeadlineQueue(HOLD_MS, (firstBytes) => firstBytes.release())
	} : void 0;
	const limiter = new LogLimiter(log);
	return {
		settings,
		limits,
		counters: new TrafficCounters(),
		buffers: options.buffers ?? new RelayBuffers(limits.tcpDataBufferBytes),
		flushes: new FlushQueue(),
		lingerer: new Lingerer(),
		names: new NameCache({ ttlMs: settings.dnsTtlMs }),
		slots: new Slots(settings.slot),
		tcpRelays: new RelayRegistry(settings.readTimeoutMs),
		udpSessions: new RelayRegistry(limits.udpReadTimeoutMs),
		inspection,
		inbound: rate === 0 ? void 0 : new TokenBucket(rate),
		outbound: rate === 0 ? void 0 : new TokenBucket(rate),
		log,
		logLimited: (level, message, fields) => limiter.log(level, message, fields),
		debugs
	};
}
function definedOf(limits = {}) {
	return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== void 0));
}

// packages/tunnel-core/src/tunnels/tunnel-base.ts
/** Longest wait, ms, of a closing end for its peer to hear of it, and how often it looks. */
const PEER_HEARS_MS = 1e3;
const PEER_HEARS_STEP_MS = 10;
/** What every tunnel end is: a state, counters, check points, and an orderly end. */
var TunnelBase = class extends EventEmitter {
	settings;
	context;
	options;
	/** Aborted when the tunnel closes: ends every wait. */
	lifetime = new AbortController();
	entry;
	listener;
	runMode = 0;
	#state = "starting";
	#reason;
	#reporter;
	#closing;
	#onAbort = () => this.destroy();
	constructor(settings, options) {
		super();
		this.settings = settings;
		this.options = options;
		this.context = createContext(settings, options, {
			emitLog: (record) => this.emit("log", record),
			hasLogListener: () => this.listenerCount("log") > 0
		});
		options.signal?.addEventListener("abort", this.#onAbort, { once: true });
	}
	get state() {
		return this.#state;
	}
	get reason() {
		return this.#reason;
	}
	get mode() {
		return this.runMode;
	}
	get tunnelAddress() {
		return this.listener && {
			host: this.listener.host,
			port: this.listener.port
		};
	}
	get entryAddress() {
		return this.entry && {
			host: this.entry.host,
			port: this.entry.port
		};
	}
	counters() {
		const { tcps, udps, tcprx, tcptx, udprx, udptx, udpDropped, ping } = this.context.counters;
		return {
			tcps,
			udps,
			tcprx,
			tcptx,
			udprx,
			udptx,
			udpDropped,
			ping,
			pool: this.poolSize()
		};
	}
	async ready(options = {}) {
		while (this.#state !== "running") {
			if (this.#state === "closing" || this.#state === "closed") throw new TunnelError("CLOSED", this.#reason ?? "the tunnel is closed");
			await once(this, "state", options.signal === void 0 ? {} : { signal: options.signal });
		}
	}
	/** Whether the peer has yet to hear that this end closes. */
	retiring() {
		return false;
	}
	/** Once per report interval. */
	tick() {
		this.emit("checkpoint", {
			...this.counters(),
			mode: this.runMode
		});
	}
	startReporting() {
		if (this.#reporter !== void 0 || this.closingOrClosed) return;
		this.#reporter = setInterval(() => this.tick(), this.context.limits.reportIntervalMs);
	}
	get closingOrClosed() {
		return this.#state === "closing" || this.#state === "closed";
	}
	setState(state, reason) {
		if (this.#state === "closed" || this.#state === "closing" && state !== "closed") return;
		if (this.#state === state && this.#reason === reason) return;
		this.#state = state;
		this.#reason = reason;
		this.emit("state", state, reason);
	}
	close(options = {}) {
		this.#closing ??= this.#close(options.timeoutMs ?? this.context.limits.shutdownTimeoutMs);
		return this.#closing;
	}
	async #close(timeoutMs) {
		if (this.#state === "closed") return;
		this.setState("closing");
		const deadline = performance.now() + timeoutMs;
		this.stopTaking();
		await this.#peerHears(Math.min(timeoutMs, PEER_HEARS_MS));
		await this.context.tcpRelays.drained(deadline - performance.now());
		this.#finish();
	}
	/** Waits until the peer has closed its idle pool connections: it sends nobody here any more. */
	async #peerHears(timeoutMs) {
		const deadline = performance.now() + timeoutMs;
		while (this.retiring() && performance.now() < deadline) {
			await setTimeout$1(PEER_HEARS_STEP_MS, void 0, { signal: this.lifetime.signal }).catch(() => {});
			if (this.lifetime.signal.aborted) return;
		}
	}
	destroy(error) {
		if (this.#state === "closed") return;
		this.setState("closing", error?.message);
		this.stopTaking();
		this.#finish();
	}
	#finish() {
		if (this.#state === "closed") return;
		this.options.signal?.removeEventListener("abort", this.#onAbort);
		this.lifetime.abort();
		clearInterval(this.#reporter);
		this.endAll();
		this.context.tcpRelays.cutAll();
		this.context.udpSessions.cutAll();
		this.context.lingerer.close();
		this.context.inbound?.destroy();
		this.context.outbound?.destroy();
		this.emit("checkpoint", {
			...this.counters(),
			mode: this.runMode
		});
		this.setState("closed", this.#reason);
	}
	[Symbol.asyncDispose]() {
		return this.close();
	}
};

// packages/tunnel-core/src/tunnels/client-tunnel.ts
/** First wait before a new try, ms; it doubles up to `NP_SERVICE_COOLDOWN`. */
const FIRST_RETRY_MS = 30;
/** A session that has lived this long, ms, starts the waits over. */
const STABLE_SESSION_MS = 1e3;
/** A dual-end client: dials the server and keeps a pool of connections to it. */
var ClientTunnel = class extends TunnelBase {
	#settings;
	#identity = newClientId();
	/** Addresses that have proved themselves: never spoken to in the 1.14 way again. */
	#provedAddresses = /* @__PURE__ */ new Set();
	#entrySide;
	#exitSide;
	#current;
	#failures = 0;
	constructor(settings, options) {
		super(settings, options);
		this.#settings = settings;
	}
	async start() {
		const { settings, context } = this;
		this.runMode = 2;
		if (!settings.keyGiven) context.log("warn", "no key in the URL: everybody who reaches the tunnel port can use it");
		const keys = new ProofKeys(await stretchTunnelKey(settings.key));
		if (this.closingOrClosed) return;
		this.startReporting();
		this.#run(keys);
	}
	async #run(keys) {
		while (!this.closingOrClosed) {
			let reason;
			const startedAt = performance.now();
			try {
				reason = await this.#serveSession(keys);
				if (performance.now() - startedAt >= STABLE_SESSION_MS) this.#failures = 0;
			} catch (error) {
				reason = error instanceof Error ? error.message : String(error);
			}
			if (this.closingOrClosed) return;
			this.context.logLimited("warn", "not connected", { reason });
			this.setState("error", reason);
			await this.#pause();
		}
	}
	/** Waits before the next try: longer each time, never all clients in step. */
	async #pause() {
		const longest = this.context.limits.serviceCooldownMs;
		const wait = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 16));
		this.#failures++;
		const jittered = wait * (.5 + Math.random() / 2);
		await setTimeout$1(jittered, void 0, { signal: this.lifetime.signal }).catch(() => {});
	}
	/** One session from handshake to end. @returns why it ended */
	async #serveSession(keys) {
		const { tunnel } = this.#settings;
		const { context } = this;
		const serverName = this.#settings.sni ?? (isIP(tunnel.host) === 0 ? tunnel.host : void 0);
		const named = serverName === "" ? void 0 : serverName;
		const { met, address } = await this.#meet(keys, named);
		if (met.answer.type !== 0) throw new TunnelError("UNSUPPORTED_POOL_TYPE", `the server wants pool type ${met.answer.type}; this client has type 0 (TCP)`);
		await this.#takeRole(met.answer.flow);
		if (this.closingOrClosed) return "closing";
		let onEnded = () => {};
		const ended = new Promise((resolve) => {
			onEnded = resolve;
		});
		const current = new ClientSession({
			context,
			settings: this.#settings,
			met,
			address,
			port: tunnel.port,
			serverName: named,
			ca: this.options.ca,
			hooks: {
				onAvailable: () => this.#entrySide?.queue.serve(),
				onTaken: () => {},
				onOpen: (session, signal) => this.#exitSide?.open(session, signal),
				onOpenTcp: (connection, remote) => this.#exitSide?.openTcp(connection, remote),
				onOpenUdp: (connection, remote, early) => {
					this.#exitSide?.openUdp(connection, remote, early);
				},
				onReady: (session) => this.#ready(session),
				onEnd: (_session, reason) => onEnded(reason)
			}
		});
		this.#current = current;
		current.start();
		const reason = await ended;
		this.#entrySide?.queue.setSession(void 0);
		if (!this.closingOrClosed) context.log("warn", "session ended", { reason });
		return `session ended: ${reason}`;
	}
	/** Tries the server's addresses in turn. */
	async #meet(keys, serverName) {
		const { tunnel, compat, key } = this.#settings;
		let lastError;
		for (const { address } of await this.context.names.resolve(tunnel.host)) try {
			const allow114 = compat && !this.#provedAddresses.has(address);
			const met = await shakeHands({
				address,
				port: tunnel.port,
				serverName,
				keys,
				token: allow114 ? tunnelToken(key) : void 0,
				client: this.#identity,
				extensions: [DATAGRAMS, STREAMS],
				timeoutMs: this.context.limits.handshakeTimeoutMs,
				signal: this.lifetime.signal
			});
			if (met.proved) this.#provedAddresses.add(address);
			return {
				met,
				address
			};
		} catch (error) {
			if (this.closingOrClosed) throw error;
			lastError = error;
		}
		throw lastError;
	}
	async #takeRole(flow) {
		if (flow === "-") {
			this.#entrySide?.close();
			this.#entrySide = void 0;
			this.entry = void 0;
			this.#exitSide ??= new ExitSide(this.context);
			return;
		}
		if (this.#entrySide !== void 0) return;
		const side = new EntrySide(this.context);
		this.entry = await side.open();
		if (this.closingOrClosed) side.close();
		else this.#entrySide = side;
	}
	#ready(session) {
		this.#entrySide?.queue.setSession(session);
		this.context.log("info", "session established", {
			peer: session.terms.peer,
			flow: session.terms.flow === "-" ? "reverse" : "forward",
			proved: session.terms.proved
		});
		this.setState("running");
	}
	tick() {
		this.#current?.tick();
		super.tick();
	}
	retiring() {
		return this.#current?.session.retiring === true;
	}
	poolSize() {
		return this.#current?.session.pool.size ?? 0;
	}
	stopTaking() {
		this.#entrySide?.stopTaking();
		if (this.#current?.session.terms.proved === true) this.#current.retire("closing");
	}
	endAll() {
		this.#current?.session.end("closing");
		this.#entrySide?.close();
		this.#exitSide?.close();
	}
};

// packages/tunnel-core/src/handshake/handshake-server.ts
/** Largest request head, bytes. */
const MAX_HEADER_BYTES = 8192;
/** The HTTP side of the handshake (docs/protocol.md, "Handshake"). */
var HandshakeServer = class {
	#options;
	#challenges = /* @__PURE__ */ new WeakMap();
	#http = createServer$1({
		maxHeaderSize: MAX_HEADER_BYTES,
		keepAliveTimeout: 0,
		requireHostHeader: false
	}, (request, response) => {
		this.#handle(request, response).catch((error) => {
			const message = error instanceof Error ? error.message : String(error);
			this.#options.context.logLimited("error", "handshake failed", { error: message });
			request.socket.destroy();
		});
	});
	constructor(options) {
		this.#options = options;
		this.#http.on("clientError", (error, socket) => {
			options.context.logLimited("warn", "bad handshake request", { error: error.message });
			socket.destroy();
		});
	}
	/** Serves the requests of a connection whose first bytes are an HTTP request. */
	serve(socket) {
		this.#http.emit("connection", socket);
	}
	async #handle(request, response) {
		request.resume();
		const address = request.socket.remoteAddress ?? "";
		if (request.method !== "GET") return refuse(response, 405, "Method Not Allowed");
		if (request.url !== "/") return refuse(response, 404, "404 page not found");
		let asked;
		try {
			asked = parseHandshakeRequest(request.headers);
		} catch (error) {
			if (!(error instanceof TunnelError)) throw error;
			this.#warn(error.message, address);
			return refuse(response, 400, error.message);
		}
		switch (asked.kind) {
			case "plain": return refuse(response, 401, "Unauthorized");
			case "opening": return this.#challenge(request, response, asked.clientNonce);
			case "token": return this.#token(request, response, asked.token);
			case "proof": return this.#proof(request, response, asked);
		}
	}
	#warn(message, address) {
		this.#options.context.logLimited("warn", message, { address });
	}
	#challenge(request, response, clientNonce) {
		const serverNonce = newNonce();
		this.#challenges.set(request.socket, {
			clientNonce,
			serverNonce
		});
		response.writeHead(401, {
			"WWW-Authenticate": formatChallenge(serverNonce),
			"Content-Type": "text/plain; charset=utf-8",
			Connection: "keep-alive"
		});
		response.end("Unauthorized\n");
	}
	async #token(request, response, token) {
		const address = request.socket.remoteAddress ?? "";
		const expected = this.#options.token;
		if (expected === void 0) {
			this.#warn("handshake of a NodePass 1.14 client refused: compat=0", address);
			return refuse(response, 401, "Unauthorized");
		}
		const a = Buffer.from(expected);
		const b = Buffer.from(token);
		if (a.length !== b.length || !timingSafeEqual(a, b)) {
			this.#warn("handshake refused: wrong token", address);
			return refuse(response, 401, "Unauthorized");
		}
		const answer = await this.#options.admit({
			address,
			proved: void 0
		});
		if (typeof answer === "string") return refuse(response, 409, answer);
		send(response, formatHandshakeAnswer(answer), {});
	}
	async #proof(request, response, asked) {
		const address = request.socket.remoteAddress ?? "";
		const challenge = this.#challenges.get(request.socket);
		this.#challenges.delete(request.socket);
		if (challenge === void 0 || !challenge.clientNonce.equals(asked.clientNonce)) {
			this.#warn("handshake refused: the proof answers no challenge of this connection", address);
			return refuse(response, 401, "Unauthorized");
		}
		const { keys } = this.#options;
		const expected = clientProof(keys, {
			method: "GET",
			path: "/",
			host: request.headers.host ?? "",
			clientNonce: challenge.clientNonce,
			serverNonce: challenge.serverNonce,
			client: asked.client,
			extensions: asked.extensions
		});
		if (!verifyProof(expected, asked.proof)) {
			this.#warn("handshake refused: wrong proof (is the key the same on both ends?)", address);
			return refuse(response, 401, "Unauthorized");
		}
		const answer = await this.#options.admit({
			address,
			proved: {
				client: asked.client.toString("hex"),
				clientNonce: challenge.clientNonce,
				serverNonce: challenge.serverNonce,
				offered: asked.extensions
			}
		});
		if (typeof answer === "string") return refuse(response, 409, answer);
		if (!("session" in answer)) throw new TunnelError("HANDSHAKE_INVALID", "answer is not proved");
		const body = formatProvedAnswer(answer);
		const proof = serverProof(keys, {
			...challenge,
			body
		});
		send(response, body, { [ANSWER_PROOF_HEADER]: formatAnswerProof(proof) });
	}
};
function send(response, body, headers) {
	response.writeHead(200, {
		Connection: "close",
		"Content-Type": "application/json",
		"Content-Length": String(Buffer.byteLength(body)),
		...headers
	});
	response.end(body);
}
function refuse(response, status, text) {
	const body = `${text}\n`;
	response.writeHead(status, {
		Connection: "close",
		"Content-Type": "text/plain; charset=utf-8",
		"Content-Length": String(Buffer.byteLength(body)),
		"X-Content-Type-Options": "nosniff"
	});
	response.end(body);
}

// packages/tunnel-core/src/handshake/newcomers.ts
/** Most connections at the tunnel port that have not shown yet what they are. */
const MAX_NEWCOMERS = 1024;
/** Of those, most from one address. */
const MAX_PER_ADDRESS = 256;
/**
* Connections at the tunnel port that have not proved themselves: each has a deadline, and when
* there are too many the one that has been silent longest goes, of the same address first. So a
* stranger can't take all places, and who speaks at once is never refused.
*/
var Newcomers = class {
	#deadlines;
	#byAddress = /* @__PURE__ */ new Map();
	#onDropped;
	/** @param timeoutMs from the connection to its proof (`NP_HANDSHAKE_TIMEOUT`) */
	constructor(timeoutMs, onDropped) {
		this.#onDropped = onDropped;
		this.#deadlines = new DeadlineQueue(timeoutMs, (socket) => {
			this.#drop(socket, "connection at the tunnel port said nothing useful in time");
		});
	}
	get size() {
		return this.#deadlines.size;
	}
	add(socket) {
		const address = socket.remoteAddress ?? "";
		let same = this.#byAddress.get(address);
		if (same === void 0) {
			same = /* @__PURE__ */ new Set();
			this.#byAddress.set(address, same);
		}
		if (same.size >= MAX_PER_ADDRESS) this.#dropOldest(same.values());
		else if (this.#deadlines.size >= MAX_NEWCOMERS) this.#dropOldest(this.#largest());
		same.add(socket);
		this.#byAddress.set(address, same);
		this.#deadlines.add(socket);
		socket.once("close", () => this.delete(socket, address));
	}
	/** It has shown what it is, or has closed. */
	delete(socket, address = socket.remoteAddress ?? "") {
		if (!this.#deadlines.delete(socket) && !this.#byAddress.get(address)?.has(socket)) return;
		const same = this.#byAddress.get(address);
		same?.delete(socket);
		if (same?.size === 0) this.#byAddress.delete(address);
	}
	close() {
		this.#deadlines.clear((socket) => socket.destroy());
		this.#byAddress.clear();
	}
	*#largest() {
		let largest;
		for (const same of this.#byAddress.values()) if (largest === void 0 || same.size > largest.size) largest = same;
		if (largest !== void 0) yield* largest;
	}
	#dropOldest(sockets) {
		const oldest = sockets.next().value;
		if (oldest !== void 0) this.#drop(oldest, "too many connections at the tunnel port: the oldest silent one closed");
	}
	#drop(socket, reason) {
		this.delete(socket);
		this.#onDropped(reason);
		socket.destroy();
	}
};

// packages/tunnel-core/src/handshake/tunnel-listener.ts
/** First byte of a TLS record that carries a handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 22;
/** A newcomer that is silent for this long, ms, may be a 1.14 client's pool connection. */
const SILENCE_MS = 10;
/** Where the head of an HTTP request ends (RFC 9112, section 2.1). */
const HEAD_END = "\r\n\r\n";
/** How a request line begins, or the beginning of one (RFC 9110, section 9.1). */
const METHOD = /^[A-Z]{1,16}(?: |$)/;
/** Bytes of a request line that tell whether it begins so. */
const METHOD_BYTES = 17;
/**
* Tells apart what arrives at the tunnel port by its first bytes (docs/protocol.md, "First bytes"):
* an HTTP handshake, a pool hello, a TLS connection with either inside, or the silence of a
* NodePass 1.14 pool connection.
*/
var TunnelListener = class {
	options;
	newcomers;
	constructor(options) {
		this.options = options;
		const { context } = options;
		this.newcomers = new Newcomers(context.limits.handshakeTimeoutMs, (reason) => {
			context.logLimited("warn", reason);
		});
	}
	accept(raw) {
		this.newcomers.add(raw);
		new Newcomer(this, raw).watch(raw);
	}
	close() {
		this.newcomers.close();
	}
};
/** A connection at the tunnel port until it is known what it is. */
var Newcomer = class {
	#listener;
	#raw;
	#address;
	#socket;
	#bytes;
	/** Of the certificate that this connection was given: a reload may have changed it since. */
	#fingerprint;
	#silence;
	#onReadable = () => this.#read();
	#onEnd = () => this.#drop();
	#onError = () => this.#drop();
	constructor(listener, raw) {
		this.#listener = listener;
		this.#raw = raw;
		this.#socket = raw;
		this.#address = raw.remoteAddress ?? "";
	}
	watch(socket) {
		this.#socket = socket;
		socket.on("readable", this.#onReadable);
		socket.on("end", this.#onEnd);
		socket.on("error", this.#onError);
		const { poolTls, hooks } = this.#listener.options;
		if (poolTls !== (socket !== this.#raw) || !hooks.expectsSilent(this.#address)) return;
		this.#silence = setTimeout(() => this.#silent(), SILENCE_MS);
	}
	#unwatch() {
		clearTimeout(this.#silence);
		const socket = this.#socket;
		socket.off("readable", this.#onReadable);
		socket.off("end", this.#onEnd);
		socket.off("error", this.#onError);
	}
	#drop() {
		this.#unwatch();
		this.#socket.on("error", ignore);
		this.#raw.on("error", ignore);
		this.#socket.destroy();
		this.#raw.destroy();
	}
	#read() {
		for (;;) {
			const chunk = this.#socket.read();
			if (chunk === null) return;
			clearTimeout(this.#silence);
			const known = this.#bytes?.length ?? 0;
			this.#bytes = this.#bytes === void 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
			if (this.#decide(this.#bytes, known)) return;
		}
	}
	/**
	* @param known bytes that have been looked at before
	* @returns whether it is known now what this is; `false` waits for more
	*/
	#decide(bytes, known) {
		const first = bytes[0] ?? 0;
		const { certificate } = this.#listener.options;
		if (first === 78) return this.#hello(bytes);
		if (first >= 65 && first <= 90) return this.#request(bytes, known);
		if (first === TLS_HANDSHAKE && this.#socket === this.#raw && certificate !== void 0) {
			this.#unwatch();
			this.#raw.unshift(bytes);
			this.#bytes = void 0;
			this.#secure(certificate);
			return true;
		}
		return this.#refuse("connection at the tunnel port speaks no protocol of ours");
	}
	/** The HTTP server, which costs more than all else here, sees nothing but whole heads. */
	#request(bytes, known) {
		if (known < METHOD_BYTES && !METHOD.test(bytes.toString("latin1", 0, METHOD_BYTES))) return this.#refuse("bad handshake request", /* @__PURE__ */ new Error("it begins with no method"));
		const end = bytes.indexOf(HEAD_END, Math.max(0, known - 4 + 1), "latin1");
		if (end === -1 && bytes.length <= 8192) return false;
		if (end === -1 || end > 8192) return this.#refuse("bad handshake request", /* @__PURE__ */ new Error("head longer than 8 KiB"));
		this.#unwatch();
		this.#socket.unshift(bytes);
		this.#listener.options.hooks.onHandshake(this.#socket);
		return true;
	}
	#hello(bytes) {
		let hello;
		try {
			hello = parseHello(bytes);
		} catch (error) {
			return this.#refuse("bad pool hello", error);
		}
		if (hello === void 0) return false;
		const { poolTls, hooks } = this.#listener.options;
		if (poolTls && this.#socket === this.#raw) return this.#refuse("pool hello without tls");
		const early = bytes.length > 30 ? bytes.subarray(30) : void 0;
		const stream = this.#adopt();
		if (hooks.onHello(stream, hello, early)) {
			this.#listener.newcomers.delete(this.#raw, this.#address);
			stream.resume();
		} else stream.destroy();
		return true;
	}
	#refuse(message, error) {
		this.#listener.options.context.logLimited("warn", message, {
			address: this.#address,
			...error instanceof Error && { reason: error.message }
		});
		this.#drop();
		return true;
	}
	#silent() {
		const { hooks } = this.#listener.options;
		if (!hooks.expectsSilent(this.#address)) return;
		const stream = this.#adopt();
		this.#listener.newcomers.delete(this.#raw, this.#address);
		hooks.onSilent(stream);
		stream.resume();
	}
	#adopt() {
		this.#unwatch();
		const { buffers } = this.#listener.options.context;
		this.#raw.setKeepAlive(true, KEEP_ALIVE_MS);
		const stream = adoptSocket(this.#socket, this.#raw, DETACHED_READER, buffers);
		if (this.#fingerprint !== void 0) stream.ownFingerprint = this.#fingerprint;
		return stream;
	}
	#secure(certificate) {
		const { context, fingerprint } = certificate.current();
		this.#fingerprint = fingerprint;
		const secure = new TLSSocket(this.#raw, {
			isServer: true,
			secureContext: context
		});
		this.#raw.on("error", ignore);
		const failed = (error) => {
			this.#listener.options.context.logLimited("warn", "tls handshake failed", {
				address: this.#address,
				error: error.message
			});
			this.#raw.destroy();
		};
		secure.on("error", failed);
		secure.once("secure", () => {
			this.watch(secure);
			secure.off("error", failed);
		});
	}
};
function ignore() {}

// packages/tunnel-core/src/tls/certificate-source.ts
/**
* @param leaf the first certificate of `certPem`
* @param certPem the leaf and, after it, the rest of its chain
* @throws whatever OpenSSL finds wrong with the chain or the key
*/
function createCertificateState(leaf, certPem, keyPem) {
	return {
		context: createSecureContext({
			cert: certPem,
			key: keyPem,
			minVersion: "TLSv1.3"
		}),
		fingerprint: certificateFingerprint(leaf.raw),
		notAfter: leaf.validToDate
	};
}
/**
* The form in which both ends of a tunnel compare certificates.
*
* @param der a certificate's DER encoding
* @see docs/protocol.md, "Certificate check"
*/
function certificateFingerprint(der) {
	return `sha256:${createHash("sha256").update(der).digest("hex").toUpperCase().replaceAll(/..(?!$)/g, "$&:")}`;
}

// packages/tunnel-core/src/tls/certificate-files.ts
const DEFAULT_CHECK_INTERVAL_MS = 500;
/** A chain of some certificates is some kilobytes. */
const MAX_FILE_BYTES = 1048576;
/**
* Uses a certificate from files and follows their changes (`tls=2`).
*
* `current` looks at the files itself, at most every `checkIntervalMs`: the first handshake after
* a replacement gets the new certificate, an idle server does nothing, and no watcher can lose
* track of a renamed file or a swapped symbolic link. The look is synchronous (two `stat` calls,
* some tens of microseconds): a handshake cannot go on without its answer.
*
* @throws {TunnelError} `CERTIFICATE_INVALID` (as a rejection), naming the file and the reason
*/
async function openCertificateFiles(options) {
	return new CertificateFiles(options);
}
var CertificateFiles = class {
	#options;
	#checkIntervalMs;
	#now;
	#listeners = [];
	#state;
	/** The files as they were when `#state` was read. */
	#version;
	#checkedAt;
	/** Version and reason of the last failure reported. */
	#reported;
	#closed = false;
	constructor(options) {
		this.#options = options;
		this.#checkIntervalMs = options.checkIntervalMs ?? DEFAULT_CHECK_INTERVAL_MS;
		this.#now = options.now ?? (() => performance.now());
		this.#checkedAt = this.#now();
		this.#version = pairVersion(options);
		this.#state = this.#read();
	}
	current() {
		if (this.#closed) return this.#state;
		const now = this.#now();
		if (now - this.#checkedAt >= this.#checkIntervalMs) {
			this.#checkedAt = now;
			this.#check();
		}
		return this.#state;
	}
	onChange(listener) {
		this.#listeners.push(listener);
	}
	close() {
		this.#closed = true;
		this.#listeners.length = 0;
	}
	#check() {
		const version = pairVersion(this.#options);
		if (version === this.#version) return;
		try {
			this.#state = this.#read();
		} catch (error) {
			this.#report(version, asCertificateError(error));
			return;
		}
		this.#version = version;
		this.#reported = void 0;
		const { certPath } = this.#options;
		const { fingerprint } = this.#state;
		this.#options.logger?.info({
			certPath,
			fingerprint
		}, "certificate reloaded");
		for (const listener of [...this.#listeners]) listener(this.#state);
	}
	#report(version, error) {
		const report = `${version} ${error.message}`;
		if (report === this.#reported) return;
		this.#reported = report;
		const { certPath, keyPath, logger, onError } = this.#options;
		logger?.warn({
			certPath,
			keyPath,
			reason: error.message
		}, "certificate not reloaded");
		onError?.(error);
	}
	#read() {
		const { certPath, keyPath, logger } = this.#options;
		const certPem = readPem("certificate", certPath);
		const keyPem = readPem("key", keyPath);
		const leaf = parseLeaf(certPath, certPem);
		if (!leaf.checkPrivateKey(parseKey(keyPath, keyPem))) throw invalid(`key ${keyPath} does not belong to certificate ${certPath}`);
		const state = createState(certPath, leaf, certPem, keyPem);
		const { notAfter } = state;
		if (notAfter.getTime() < Date.now()) logger?.warn({
			certPath,
			notAfter: notAfter.toISOString()
		}, "certificate has expired");
		return state;
	}
};
/**
* Changes whenever the pair may have changed. `stat` follows symbolic links, so it sees the real
* files; the change time sees what restores the modification time, and permissions.
*/
function pairVersion({ certPath, keyPath }) {
	return `${fileVersion(certPath)} ${fileVersion(keyPath)}`;
}
function fileVersion(path) {
	try {
		const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
		return [
			dev,
			ino,
			size,
			mtimeNs,
			ctimeNs
		].join(":");
	} catch {
		return "missing";
	}
}
function readPem(what, path) {
	let pem;
	try {
		const stats = statSync(path);
		if (!stats.isFile()) throw new Error("not a regular file");
		if (stats.size > MAX_FILE_BYTES) throw new Error(`${stats.size} bytes, at most ${MAX_FILE_BYTES} allowed`);
		pem = readFileSync(path, "latin1");
	} catch (error) {
		throw invalid(`cannot read ${what} ${path}: ${reasonOf(error)}`, error);
	}
	if (!pem.includes("-----BEGIN ")) throw invalid(`${what} ${path} is not PEM`);
	return pem;
}
function parseLeaf(path, pem) {
	try {
		return new X509Certificate(pem);
	} catch (error) {
		throw invalid(`certificate ${path} is not valid: ${reasonOf(error)}`, error);
	}
}
function parseKey(path, pem) {
	try {
		return createPrivateKey(pem);
	} catch (error) {
		throw invalid(`key ${path} is not valid: ${reasonOf(error)}`, error);
	}
}
function createState(path, leaf, certPem, keyPem) {
	try {
		return createCertificateState(leaf, certPem, keyPem);
	} catch (error) {
		throw invalid(`certificate ${path} cannot be used: ${reasonOf(error)}`, error);
	}
}
function invalid(message, cause) {
	return new TunnelError("CERTIFICATE_INVALID", message, cause === void 0 ? {} : { cause });
}
function asCertificateError(error) {
	return error instanceof TunnelError ? error : invalid(reasonOf(error), error);
}
/** The system's own text repeats the path; its code says enough. */
function reasonOf(error) {
	if (!(error instanceof Error)) return String(error);
	if ("code" in error && error.code === "ENOENT") return "no such file";
	if ("code" in error && error.code === "EACCES") return "permission denied";
	return error.message;
}

// packages/tunnel-core/src/tls/self-signed.ts
const DEFAULT_COMMON_NAME = "nodepass";
/** X.520's limit for a common name is 64; these characters need no escaping in a name string. */
const COMMON_NAME = /^[\w.-]{1,64}$/;
/** The peer may be behind by this much. */
const CLOCK_SKEW_MS = 36e5;
/** Longer than any process lives; peers check the fingerprint, not the dates. */
const LIFETIME_YEARS = 10;
/**
* Makes an ECDSA P-256 certificate that lives in memory only (`tls=1`).
*
* @throws {TunnelError} `INVALID_OPTIONS` if the common name is not allowed
*/
async function createSelfSignedCertificate(options = {}) {
	const commonName = options.commonName ?? DEFAULT_COMMON_NAME;
	if (!COMMON_NAME.test(commonName)) throw new TunnelError("INVALID_OPTIONS", `commonName is ${JSON.stringify(commonName)}, must be 1 to 64 letters, digits, ".", "-" or "_"`);
	const { generate } = await import("selfsigned");
	const notBeforeDate = /* @__PURE__ */ new Date(Date.now() - CLOCK_SKEW_MS);
	const notAfterDate = new Date(notBeforeDate);
	notAfterDate.setFullYear(notAfterDate.getFullYear() + LIFETIME_YEARS);
	const pems = await generate([{
		name: "commonName",
		value: commonName
	}], {
		keyType: "ec",
		curve: "P-256",
		algorithm: "sha256",
		notBeforeDate,
		notAfterDate
	});
	const state = createCertificateState(new X509Certificate(pems.cert), pems.cert, pems.private);
	return {
		current: () => state,
		onChange: () => {},
		close: () => {}
	};
}

// packages/tunnel-core/src/tunnels/server-sessions.ts
/** How long a client of the present session has to show that it is alive, ms, before another one takes over. */
const PROBE_MS = 300;
/** The same where its round trip is not known yet, ms. */
const FIRST_PROBE_MS = 1500;
/** The same where it is long: so many round trips. */
const PROBE_ROUND_TRIPS = 3;
/** Room in the pool for connections that are being taken at this moment. */
const UNDER_WAY = 512;
/** The control connection's id. */
const CONTROL_ID = Buffer.alloc(4);
/** A server's sessions: one at a time, taken over by the client that comes back. */
var ServerSessions = class {
	#options;
	#present;
	#deadline;
	#admitting = Promise.resolve();
	constructor(options) {
		this.#options = options;
	}
	get session() {
		return this.#present?.session;
	}
	/** Begins a session for a client that has shown who it is, one at a time. */
	admit(applicant) {
		const admitted = this.#admitting.then(() => this.#admit(applicant));
		this.#admitting = admitted.catch(() => {});
		return admitted;
	}
	async #admit(applicant) {
		const { context } = this.#options;
		const present = this.#present;
		const { proved } = applicant;
		if (present !== void 0 && !present.session.ended) {
			if (!(proved !== void 0 && present.proved?.client === proved.client) && await this.#isAlive(present.session)) {
				context.logLimited("warn", "handshake refused: another client has the tunnel", {
					address: applicant.address,
					present: present.address
				});
				return "another client has the tunnel";
			}
			present.session.end(`taken over by ${applicant.address}`);
		}
		return proved === void 0 ? this.#begin114(applicant) : this.#beginProved(applicant, proved);
	}
	#begin114(applicant) {
		const { context, settings, flow, certificate, hooks } = this.#options;
		const role = flow === "-" ? "entry" : "exit";
		const session = new Session(context, {
			flow,
			role,
			proved: false,
			framed: false,
			streams: false,
			max: settings.max,
			signalKey: settings.key,
			peer: applicant.address,
			check: certificate === void 0 || settings.tls === 0 ? void 0 : {
				send: true,
				wait: role === "entry",
				fingerprintOf: (stream) => stream.ownFingerprint
			}
		}, hooks);
		this.#install({
			session,
			address: unmapAddress(applicant.address),
			proved: void 0
		});
		context.log("info", "client accepted by token (NodePass 1.14)", { peer: applicant.address });
		return this.#answer();
	}
	#beginProved(applicant, proved) {
		const { context, keys, flow, certificate, hooks } = this.#options;
		const sessionId = newSessionId();
		const { clientNonce, serverNonce } = proved;
		const key = sessionKey(keys, {
			clientNonce,
			serverNonce,
			sessionId
		});
		const ext = negotiateExtensions(proved.offered, [DATAGRAMS, STREAMS]);
		const session = new Session(context, {
			flow,
			role: flow === "-" ? "entry" : "exit",
			proved: true,
			framed: ext.includes(DATAGRAMS),
			streams: ext.includes(STREAMS),
			max: this.#options.settings.max,
			signalKey: signalKey(key),
			peer: applicant.address,
			check: void 0
		}, hooks);
		const id = sessionId.toString("hex");
		this.#install({
			session,
			address: unmapAddress(applicant.address),
			proved: {
				client: proved.client,
				id,
				key,
				window: new HelloWindow()
			}
		});
		context.log("info", "client accepted by proof", { peer: applicant.address });
		const fp = this.#options.settings.tls === 0 ? "" : certificate?.current().fingerprint ?? "";
		return {
			...this.#answer(),
			session: id,
			fp,
			ext
		};
	}
	#answer() {
		const { settings, flow } = this.#options;
		return {
			flow,
			max: settings.max,
			tls: settings.tls,
			type: settings.type
		};
	}
	#install(present) {
		clearTimeout(this.#deadline);
		this.#present = present;
		const { handshakeTimeoutMs } = this.#options.context.limits;
		this.#deadline = setTimeout(() => {
			if (!present.session.hasControl) present.session.end("no control connection in time");
		}, handshakeTimeoutMs);
	}
	/** A pool connection that says hello. @returns whether it belongs to the present session */
	hello(stream, hello, early) {
		const { context, settings } = this.#options;
		const present = this.#present;
		const proved = present?.proved;
		const refuse = (why) => {
			context.logLimited("warn", `pool connection refused: ${why}`, { address: stream.raw.remoteAddress ?? "" });
			return false;
		};
		if (present === void 0 || proved === void 0 || present.session.ended) return refuse("no session");
		if (hello.session !== proved.id) return refuse("not of the present session");
		if (!verifyHello(hello, proved.key)) return refuse("wrong proof");
		if (!proved.window.admit(hello.counter)) return refuse("its hello was used before");
		if (hello.counter === 0) {
			clearTimeout(this.#deadline);
			present.session.begin(stream, early);
			return true;
		}
		if (present.session.pool.size >= settings.max * 2 + UNDER_WAY) return refuse("the pool is full");
		present.session.pool.add(stream, hello.counter.toString(16).padStart(8, "0"), early);
		return true;
	}
	/** Whether a silent connection from this address is a 1.14 client's pool connection. */
	expectsSilent(address) {
		const present = this.#present;
		if (present === void 0 || present.proved !== void 0 || present.session.ended) return false;
		return present.address === unmapAddress(address);
	}
	/** A silent connection of a 1.14 client: it gets its id. */
	silent(stream) {
		const present = this.#present;
		if (present === void 0 || present.session.ended) {
			stream.destroy();
			return;
		}
		const { session } = present;
		if (!session.hasControl) {
			clearTimeout(this.#deadline);
			stream.write(CONTROL_ID);
			session.begin(stream, void 0);
			return;
		}
		if (session.pool.size >= this.#options.settings.max) {
			resetStream(stream);
			return;
		}
		let id = randomBytes(4);
		while (id.readUInt32BE() === 0 || session.pool.has(id.toString("hex"))) id = randomBytes(4);
		stream.write(id);
		session.pool.add(stream, id.toString("hex"));
	}
	/** Tells the client of the end, see `Session.retire`. */
	retire(reason) {
		clearTimeout(this.#deadline);
		this.#present?.session.retire(reason);
	}
	close(reason) {
		clearTimeout(this.#deadline);
		this.#present?.session.end(reason);
	}
	#isAlive(session) {
		const { ping } = this.#options.context.counters;
		const timeoutMs = ping === 0 ? FIRST_PROBE_MS : Math.max(PROBE_MS, PROBE_ROUND_TRIPS * ping);
		return new Promise((resolve) => session.probe(timeoutMs, resolve));
	}
};

// packages/tunnel-core/src/tunnels/server-tunnel.ts
/** A dual-end server: listens on the tunnel address for its client. */
var ServerTunnel = class extends TunnelBase {
	#settings;
	#sessions;
	#entrySide;
	#exitSide;
	#tunnelListener;
	#certificate;
	constructor(settings, options) {
		super(settings, options);
		this.#settings = settings;
	}
	async start() {
		const settings = this.#settings;
		const { context } = this;
		if (!settings.keyGiven) context.log("warn", "no key in the URL: everybody who reaches the tunnel port can use it");
		const [keys, certificate] = await Promise.all([stretchTunnelKey(settings.key).then((stretched) => new ProofKeys(stretched)), this.#openCertificate()]);
		this.#certificate = certificate;
		const flow = await this.#chooseFlow();
		if (this.closingOrClosed) {
			this.endAll();
			return;
		}
		const sessions = new ServerSessions({
			context,
			settings,
			keys,
			flow,
			certificate,
			hooks: {
				onAvailable: () => this.#entrySide?.queue.serve(),
				onTaken: () => {},
				onOpen: (session, signal) => this.#exitSide?.open(session, signal),
				onOpenTcp: (connection, remote) => this.#exitSide?.openTcp(connection, remote),
				onOpenUdp: (connection, remote, early) => {
					this.#exitSide?.openUdp(connection, remote, early);
				},
				onReady: (session) => this.#ready(session),
				onEnd: (session, reason) => this.#lost(session, reason)
			}
		});
		this.#sessions = sessions;
		await this.#listen(sessions, keys);
		if (this.closingOrClosed) {
			this.endAll();
			return;
		}
		this.startReporting();
		this.setState("running");
	}
	async #openCertificate() {
		const { tls, crt, keyFile, tunnel } = this.#settings;
		if (tls === 2) {
			if (crt === void 0 || keyFile === void 0) throw new TunnelError("CERTIFICATE_INVALID", "tls=2 needs crt and key");
			return openCertificateFiles({
				certPath: crt,
				keyPath: keyFile
			});
		}
		if (tls === 1 || tunnel.port === 443) return createSelfSignedCertificate();
	}
	/** Mode 0: reverse if the target address can be bound here, else forward. */
	async #chooseFlow() {
		const { mode } = this.#settings;
		const { context } = this;
		if (mode !== 2) {
			const side = new EntrySide(context);
			try {
				this.entry = await side.open();
				this.#entrySide = side;
				this.runMode = 1;
				return "-";
			} catch (error) {
				if (mode === 1 || !(error instanceof TunnelError)) throw error;
				context.log("info", "target address is not bindable here: forward mode", { reason: error.message });
			}
		}
		this.#exitSide = new ExitSide(context);
		this.runMode = 2;
		return "+";
	}
	async #listen(sessions, keys) {
		const { context } = this;
		const settings = this.#settings;
		const handshakes = new HandshakeServer({
			context,
			keys,
			token: settings.compat ? tunnelToken(settings.key) : void 0,
			admit: (applicant) => sessions.admit(applicant)
		});
		const listener = new TunnelListener({
			context,
			certificate: this.#certificate,
			poolTls: settings.tls !== 0,
			hooks: {
				onHandshake: (socket) => handshakes.serve(socket),
				onHello: (stream, hello, early) => sessions.hello(stream, hello, early),
				expectsSilent: (address) => sessions.expectsSilent(address),
				onSilent: (stream) => sessions.silent(stream)
			}
		});
		this.#tunnelListener = listener;
		try {
			this.listener = await bindAddress(settings.tunnel, {
				tcp: true,
				udp: false,
				onConnection: (socket) => listener.accept(socket),
				onError: (error) => {
					context.logLimited("error", "tunnel listener failed", { error: error.message });
				}
			});
		} catch (error) {
			this.#entrySide?.close();
			throw error;
		}
		context.log("info", "server listening", {
			tunnel: `${this.listener.host}:${this.listener.port}`,
			flow: this.runMode === 1 ? "reverse" : "forward",
			tls: settings.tls
		});
	}
	#ready(session) {
		this.#entrySide?.queue.setSession(session);
		this.context.log("info", "session established", { peer: session.terms.peer });
		this.setState("running");
	}
	#lost(session, reason) {
		if (this.closingOrClosed || this.#sessions?.session !== session) return;
		this.#entrySide?.queue.setSession(void 0);
		this.context.log("warn", "session ended", { reason });
		this.setState("error", `session ended: ${reason}`);
	}
	retiring() {
		return this.#sessions?.session?.retiring === true;
	}
	poolSize() {
		return this.#sessions?.session?.pool.size ?? 0;
	}
	stopTaking() {
		this.listener?.tcp?.close();
		this.#entrySide?.stopTaking();
		if (this.#sessions?.session?.terms.proved === true) this.#sessions.retire("closing");
	}
	endAll() {
		this.#sessions?.close("closing");
		this.#tunnelListener?.close();
		this.listener?.close();
		this.#entrySide?.close();
		this.#exitSide?.close();
		this.#certificate?.close();
	}
};

// packages/tunnel-core/src/direct/direct-tcp.ts
/** Forwards accepted connections to the target, without a tunnel between. */
var DirectTcp = class {
	context;
	dialer;
	constructor(context, dialer) {
		this.context = context;
		this.dialer = dialer;
	}
	accept(socket) {
		const { context } = this;
		const stream = adoptSocket(socket, socket, DETACHED_READER, context.buffers);
		if (!context.slots.take()) {
			context.logLimited("warn", "connection refused: all slots are taken", { slot: context.settings.slot });
			resetStream(stream);
			return;
		}
		context.counters.tcps++;
		const user = new DirectUser(this, stream);
		setReader(stream, user);
		user.start();
	}
	release() {
		this.context.counters.tcps--;
		this.context.slots.release();
	}
};
/** A user's connection while its target is dialled; what it sends is kept meanwhile. */
var DirectUser = class extends EarlyReader {
	#direct;
	#stream;
	#dial;
	#done = false;
	constructor(direct, stream) {
		super();
		this.#direct = direct;
		this.#stream = stream;
	}
	start() {
		this.#dial = this.#direct.dialer.dial(this);
	}
	onTarget(target, address, port) {
		this.#done = true;
		const { context } = this.#direct;
		const stream = this.#stream;
		let header;
		if (context.settings.proxy) {
			const source = {
				address: stream.remoteAddress ?? "",
				port: stream.remotePort ?? 0
			};
			header = proxyHeader(source, {
				address,
				port
			});
		}
		if (header !== void 0) target.write(header, "latin1");
		new TcpRelay({
			context,
			local: stream,
			remote: target,
			earlyLocal: this.early,
			inspection: context.inspection,
			owner: this
		});
	}
	onBlocked() {
		this.#direct.context.logLimited("warn", "blocked protocol refused");
	}
	onFinished() {
		const { context } = this.#direct;
		this.#direct.release();
		if (context.debugs) context.log("debug", "tcp connection closed");
	}
	onNoTarget(error) {
		this.#direct.context.logLimited("error", error.message);
		resetStream(this.#stream);
	}
	onClose() {
		if (this.#done) return;
		this.#done = true;
		this.#dial?.cancel();
		this.#direct.release();
	}
};

// packages/tunnel-core/src/direct/direct-udp.ts
/** Most bytes that wait for a session's target socket. */
const MAX_EARLY_BYTES = 1048576;
/** Forwards datagrams to the target without a tunnel between: a target socket per user address. */
var DirectUdp = class {
	context;
	targets;
	socket;
	sessions = /* @__PURE__ */ new Map();
	constructor(context, targets, socket) {
		this.context = context;
		this.targets = targets;
		this.socket = socket;
		socket.on("message", (datagram, from) => this.#received(datagram, from));
	}
	#received(datagram, from) {
		const { context } = this;
		const name = `${from.address}:${from.port}`;
		let session = this.sessions.get(name);
		if (session === void 0) {
			if (!context.slots.take()) {
				context.counters.udpDropped++;
				context.logLimited("warn", "datagram dropped: all slots are taken", { slot: context.settings.slot });
				return;
			}
			context.counters.udps++;
			session = new DirectUdpSession(this, name, from.address, from.port);
			this.sessions.set(name, session);
		}
		session.received(datagram);
	}
	close() {
		for (const session of [...this.sessions.values()]) session.close();
	}
};
var DirectUdpSession = class {
	active = true;
	idleSweeps = 0;
	#direct;
	#name;
	#address;
	#port;
	#abort = new AbortController();
	#inbound;
	#outbound;
	#target;
	#early = [];
	#earlyBytes = 0;
	#closed = false;
	constructor(direct, name, address, port) {
		this.#direct = direct;
		this.#name = name;
		this.#address = address;
		this.#port = port;
		const { context } = direct;
		const onDropped = (datagrams) => {
			context.counters.udpDropped += datagrams;
		};
		if (context.inbound !== void 0) this.#inbound = new DatagramThrottle(context.inbound, (d) => this.#send(d), onDropped);
		if (context.outbound !== void 0) this.#outbound = new DatagramThrottle(context.outbound, (d) => this.#answer(d), onDropped);
		context.udpSessions.add(this);
		const timeout = AbortSignal.timeout(context.limits.udpDialTimeoutMs);
		direct.targets.open(AbortSignal.any([this.#abort.signal, timeout])).then((target) => this.#opened(target), (error) => {
			if (!this.#closed) context.logLimited("error", error instanceof Error ? error.message : String(error));
			this.close();
		});
	}
	#opened(target) {
		if (this.#closed) {
			target.close();
			return;
		}
		this.#target = target;
		const { context } = this.#direct;
		target.on("message", (datagram) => {
			this.active = true;
			if (this.#outbound === void 0) this.#answer(datagram);
			else this.#outbound.push(datagram);
		});
		target.on("error", (error) => {
			context.logLimited("warn", "udp target error", { error: error.message });
			if (this.#direct.targets.refused(target)) this.close();
		});
		for (const datagram of this.#early) target.send(datagram);
		this.#early = [];
		this.#earlyBytes = 0;
	}
	received(datagram) {
		this.active = true;
		this.#direct.context.counters.udprx += datagram.length;
		if (this.#inbound === void 0) this.#send(datagram);
		else this.#inbound.push(datagram);
	}
	#send(datagram) {
		if (this.#target !== void 0) this.#target.send(datagram);
		else if (this.#closed || this.#earlyBytes + datagram.length > MAX_EARLY_BYTES) this.#direct.context.counters.udpDropped++;
		else {
			this.#early.push(datagram);
			this.#earlyBytes += datagram.length;
		}
	}
	#answer(datagram) {
		if (this.#closed) return;
		const { context, socket } = this.#direct;
		if (answerUser(socket, datagram, this.#port, this.#address)) context.counters.udptx += datagram.length;
		else context.counters.udpDropped++;
	}
	expire() {
		this.close();
	}
	cut() {
		this.close();
	}
	close() {
		if (this.#closed) return;
		this.#closed = true;
		this.#abort.abort();
		this.#inbound?.close();
		this.#outbound?.close();
		this.#target?.close();
		this.#target = void 0;
		const { context, sessions } = this.#direct;
		context.counters.udpDropped += this.#early.length;
		this.#early = [];
		sessions.delete(this.#name);
		context.udpSessions.delete(this);
		context.counters.udps--;
		context.slots.release();
	}
};

// packages/tunnel-core/src/tunnels/single-end-tunnel.ts
/** Single-end forwarding: listens on the tunnel address and forwards to the target directly. */
var SingleEndTunnel = class extends TunnelBase {
	#dialer;
	#tcp;
	#udp;
	constructor(settings, options) {
		super(settings, options);
		this.#dialer = new TargetDialer(this.context);
		this.#tcp = new DirectTcp(this.context, this.#dialer);
	}
	/** @throws {TunnelError} `ADDRESS_IN_USE` or `BIND_FAILED` if the tunnel address can't be bound */
	async start() {
		const { settings, context } = this;
		this.runMode = 1;
		this.listener = await bindAddress(settings.tunnel, {
			tcp: settings.tcp,
			udp: settings.udp,
			onConnection: (socket) => this.#tcp.accept(socket),
			onError: (error) => context.logLimited("error", "listener failed", { error: error.message })
		});
		if (this.closingOrClosed) {
			this.endAll();
			return;
		}
		this.entry = this.listener;
		const udp = this.listener.udp;
		if (udp !== void 0) this.#udp = new DirectUdp(context, new UdpTargets(context), udp);
		context.log("info", "forwarding", {
			from: `${this.listener.host}:${this.listener.port}`,
			to: settings.targets.map((target) => `${target.host}:${target.port}`).join(",")
		});
		this.startReporting();
		this.setState("running");
	}
	tick() {
		if (this.settings.tcp) this.#measure();
		super.tick();
	}
	/** The connect time to the target is what a check point reports as PING. */
	#measure() {
		const startedAt = performance.now();
		this.#dialer.dial({
			onTarget: (stream) => {
				this.context.counters.ping = Math.max(1, Math.round(performance.now() - startedAt));
				stream.destroy();
			},
			onNoTarget: (error) => {
				this.context.counters.ping = 0;
				this.context.logLimited("warn", error.message);
			}
		});
	}
	poolSize() {
		return 0;
	}
	stopTaking() {
		this.listener?.tcp?.close();
	}
	endAll() {
		this.#dialer.close();
		this.#udp?.close();
		this.listener?.close();
	}
};

// packages/tunnel-core/src/open-tunnel.ts
/**
* Opens a tunnel end: a server, a client, or a single-end forwarder.
*
* Resolves when it has started: a server and a forwarder listen then, a dual-end client has begun
* to connect and goes on trying by itself (`ready()` tells when it is connected).
*
* @param from a `server://` or `client://` URL, or settings
* @throws {UrlConfigError} for a bad URL
* @throws {TunnelError} `ADDRESS_IN_USE`, `BIND_FAILED` or `CERTIFICATE_INVALID`
*/
async function openTunnel(from, options = {}) {
	const settings = typeof from === "string" ? parseTunnelUrl(from) : from;
	options.signal?.throwIfAborted();
	if (settings.scheme === "server") return start(new ServerTunnel(settings, options), options);
	if (settings.mode === 2) return start(new ClientTunnel(settings, options), options);
	try {
		return await start(new SingleEndTunnel(settings, options), options);
	} catch (error) {
		const taken = error instanceof TunnelError && isBindFailure(error);
		if (settings.mode === 1 || !taken) throw error;
		return start(new ClientTunnel(settings, options), options);
	}
}
function isBindFailure(error) {
	return error.code === "ADDRESS_IN_USE" || error.code === "BIND_FAILED";
}
async function start(tunnel, options) {
	options.onCreate?.(tunnel);
	try {
		await tunnel.start();
	} catch (error) {
		tunnel.destroy(error instanceof Error ? error : void 0);
		throw error;
	}
	return tunnel;
}

export { RelayBuffers, TunnelError, createSelfSignedCertificate, openCertificateFiles, openTunnel };