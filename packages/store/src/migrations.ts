/** Turns the body of version `n` into the body of version `n + 1`; may throw on nonsense. */
export type Migration = (body: unknown) => unknown;

/** Keyed by the version that the step starts from. */
export type Migrations = Readonly<Record<number, Migration>>;

/**
 * The steps from every older version. Version 1 is the first that was released. Whoever raises
 * `STATE_VERSION` adds the step from the version before, which must not use today's schema.
 */
export const MIGRATIONS: Migrations = {};
