// The migration adapter: old calls to a localhost client (`NetcaPKI`) in a portal's pages, put onto login, stamp, verify and
// status. The portal includes it itself, for its own pages; nothing is put into any page otherwise and no socket is opened.
// It refuses what pages must not have: PINs, paths on the visitor's computer, pictures of seals. It decides nothing else: what it
// calls checks everything again, and whoever received a PKCS#7 before receives a login token now, which the server must check.

import type { Code, Failure } from "../protocol";
import { tell } from "../protocol";
import { fieldsOf } from "./certificate";
import type { CertificateFields } from "./certificate";
import type { Placement, Sealbridge, Sentences } from "./sealbridge";

/** What the portal says about its own old pages. */
export interface AdapterOptions {
  /** A fresh challenge of the portal's server, for calls that need the visitor's consent and bring none themselves. */
  challenge(): Promise<string>;
  /** What positions and sizes of the old calls are counted in, from the lower left corner. Default: points, 72 to an inch. */
  unit?: "pt" | "mm";
}

/** What an old page gets where a call fails: a number and a text as before, and our stable code with its words. */
export class NetcaError extends Error {
  /** −11000 where nothing answers on this computer, −1 for everything else; `code` tells them apart. */
  readonly status: number;
  readonly msg: string;
  readonly code: string;
  readonly zh: Sentences;
  readonly en: Sentences;

  constructor(failure: { code: string; words: { "zh-CN": Sentences; en: Sentences } }) {
    super(`${failure.code}: ${failure.words.en.what}`);
    this.name = "NetcaError";
    this.status = NOBODY_ANSWERS.includes(failure.code) ? -11000 : -1;
    this.code = failure.code;
    this.zh = failure.words["zh-CN"];
    this.en = failure.words.en;
    this.msg = `${this.zh.what}${this.zh.remedy}`;
  }
}
const NOBODY_ANSWERS: readonly string[] = ["extension-missing", "extension-not-enabled", "extension-stopped", "host-missing", "host-forbidden", "host-lost", "host-timeout"];

/** The pseudo-promise of the old calls; `await` works on it too. */
export interface Pending<T> extends PromiseLike<T> {
  Then(done: (result: T) => void): Pending<T>;
  Catch(failed: (error: NetcaError) => void): Pending<T>;
}

type Params = Record<string, unknown>;
export type NetcaPKI = Record<string, (params?: Params) => Pending<Params>>;

/** The old functions over a connected client; give it to the old pages under the name they use: `window.NetcaPKI = adapt(…)`. */
export function adapt(client: Sealbridge, options: AdapterOptions): NetcaPKI {
  const adapter = new Adapter(client, options);
  const functions: NetcaPKI = {};
  for (const name of REFUSED) functions[name] = () => pending(Promise.reject(failed("call-unsupported", { verb: name })));
  for (const [name, work] of Object.entries(adapter.functions())) {
    functions[name] = (params = {}) =>
      pending(
        (async () => {
          check(params);
          return work(params);
        })(),
      );
  }
  return Object.freeze(functions);
}

class Adapter {
  /** The visitor's certificate, once a login in this page has shown it to the page. */
  #known: Promise<CertificateFields> | null = null;

  constructor(
    private readonly client: Sealbridge,
    private readonly options: AdapterOptions,
  ) {}

  functions(): Record<string, (params: Params) => Promise<Params>> {
    const version = (): Promise<Params> => this.#version();
    const stamp = (params: Params): Promise<Params> => this.#stamp(params);
    const verify = (params: Params): Promise<Params> => this.#verify(params);
    return {
      GetVersionInfo: version,
      GetVersionInfo1: version,
      GetClientVersionInfo: version,
      GetSealClientVersion: version,
      IsInsertKey: async () => ({ insertCount: (await this.client.status()).tokens.length }),
      GetCertList: async () => ({ certs: [{ ...(await this.#certificate()) }] }),
      GetCertStringAttribute: (params) => this.#attributes(params),
      GetCertStringExtensionValue: (params) => this.#extension(params),
      SignedDataSign: (params) => this.#sign(params),
      SignatureCreatorSignSeal: stamp,
      SignatureCreatorSignSealEx: stamp,
      SignatureCreatorAcrossPageSeal: (params) => this.#seam(params),
      SignatureVerifierVerifyPDF: verify,
      VerifyDocument: verify,
    };
  }

  async #version(): Promise<Params> {
    const { extension, host, missing } = await this.client.status();
    if (host === null) throw missing[0] ?? failed("host-missing");
    return { version: host, clientVersion: extension };
  }

  /** The login signature. What the old page hands over as data is the server's challenge; nothing else is ever signed. */
  async #sign(params: Params): Promise<Params> {
    const { text } = (params["data"] ?? {}) as Params;
    const challenge = typeof text === "string" && text !== "" ? text : await this.options.challenge();
    const token = await this.#login(challenge);
    const { certCode, AppUsrCertNO, subjectCN, subjectO } = await this.#certificate();
    return { signValue: token, certCode, AppUsrCertNO, subjectCN, subjectO };
  }

  async #login(challenge: string): Promise<string> {
    const { token } = await this.client.login({ challenge });
    const { x5c } = JSON.parse(atob(token.slice(0, token.indexOf(".")).replaceAll("-", "+").replaceAll("_", "/"))) as { x5c: string[] };
    this.#known = fieldsOf(bytesOf(x5c[0] ?? "")).catch(() => {
      throw failed("certificate-unreadable");
    });
    return token;
  }

  /** What a certificate says identifies the visitor; so the visitor is asked first, by a login, once for each page. */
  async #certificate(): Promise<CertificateFields> {
    if (!this.#known) await this.#login(await this.options.challenge());
    if (!this.#known) throw failed("internal");
    return this.#known;
  }

  async #attributes({ id }: Params): Promise<Params> {
    if (id !== undefined && Number(id) !== -1) throw failed("call-unsupported", { verb: `GetCertStringAttribute ${String(id).slice(0, 8)}` });
    const { extensions: _, ...fields } = await this.#certificate();
    return fields;
  }

  async #extension({ oid }: Params): Promise<Params> {
    const { extensions } = await this.#certificate();
    return { value: extensions.get(String(oid)) ?? "" };
  }

  async #stamp(params: Params): Promise<Params> {
    return this.#stamped(params, this.#placements(params));
  }

  async #seam(params: Params): Promise<Params> {
    const { startPage, endPage } = (params["SignPosition"] ?? params) as Params;
    const pages = pagesOf(startPage, endPage);
    return this.#stamped(params, [{ seam: pages === null ? {} : { pages } }]);
  }

  async #stamped(params: Params, placements: Placement[]): Promise<Params> {
    const name = typeof params["name"] === "string" ? params["name"] : "document.pdf";
    const { document, report } = await this.client.stamp({ document: new Blob([bytesOf(params["srcBytes"])], { type: "application/pdf" }), name, placements });
    return { destFileEncode: base64Of(new Uint8Array(await document.arrayBuffer())), report };
  }

  #placements(params: Params): Placement[] {
    const { SignField: field, SignPosition: position, SealKeyWord: keyword } = params as Record<string, Params | undefined>;
    const named = field?.["fieldName"];
    if (typeof named === "string" && named !== "") return [{ field: named }];
    if (position) {
      const at = { x: this.#mm(position["xPos"]), y: this.#mm(position["yPos"]) };
      const pages = pagesOf(position["startPage"], position["endPage"]);
      return pages === null ? [{ page: pageOf(position["pageNum"]), ...at }] : [{ pages, ...at }];
    }
    if (keyword) {
      const { keyWord, keyWordIndex, offsetX = 0, offsetY = 0 } = keyword;
      if (typeof keyWord !== "string" || keyWord === "") throw malformed("keyWord");
      const pages = pagesOf(keyword["startPage"], keyword["endPage"]);
      // The old index counts hits from 1; 0 and none mean all of them.
      const which = keyWordIndex === undefined || Number(keyWordIndex) === 0 ? "all" : pageOf(keyWordIndex);
      return [{ keyword: keyWord, which, dx: this.#mm(offsetX), dy: this.#mm(offsetY), ...(pages === null ? {} : { pages }) }];
    }
    return [];
  }

  async #verify(params: Params): Promise<Params> {
    const report = await this.client.verify(new Blob([bytesOf(params["srcBytes"])], { type: "application/pdf" }));
    return { verdict: report.verdict, msg: report.words["zh-CN"], report };
  }

  #mm(value: unknown): number {
    const number = Number(value);
    if (!Number.isFinite(number)) throw malformed("position");
    return this.options.unit === "mm" ? number : Math.round(((number * 25.4) / 72) * 100) / 100;
  }
}

/** Deeper or larger parameters than any old call has. */
const DEPTH_MAX = 6;
const KEYS_MAX = 500;
/** Fields that hold what a page must not have, once they hold anything. */
const SECRETS = /pwd|passw|^pin$|pincode/i;
const PATHS = /^(src|dest)file$|^file(name|path)$|path$/i;
const IMAGES = /^sealimage|^imagebytes$|^sealdata/i;

function check(params: unknown): void {
  let keys = 0;
  const walk = (value: unknown, depth: number): void => {
    if (typeof value !== "object" || value === null || value instanceof Blob || ArrayBuffer.isView(value)) return;
    if (depth > DEPTH_MAX) throw malformed("parameters");
    for (const [field, inner] of Object.entries(value)) {
      keys += 1;
      if (keys > KEYS_MAX) throw malformed("parameters");
      if (inner !== undefined && inner !== null && inner !== "") {
        if (SECRETS.test(field)) throw failed("page-secret-refused", { field });
        if (PATHS.test(field)) throw failed("page-path-refused", { field });
        if (IMAGES.test(field)) throw failed("page-image-refused", { field });
      }
      walk(inner, depth + 1);
    }
  };
  walk(params, 0);
}

function pending<T>(promise: Promise<T>): Pending<T> {
  const told = promise.catch((error: unknown) => {
    throw asError(error);
  });
  // A page that gives no Catch is told by the console, as with any promise; the chain it gets settles by itself.
  return {
    Then(done) {
      return pending(
        told.then((result) => {
          done(result);
          return result;
        }),
      );
    },
    Catch(failed) {
      told.catch((error: unknown) => failed(error as NetcaError));
      return this;
    },
    then: (done, failed) => told.then(done, failed),
  };
}

/** Failures of the client have our code and words already; anything else is thrown by the page's own handlers and stays as it is. */
function asError(error: unknown): unknown {
  if (error instanceof NetcaError) return error;
  const { code, zh, en } = (error ?? {}) as { code?: unknown; zh?: Sentences; en?: Sentences };
  return typeof code === "string" && zh && en ? new NetcaError({ code, words: { "zh-CN": zh, en } }) : error;
}

function failed(code: Code, facts: Record<string, string> = {}): NetcaError {
  const failure: Failure = { code, facts };
  return new NetcaError(tell(failure, "zh-CN"));
}

function malformed(detail: string): NetcaError {
  return failed("request-malformed", { detail });
}

function pageOf(value: unknown): number {
  const page = Number(value);
  if (!Number.isSafeInteger(page) || page < 1) throw malformed("page");
  return page;
}

/** Old ranges have two ends; without both it is no range. An end of −1 is the last page. */
function pagesOf(start: unknown, end: unknown): string | null {
  if (start === undefined || end === undefined) return null;
  const last = Number(end) === -1 ? "last" : String(pageOf(end));
  return `${pageOf(start)}-${last}`;
}

/** Documents come as base64, without the beginning of a data URL, or as what newer pages have. */
function bytesOf(value: unknown): BlobPart & Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  try {
    if (typeof value !== "string" || value === "") throw malformed("srcBytes");
    return Uint8Array.from(atob(value.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch {
    throw malformed("srcBytes");
  }
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** Old functions that nothing here stands for; each is refused with `call-unsupported` and its own name. */
const REFUSED: readonly string[] = [
  ...["MonitorDevice", "VerifyKeyPwd", "ModifyKeyPwd", "UnlockKeyPwd", "ClearPwdCache", "DisplayCert", "SignedDataVerify", "SignedDataGetInfo", "Sign", "VerifySignature"],
  ...["EnvelopedDataEncrypt", "EnvelopedDataDecrypt", "PublicKeyEncrypt", "PrivateKeyDecrypt", "HashData", "Cipher", "MacData", "Kdf", "GenerateRandom", "VerifyCertificate"],
  ...["NetcaAAVerifyUserCert", "NetcaAAChkOneCert", "GenerateP10", "InstallCertificate", "PdfAutoSign", "GetNetcaSealImage", "WriteSeal", "ReadSeal", "DeleteSeal"],
  ...["CreateData", "ReadData", "WriteData", "DeleteData", "UseSKFDevices", "SetSKFDevicesCA", "GetUseSKFDevicesParam", "SignatureCreatorBatchSeal", "GetAcrossPageSeal"],
  ...["GetKeyWord", "GetSignatureFieldInfo", "GetSignatureField", "SignatureVerifierUndoPDF", "UndoPDF", "PrintPDF", "GetPdfPageInfo", "GetDocumentPage"],
  ...["SelectSealSigntureInfoWithDispaly", "DisplaySealConfigInfo", "GetSealConfigInfo", "SignatureCreatorInsertImage", "GraphicsProcessDrawText", "InitMergeSeal"],
  ...["MergeSealById", "MergeSealByIncrementInfo", "GetIncrementSerializableInfo", "ClearIncrementInfo", "CreateStream", "WriteStream", "ReadStream", "DestoryStream"],
  ...["Upload", "Download", "SesStampDecode", "SesSignatureDecode", "GetCloudKeyInfo", "Custom_PdfSignAndUploadByBytes", "Custom_PdfSignAndUploadByURL"],
  ...["HardDeviceInformation", "NetworkInformation", "GetLog", "KeyXClientPluginShell"],
];
