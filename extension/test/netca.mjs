// The migration adapter over a client that only writes down what it was asked: what becomes of the old calls, what is refused, and
// what is read from a certificate that OpenSSL made. Run by rules.mjs.

import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const CHALLENGE = "q83vEjRWeJCrze8SNFZ4kA";
const PDF = Buffer.from("%PDF-1.7 …").toString("base64");

export async function netca(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./page/netca"; export * from "./page/certificate";', resolveDir: join(here, "../src"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "error",
  });
  const { adapt, fieldsOf } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const certificate = await made();
  await calls(adapt, certificate, check);
  if (certificate) await read(fieldsOf, certificate, check);
}

/** A certificate with a Chinese name and NETCA's unique id; null, visibly, without OpenSSL. */
async function made() {
  const folder = await mkdtemp(join(tmpdir(), "sealbridge-"));
  const file = (name) => join(folder, name);
  const { status, error } = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file("key"), "-outform", "DER", "-out", file("der")],
    ...["-utf8", "-subj", "/C=CN/O=测试印桥科技有限公司/CN=张三（测试）", "-days", "30", "-set_serial", "0x7f10", "-addext", "1.3.6.1.4.1.18760.1.12.11=ASN1:UTF8String:UNIQUE-7", "-addext", "2.16.156.112548=ASN1:PRINTABLESTRING:OTHER"],
  ]);
  const der = status === 0 ? await readFile(file("der")) : null;
  if (!der) console.error(`skipped: no certificate from OpenSSL (${error ?? status})`);
  await rm(folder, { recursive: true });
  return der;
}

async function read(fieldsOf, der, check) {
  const judge = new X509Certificate(der);
  const fields = await fieldsOf(new Uint8Array(der));
  const of = (name) => new RegExp(`^${name}=(.*)$`, "m").exec(judge.subject)[1];
  check("names as Node reads them", [fields.subjectCN, fields.subjectO], [of("CN"), of("O")]);
  check("serial number and thumbprint as Node reads them", [fields.sn, fields.thumbprint], [judge.serialNumber, judge.fingerprint.replaceAll(":", "")]);
  check("the CA's unique id is the binding value", [fields.AppUsrCertNO, fields.extensions.get("2.16.156.112548")], ["UNIQUE-7", "OTHER"]);
  let wrong = 0;
  for (let length = 0; length < der.length; length += 1) {
    await fieldsOf(new Uint8Array(der.subarray(0, length))).then(() => (wrong += 1), (error) => (wrong += error instanceof TypeError ? 0 : 1));
  }
  check("a certificate that is cut anywhere is none", wrong, 0);
}

async function calls(adapt, der, check) {
  const asked = [];
  let answer = async () => ({ token: tokenOf(der) });
  const record = (verb) => async (request) => {
    asked.push([verb, request instanceof Blob ? await request.text() : { ...request, ...(request?.document ? { document: await request.document.text() } : {}) }]);
    return answer(verb);
  };
  const client = { status: record("status"), login: record("login"), stamp: record("stamp"), verify: record("verify") };
  const challenges = [];
  const options = { challenge: async () => (challenges.push(CHALLENGE), CHALLENGE) };
  const old = adapt(client, options);
  const failure = async (call) => Promise.resolve(call).then((result) => result, (error) => ({ code: error.code, status: error.status }));
  const last = () => asked[asked.length - 1];

  // ---- login and certificates: asked before anything is told ----
  if (der) {
    const signed = await old.SignedDataSign({ cert: { condition: "IssuerCN~'NETCA'" }, data: { text: `${CHALLENGE}AA` }, detached: true, certPwd: "" });
    check("the old data is the challenge", [last(), signed.signValue, signed.subjectO], [["login", { challenge: `${CHALLENGE}AA` }], tokenOf(der), "测试印桥科技有限公司"]);
    check("known after that, without another login", [(await old.GetCertStringAttribute({ id: -1 })).AppUsrCertNO, (await old.GetCertStringExtensionValue({ oid: "2.16.156.112548" })).value, asked.length], ["UNIQUE-7", "OTHER", 1]);
    const fresh = adapt(client, options);
    const { certs } = await fresh.GetCertList();
    check("the list asks the person by a login with the portal's challenge", [last(), challenges.length, certs.length], [["login", { challenge: CHALLENGE }], 1, 1]);
    let said = "";
    await new Promise((resolve) => old.GetCertList().Then((result) => (said = result.certs[0].subjectCN)).Catch(resolve).Then(resolve));
    check("Then and Catch as before", said, "张三（测试）");
  }
  check("numbered attributes have no table here", await failure(old.GetCertStringAttribute({ id: 14 })), { code: "call-unsupported", status: -1 });

  // ---- status ----
  answer = async () => ({ extension: "0.1.0", host: "0.1.0", tokens: [{}, {}], missing: [] });
  check("keys that are plugged in", await old.IsInsertKey(), { insertCount: 2 });
  const words = { what: "", remedy: "" };
  answer = async () => ({ extension: "0.1.0", host: null, tokens: [], missing: [{ code: "host-missing", zh: words, en: words }] });
  check("no host is the old number", await failure(old.GetVersionInfo()), { code: "host-missing", status: -11000 });
  answer = async () => Promise.reject({ code: "pin-locked", zh: words, en: words });
  check("other failures keep our code", await failure(old.IsInsertKey()), { code: "pin-locked", status: -1 });

  // ---- stamping ----
  answer = async (verb) => (verb === "stamp" ? { document: new Blob(["%PDF stamped"]), report: { verdict: "intact-not-trusted" } } : { verdict: "changed", words: { "zh-CN": "已改动", en: "changed" } });
  for (const [what, params, placements] of [
    ["a field", { SignField: { fieldName: "公章" } }, [{ field: "公章" }]],
    ["a point, in points", { SignPosition: { pageNum: 2, xPos: 72, yPos: 144, width: 100, height: 100 } }, [{ page: 2, x: 25.4, y: 50.8 }]],
    ["several pages", { SignPosition: { startPage: 1, endPage: 3, xPos: 0, yPos: 36 } }, [{ pages: "1-3", x: 0, y: 12.7 }]],
    ["to the last page", { SignPosition: { startPage: 2, endPage: -1, xPos: 0, yPos: 0 } }, [{ pages: "2-last", x: 0, y: 0 }]],
    ["a keyword", { SealKeyWord: { keyWord: "（盖章）", keyWordIndex: 2, startPage: 1, endPage: 9, offsetX: 72, offsetY: 0 } }, [{ keyword: "（盖章）", which: 2, dx: 25.4, dy: 0, pages: "1-9" }]],
    ["every hit of a keyword", { SealKeyWord: { keyWord: "盖章" } }, [{ keyword: "盖章", which: "all", dx: 0, dy: 0 }]],
    ["the visitor's own choice", {}, []],
  ]) {
    const result = await old.SignatureCreatorSignSealEx({ srcBytes: PDF, srcFile: "", destFile: "", sealImageEncode: "", ...params });
    check(`stamping by ${what}`, [last(), result.destFileEncode], [["stamp", { document: "%PDF-1.7 …", name: "document.pdf", placements }], Buffer.from("%PDF stamped").toString("base64")]);
  }
  await adapt(client, { ...options, unit: "mm" }).SignatureCreatorSignSeal({ srcBytes: PDF, name: "标书.pdf", SignPosition: { pageNum: 1, xPos: 30, yPos: 40 } });
  check("a portal that counts in millimetres", last()[1], { document: "%PDF-1.7 …", name: "标书.pdf", placements: [{ page: 1, x: 30, y: 40 }] });
  await old.SignatureCreatorAcrossPageSeal({ srcBytes: PDF, startPage: 1, endPage: 4 });
  check("the riding seam", last()[1].placements, [{ seam: { pages: "1-4" } }]);
  check("verifying", [(await old.VerifyDocument({ srcBytes: PDF })).verdict, last()], ["changed", ["verify", "%PDF-1.7 …"]]);

  // ---- what a page must not have ----
  const before = asked.length;
  for (const [name, params, code] of [
    ["SignedDataSign", { data: { text: CHALLENGE }, certPwd: "123456" }, "page-secret-refused"],
    ["SignedDataSign", { data: { text: CHALLENGE }, cert: { more: { pwd: "1" } } }, "page-secret-refused"],
    ["SignatureCreatorSignSeal", { srcBytes: PDF, Tsa: { tsaPwd: "x" } }, "page-secret-refused"],
    ["SignatureCreatorSignSeal", { srcFile: "C:\\bid.pdf" }, "page-path-refused"],
    ["SignatureCreatorSignSeal", { srcBytes: PDF, destFile: "C:\\out.pdf" }, "page-path-refused"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, sealImageEncode: "iVBOR" }, "page-image-refused"],
    ["SignatureCreatorSignSealEx", { srcBytes: "data:application/pdf;base64,AA==" }, "request-malformed"],
    ["SignatureCreatorSignSealEx", {}, "request-malformed"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, SignPosition: { pageNum: 0, xPos: 1, yPos: 1 } }, "request-malformed"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, SignPosition: { pageNum: 1, xPos: "x", yPos: 1 } }, "request-malformed"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, SealKeyWord: {} }, "request-malformed"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, many: Array(501).fill(0) }, "request-malformed"],
    ["SignatureCreatorSignSealEx", { srcBytes: PDF, a: { a: { a: { a: { a: { a: { a: {} } } } } } } }, "request-malformed"],
    ["VerifyKeyPwd", { pwd: "123456" }, "call-unsupported"],
    ["HardDeviceInformation", {}, "call-unsupported"],
    ["GenerateP10", {}, "call-unsupported"],
  ]) {
    check(`${name} ${JSON.stringify(params).slice(0, 60)}`, await failure(old[name](params)), { code, status: -1 });
  }
  check("nothing of that reached the client", asked.length, before);
  check("pages can not put functions of their own in", Object.isFrozen(old), true);
  check("every call is answered in Chinese with what to do", await new Promise((resolve) => old.VerifyKeyPwd().Catch((error) => resolve(/迁移指南/.test(error.msg)))), true);
}

const tokenOf = (der) => (der ? `${Buffer.from(JSON.stringify({ x5c: [der.toString("base64")] })).toString("base64url")}.e.s` : "");
