/** @returns a server's configuration with its store, JWTs included, in another folder */
export function onDisk(config: string, folder: string): string {
  const dir = /store_dir: "([^"]*)"/.exec(config)?.[1];
  if (dir === undefined) throw new Error(`no store_dir in:\n${config}`);
  // The audit's limit is above what a small disk has.
  const room = `store_dir: "${folder}"\n  max_file_store: ${10 * 2 ** 30}`;
  return config.replace(`store_dir: "${dir}"`, room).replaceAll(`"${dir}/`, `"${folder}/`);
}
