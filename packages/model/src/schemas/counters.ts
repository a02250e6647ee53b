import { z } from "zod";
import { COUNTERS, type CounterName } from "../counters.ts";

/** A schema for each counter that `pick` wants. */
function shapeOf<Names extends CounterName>(
  names: readonly Names[],
  schema: (name: CounterName) => z.ZodInt,
): { [Name in Names]: z.ZodInt } {
  // The entries are those of the names.
  return Object.fromEntries(names.map((name) => [name, schema(name)])) as {
    [Name in Names]: z.ZodInt;
  };
}

/** Every counter as answers show it. */
export const counterShape = shapeOf(Object.keys(COUNTERS) as CounterName[], (name) => {
  const { help, kind } = COUNTERS[name];
  return z
    .int()
    .min(0)
    .meta({ description: kind === "total" ? `${help}, cumulative` : help });
});
