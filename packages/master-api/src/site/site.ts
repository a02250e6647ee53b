/** A file of the dashboard, ready to be sent. */
export interface SiteFile {
  /** Media type. */
  readonly type: string;
  /** Quoted, as the header has it; another one for each encoding. */
  readonly etag: string;
  /** The bytes of {@link SiteFile.bytes} are in this encoding; `undefined` as they are. */
  readonly encoding: "br" | "gzip" | undefined;
  readonly bytes: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** The built dashboard. Only names that it knows are ever read. */
export interface Site {
  /**
   * The page.
   *
   * @param api URL of the API relative to the page's own
   */
  page(api: string): SiteFile;
  /**
   * A file of `assets/`, whose name changes with its content.
   *
   * @returns `undefined` for a name that there is not
   */
  asset(name: string, acceptEncoding: string | undefined): SiteFile | undefined;
}
