// Constants that the build writes into the bundles.

/** The extension's version, from package.json. */
declare const EXTENSION_VERSION: string;
/** Which browser this build is for. */
declare const BROWSER: "chromium" | "firefox";
/** Match patterns of the bundled portals. */
declare const PORTALS: readonly string[];
