/**
 * Finds `test-support`, by which vitest and the compiler know the tests' helpers, for a script that
 * uses them too: it imports this first, and the helpers by `await import` after it.
 */
import { registerHooks } from "node:module";

registerHooks({
  resolve: (name, context, next) =>
    next(
      name === "test-support"
        ? new URL("../../../scripts/test-support/reserve-port.ts", import.meta.url).href
        : name,
      context,
    ),
});
