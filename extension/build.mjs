// Builds the extension for one browser, and the page client beside it:
//
//   node build.mjs --browser chromium|firefox --out DIR [--wasm DIR] [--portal PATTERN]… [--page-client DIR]
//
// DIR of --wasm holds what wasm-bindgen wrote (sealbridge_wasm.js, sealbridge_wasm_bg.wasm); default target/extension/wasm.
// --portal adds match patterns to the bundled list of src/portals.json. --page-client defaults to DIR of --out/../page-client.
// The result is a folder that both browsers load unpacked. Nothing is fetched and nothing outside the folders is written.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(here, "../target");
const { values: options } = parseArgs({
  options: {
    browser: { type: "string" },
    out: { type: "string" },
    wasm: { type: "string", default: join(target, "extension/wasm") },
    portal: { type: "string", multiple: true, default: [] },
    "page-client": { type: "string" },
  },
});
if (!["chromium", "firefox"].includes(options.browser) || !options.out) {
  console.error("usage: node build.mjs --browser chromium|firefox --out DIR [--wasm DIR] [--portal PATTERN]… [--page-client DIR]");
  process.exit(2);
}

/** The oldest Chromium kernel: that of the browsers that follow Chromium from afar. */
const CHROMIUM_MIN = "122";

const { browser } = options;
const out = resolve(options.out);
const wasm = resolve(options.wasm);
const pageClient = resolve(options["page-client"] ?? join(out, "../page-client"));
const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
const portals = [...new Set([...JSON.parse(await readFile(join(here, "src/portals.json"), "utf8")), ...options.portal])];
for (const pattern of portals) {
  // The same form that the background understands; https, or http on the own computer.
  if (!/^(https:\/\/(\*\.)?[a-z0-9.-]+(:\d+)?|http:\/\/(localhost|127\.0\.0\.1)(:\d+)?)\/\*$/.test(pattern)) throw new Error(`not a portal's match pattern: ${pattern}`);
}

await mkdir(out, { recursive: true });
await scripts();
await manifest();
await assets();
await client();

async function scripts() {
  const common = {
    bundle: true,
    target: browser === "firefox" ? "firefox140" : `chrome${CHROMIUM_MIN}`,
    charset: "utf8",
    legalComments: "none",
    minifySyntax: true,
    logLevel: "warning",
    alias: { "sealbridge-wasm": join(wasm, "sealbridge_wasm.js") },
    define: { EXTENSION_VERSION: JSON.stringify(version), BROWSER: JSON.stringify(browser), PORTALS: JSON.stringify(portals) },
  };
  await esbuild.build({
    ...common,
    format: "esm",
    // pdf.js ships ready-made; it is copied, not bundled.
    external: ["/pdfjs/*"],
    entryPoints: {
      background: join(here, "src/background/main.ts"),
      popup: join(here, "src/popup/main.ts"),
      centre: join(here, "src/centre/main.ts"),
      stamp: join(here, "src/stamp/main.ts"),
      worker: join(here, "src/stamp/worker.ts"),
      hasher: join(here, "src/stamp/hasher.ts"),
      ...(browser === "chromium" ? { courier: join(here, "src/courier/main.ts") } : {}),
    },
    outdir: out,
  });
  await esbuild.build({
    ...common,
    format: "iife",
    entryPoints: { content: join(here, "src/content/main.ts") },
    outdir: out,
    plugins: [words(["busy", "cancelled", "extension-stopped", "gesture-needed", "internal", "request-malformed", "request-unknown-field", "verb-unknown", "version-too-old", "web-eid-signing-refused"], true)],
  });
}

async function manifest() {
  const contentScripts = portals.length > 0 && [{ matches: portals, js: ["content.js"], run_at: "document_start", all_frames: false }];
  const shared = {
    manifest_version: 3,
    name: "__MSG_name__",
    description: "__MSG_description__",
    version,
    default_locale: "zh_CN",
    icons: { 16: "icons/16.png", 32: "icons/32.png", 48: "icons/48.png", 128: "icons/128.png" },
    action: { default_title: "__MSG_action__", default_popup: "popup.html", default_icon: { 16: "icons/16.png", 32: "icons/32.png" } },
    permissions: ["nativeMessaging", "storage", "scripting", "activeTab"],
    optional_host_permissions: ["https://*/*", "http://localhost/*"],
    ...(contentScripts ? { content_scripts: contentScripts } : {}),
    content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'" },
  };
  const own =
    browser === "chromium"
      ? {
          minimum_chrome_version: CHROMIUM_MIN,
          key: (await readFile(join(here, "static/chromium-key.txt"), "utf8")).trim(),
          // Kernels before 148 do not know it; there a hidden frame carries the documents.
          message_serialization: "structured_clone",
          web_accessible_resources: [{ resources: ["courier.html"], matches: ["https://*/*", "http://localhost/*", "http://127.0.0.1/*"], use_dynamic_url: true }],
          storage: { managed_schema: "managed_schema.json" },
          background: { service_worker: "background.js", type: "module" },
        }
      : {
          browser_specific_settings: { gecko: { id: "sealbridge@sealbridge.org", strict_min_version: "140.0", data_collection_permissions: { required: ["none"] } } },
          background: { scripts: ["background.js"], type: "module" },
        };
  await writeFile(join(out, "manifest.json"), `${JSON.stringify({ ...shared, ...own }, null, 2)}\n`);
}

async function assets() {
  const own = browser === "chromium" ? ["courier.html", "managed_schema.json"] : [];
  for (const file of ["popup.html", "popup.css", "centre.html", "centre.css", "stamp.html", "stamp.css", "sheet.css", "places.css", "papers.css", "base.css", "icons", "_locales", ...own]) {
    await cp(join(here, "static", file), join(out, file), { recursive: true });
  }
  const modules = join(here, "node_modules");
  const pdfjs = join(modules, "pdfjs-dist");
  await mkdir(join(out, "pdfjs"), { recursive: true });
  // The build for older kernels is a little larger and otherwise the same.
  const build = browser === "chromium" ? "legacy/build" : "build";
  for (const [from, to] of [
    [`${build}/pdf.min.mjs`, "pdf.mjs"],
    ["LICENSE", "LICENSE"],
    ["cmaps", "cmaps"],
    ["standard_fonts", "standard_fonts"],
    ["iccs", "iccs"],
  ]) {
    await cp(join(pdfjs, from), join(out, "pdfjs", to), { recursive: true });
  }
  await writeFile(join(out, "pdfjs/pdf.worker.mjs"), await pagesAtOnce(join(pdfjs, build, "pdf.worker.mjs")));
  // Decoders for JPEG 2000, JBIG2 and colour profiles; not the script engine, which forms could use, nor the fallbacks without wasm.
  await mkdir(join(out, "pdfjs/wasm"), { recursive: true });
  for (const file of ["openjpeg.wasm", "jbig2.wasm", "qcms_bg.wasm"]) await cp(join(pdfjs, "wasm", file), join(out, "pdfjs/wasm", file));

  await mkdir(join(out, "fonts"), { recursive: true });
  const font = join(modules, "@expo-google-fonts/noto-sans-sc");
  await cp(join(font, "400Regular/NotoSansSC_400Regular.ttf"), join(out, "fonts/NotoSansSC-Regular.ttf"));
  await cp(join(font, "LICENSE_FONT"), join(out, "fonts/LICENSE"));
  await mkdir(join(out, "wasm"), { recursive: true });
  await cp(join(wasm, "sealbridge_wasm_bg.wasm"), join(out, "wasm/sealbridge_wasm_bg.wasm"));
}

/**
 * pdf.js's worker, which goes straight to a page where the level of the page tree that holds it says how many pages it has. By itself
 * it reads every page object up to that one, and for the last page, which it looks at first, all: in a bid of a thousand scanned pages
 * that is seventy megabytes to read and to keep. Our own reader believes the same levels (crates/pdf/src/page.rs), so both count alike.
 */
async function pagesAtOnce(file) {
  const source = await readFile(file, "utf8");
  const before = "for (let last = kids.length - 1; last >= 0; last--) {";
  const parts = source.split(before);
  if (parts.length !== 2) throw new Error(`${file}: its walk of the page tree is not in the known form`);
  const straight = `
      if (kids.length >= 8 && count === kids.length && kids.every(kid => kid instanceof Ref)) {
        const wanted = kids[pageIndex - currentPageIndex];
        const looked = [wanted, kids[0], kids[kids.length >> 1], kids[kids.length - 1]];
        for (const kid of looked) if (!pageDictCache.has(kid)) pageDictCache.put(kid, xref.fetchAsync(kid));
        const pages = await Promise.all(looked.map(kid => pageDictCache.get(kid)));
        if (pages.every(page => page instanceof Dict && isName(page.get("Type"), "Page"))) {
          pageKidsCountCache.put(wanted, 1);
          pageIndexCache.put(wanted, pageIndex);
          return [pages[0], wanted];
        }
      }
      ${before}`;
  const { code } = await esbuild.transform(parts.join(straight), { loader: "js", format: "esm", minify: true, charset: "utf8", legalComments: "inline" });
  return code;
}

/** The page client as a package that npm would take: sealbridge.js, netca.js, their types, package.json, README. */
async function client() {
  await mkdir(pageClient, { recursive: true });
  await esbuild.build({
    entryPoints: { sealbridge: join(here, "src/page/sealbridge.ts") },
    outdir: pageClient,
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    minifySyntax: true,
    logLevel: "warning",
    banner: { js: `// Sealbridge page client ${version}. MIT OR Apache-2.0. See README.md.` },
    plugins: [words(["cancelled", "extension-missing", "extension-not-enabled", "read-failed", "request-malformed", "timed-out"], false)],
  });
  await esbuild.build({
    entryPoints: { netca: join(here, "src/page/netca.ts") },
    outdir: pageClient,
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    minifySyntax: true,
    logLevel: "warning",
    banner: { js: `// Sealbridge migration adapter ${version}. MIT OR Apache-2.0. See docs/migration.md.` },
    plugins: [words(["call-unsupported", "certificate-unreadable", "host-missing", "page-image-refused", "page-path-refused", "page-secret-refused", "request-malformed"], false)],
  });
  const types = join(pageClient, ".types");
  const tsc = spawnSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "--project", join(here, "tsconfig.page.json"), "--outDir", types], { encoding: "utf8" });
  if (tsc.status !== 0) throw new Error(`types of the page client: ${tsc.stdout}${tsc.stderr}`);
  for (const name of ["sealbridge", "netca", "certificate"]) await cp(join(types, `page/${name}.d.ts`), join(pageClient, `${name}.d.ts`));
  await rm(types, { recursive: true });
  await cp(join(here, "page-client/README.md"), join(pageClient, "README.md"));
  const description = JSON.parse(await readFile(join(here, "page-client/package.json"), "utf8"));
  await writeFile(join(pageClient, "package.json"), `${JSON.stringify({ ...description, version }, null, 2)}\n`);
}

/** Leaves only the words of these codes in a bundle: the table of all is larger than the scripts that run in pages. */
function words(codes, short) {
  return {
    name: "words",
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/]protocol\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const table = /export const WORDS: Readonly<Record<Code, Template>> = (\{\n[^]*?\n\});\n/.exec(source);
        if (!table) throw new Error("src/protocol.ts has no table of words in the known form");
        const { code } = await esbuild.transform(`export const WORDS = ${table[1]};`, { loader: "ts", format: "esm" });
        const { WORDS } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
        const kept = Object.fromEntries(codes.map((code) => [code, WORDS[code] ?? fail(code)]));
        // A code without words here can only be a bug of ours; then the words of `internal` or `request-malformed` serve.
        const fallback = short ? "internal" : "request-malformed";
        const contents = source.replace(table[0], () => `export const WORDS = ${JSON.stringify(kept)} as Record<string, Template>;\n`).replaceAll("WORDS[failure.code]", `(WORDS[failure.code] ?? WORDS[${JSON.stringify(fallback)}])`);
        return { contents, loader: "ts" };
      });
    },
  };
}

function fail(code) {
  throw new Error(`src/protocol.ts has no words for ${code}`);
}
