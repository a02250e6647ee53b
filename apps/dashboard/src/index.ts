/**
 * The folder of the built dashboard, for a master to serve.
 *
 * @example
 * await runMaster({ settings, stateDirectory, dashboard: dashboardFolder });
 */
export const dashboardFolder: URL = new URL("./site/", import.meta.url);
