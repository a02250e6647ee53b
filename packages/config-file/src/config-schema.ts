import { describeParameters, type Scheme } from "@nodepass/url-config";
import { z } from "zod";
import { NAME } from "./tunnel-name.ts";

/** In a file `key` is the tunnel's key, so the URL's `key`, a PEM file, has another name here. */
const PEM_KEY_FIELD = "crtKey";

/** A parameter's value: what a URL would have as text, also written as a number or a truth. */
const parameterValue = z.union([z.string(), z.number(), z.boolean()]);

/** The name in a file of a URL's query parameter. */
export function fieldOf(parameter: string): string {
  return parameter === "key" ? PEM_KEY_FIELD : parameter;
}

function parameterFields(...schemes: readonly Scheme[]) {
  const fields: Record<string, z.ZodOptional<typeof parameterValue>> = {};
  for (const { name, schemes: takers, allowed, meaning, defaultText } of describeParameters()) {
    if (!takers.some((scheme) => schemes.includes(scheme))) continue;
    const byDefault = defaultText === undefined ? "" : `; default ${defaultText}`;
    fields[fieldOf(name)] = parameterValue
      .describe(`${meaning} (${allowed}${byDefault})`)
      .optional();
  }
  return fields;
}

/** How an address is written. */
export const ADDRESS_FORM = "host:port, :port or [IPv6]:port";

const address = z.union([z.string(), z.number().int()]).describe(ADDRESS_FORM);

const instanceFields = {
  tags: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe("tags of the instance in a master"),
  start: z.boolean().optional().describe("run it; false keeps it stopped (default true)"),
};

/** Where in a fleet it runs. */
const placeFields = {
  on: z.string().optional().describe("in a fleet: the master that runs it, by name or mid"),
  selector: z
    .string()
    .optional()
    .describe(
      "in a fleet: labels of the masters that may run it, as region=eu,!busy, all if empty; beside on, of those that may take it over",
    ),
  spread: z
    .string()
    .optional()
    .describe("in a fleet: label over whose values tunnels of such a name are spread"),
};

/** What happens when the master that runs it is lost. */
const policyFields = {
  failover: z
    .enum(["off", "serve", "strict"])
    .optional()
    .describe("in a fleet: what happens when its master is lost (default off)"),
  ttl: z
    .number()
    .int()
    .optional()
    .describe("in a fleet: seconds of silence after which a master is lost (3 to 300; default 15)"),
  failback: z
    .boolean()
    .optional()
    .describe("in a fleet: back when the old master was well for 10 minutes (default false)"),
};

/** The fields that only a fleet's hub understands. */
export const FLEET_FIELDS = [...Object.keys(placeFields), ...Object.keys(policyFields), "pair"];

const target = z.union([address, z.array(address).min(1)]);

const common = {
  target: target.describe(
    "where to, or (at the end that takes users) where users connect; several in a list",
  ),
  key: z
    .union([z.string(), z.number()])
    .optional()
    .describe("tunnel key; without one it is derived from the tunnel's port, and no secret"),
  keyFile: z.string().optional().describe("file whose text is the tunnel key"),
  ...instanceFields,
  ...placeFields,
  ...policyFields,
};

/** A server's entry. */
export const serverSchema = z.strictObject({
  server: address.describe("tunnel address to listen on for the client"),
  ...common,
  ...parameterFields("server"),
});

/** A client's entry. */
export const clientSchema = z.strictObject({
  client: z
    .union([address, z.array(address).min(1)])
    .describe(
      "tunnel address of the server, several servers in a list; of a single-end client, where users come",
    ),
  ...common,
  ...parameterFields("client"),
});

/** An entry that says by a URL what it is. */
export const urlSchema = z.strictObject({
  url: z.string().describe("server:// or client:// URL"),
  ...instanceFields,
  ...placeFields,
  ...policyFields,
});

/** An end of a pair: where it runs, and its parameters or its URL. */
function pairEnd(scheme: Scheme) {
  const { mode: _, ...parameters } = parameterFields(scheme);
  return z.strictObject({
    ...placeFields,
    url: z
      .string()
      .optional()
      .describe(`${scheme}:// URL without a key, at both ends in place of entry and target`),
    ...parameters,
  });
}

/** Both ends of a tunnel in a fleet, whose hub makes the key and what lies between them. */
export const pairSchema = z.strictObject({
  pair: z
    .strictObject({ server: pairEnd("server"), client: pairEnd("client") })
    .describe("in a fleet: both ends of a tunnel; the hub makes their key"),
  entry: address.optional().describe("where users connect: :port, host:port, or auto for the port"),
  target: target.optional().describe("where users are led to; several in a list"),
  flow: z
    .enum(["reverse", "forward"])
    .optional()
    .describe("reverse: users connect at the server (default); forward: at the client"),
  ...instanceFields,
  ...policyFields,
});

const masterSchema = z.strictObject({
  url: z.string().describe("master://host:port/prefix?log=…&tls=…"),
  key: z.string().optional().describe("API key, at least 16 characters"),
  keyFile: z.string().optional().describe("file whose text is the API key"),
  readKey: z.string().optional().describe("API key that may only read"),
  readKeyFile: z.string().optional().describe("file whose text is the API key that may only read"),
});

const defaultsSchema = z.strictObject(parameterFields("server", "client"));

/** One file. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe("for editors"),
  master: masterSchema.optional().describe("run a master; without it, the tunnels only"),
  defaults: defaultsSchema
    .optional()
    .describe("parameters of every tunnel of this file that has them and does not say otherwise"),
  tunnels: z
    .record(
      z.string().regex(NAME),
      z.union([
        z.string().describe("server:// or client:// URL"),
        serverSchema,
        clientSchema,
        urlSchema,
        pairSchema,
      ]),
    )
    .optional()
    .describe("tunnels by name"),
});

/** A server's or client's entry, checked. */
export type TunnelEntry = z.infer<typeof serverSchema> | z.infer<typeof clientSchema>;
/** An entry with a URL, checked. */
export type UrlEntry = z.infer<typeof urlSchema>;
/** An entry with both ends, checked. */
export type PairEntry = z.infer<typeof pairSchema>;

/** A parameter's value in a file. */
export type ParameterValue = z.infer<typeof parameterValue>;

/**
 * JSON Schema (draft 2020-12) of a configuration file, for editors; docs/nodepass.schema.json is it.
 *
 * @example
 * writeFileSync("nodepass.schema.json", JSON.stringify(configJsonSchema()));
 */
export function configJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema, { target: "draft-2020-12" }),
    title: "NodePass configuration",
  };
}
