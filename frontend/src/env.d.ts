/** What the page is built with. */
interface ImportMetaEnv {
  /** The API's address, where page and API are different sites. */
  readonly VITE_API_URL?: string;
}
