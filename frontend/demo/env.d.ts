/** Variables of the build. */
interface ImportMetaEnv {
  /** The API's address, if page and API are different sites. */
  readonly VITE_API_URL?: string;
}
