// What the portal's pages do with Sealbridge: CA login, bind, stamp and submit, and the check of the audit chain.
// It moves messages and shows words; whether something is valid is decided by the extension, the host and the server.
// Buttons and regions carry data-state (idle, working, done, failed), so that a test can wait for them.

const english = document.documentElement.lang === "en";
const say = (chinese, other) => (english ? other : chinese);
const find = (id) => document.getElementById(id);
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

// ---- failures -------------------------------------------------------------------------------------------------

/** A refusal by the portal's server, in the shape of the page client's own errors. */
class PortalError extends Error {
  constructor({ code, facts, words }) {
    super(code);
    this.code = code;
    this.facts = facts;
    this.words = words[english ? "en" : "zh-CN"];
  }
}

const ownFailures = {
  "client-missing": ["门户缺少印桥页面脚本。", "请联系门户客服。", "The portal lacks the Sealbridge page script.", "Tell the portal's support."],
  "network-failed": ["连接不上门户，操作没有完成。", "请检查网络后重试。", "The portal can not be reached; the operation was not finished.", "Check the network and try again."],
  "upload-too-large": ["文件太大，没有上传。", "请缩小文件后重试。", "The file is too large and was not uploaded.", "Make it smaller and try again."],
  "fields-missing": ["表单还没有填写完整。", "请填写标红的项目后重试。", "The form is not complete.", "Fill in the marked fields and try again."],
};

function own(code) {
  const [whatZh, remedyZh, whatEn, remedyEn] = ownFailures[code];
  return new PortalError({
    code,
    facts: {},
    words: { "zh-CN": { what: whatZh, remedy: remedyZh }, en: { what: whatEn, remedy: remedyEn } },
  });
}

/** Words for whatever was thrown. */
function sentences(error) {
  if (error?.words?.what) return error.words;
  return { what: say("页面出错，操作没有完成。", "Something went wrong in the page; the operation was not finished."), remedy: say("请刷新页面后重试。", "Reload the page and try again.") };
}

function showFailure(region, error) {
  const { what, remedy } = sentences(error);
  const parts = [["strong", what], ["p", remedy], ["span", error?.code ?? "internal"]].map(([name, text]) => {
    const part = document.createElement(name);
    part.textContent = text;
    return part;
  });
  parts[2].className = "code";
  region.replaceChildren(...parts);
  region.dataset.code = error?.code ?? "internal";
  region.dataset.state = "failed";
}

function showText(region, state, text) {
  delete region.dataset.code;
  region.dataset.state = state;
  region.textContent = text;
}

// ---- the server -------------------------------------------------------------------------------------------------

async function call(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "content-type": "application/json", "x-csrf-token": meta("csrf") },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw own("network-failed");
  }
  const answer = await response.json().catch(() => null);
  if (answer === null) throw own("network-failed");
  if (!response.ok) throw new PortalError(answer);
  return answer;
}

/** XMLHttpRequest, because fetch does not tell how much has been sent. */
function upload(path, blob, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.setRequestHeader("content-type", "application/pdf");
    request.setRequestHeader("x-csrf-token", meta("csrf"));
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.response === null) reject(own("network-failed"));
      else if (request.status >= 200 && request.status < 300) resolve(request.response);
      else reject(new PortalError(request.response));
    };
    request.onerror = () => reject(own("network-failed"));
    request.send(blob);
  });
}

// ---- the page client --------------------------------------------------------------------------------------------

let connected = null;

function sealbridge() {
  connected ??= connect().catch((error) => {
    connected = null;
    throw error;
  });
  return connected;
}

async function connect() {
  const path = meta("sealbridge-client");
  if (!path) throw own("client-missing");
  let client;
  try {
    client = await import(path);
  } catch {
    throw own("client-missing");
  }
  return client.connect();
}

const phases = {
  document: say("请在新打开的盖章页面中核对文件…", "Look at the document in the stamping page…"),
  consent: say("请在印桥窗口中核对内容并确认…", "Check and confirm in the Sealbridge window…"),
  pin: say("请在印桥窗口中输入 USB Key 的密码（PIN）…", "Enter the PIN of the USB key in the Sealbridge window…"),
  signing: say("正在签名，请不要拔出 USB Key…", "Signing; leave the USB key in…"),
};

/** Shows one case of the guide; the words are in the page. */
async function showStatus() {
  const guide = find("sealbridge-status");
  if (!guide) return;
  const show = (name) => {
    guide.dataset.state = name;
    for (const part of guide.querySelectorAll("[data-case]")) part.hidden = part.dataset.case !== name;
  };
  const cases = ["extension-missing", "extension-not-enabled", "host-missing", "client-missing"];
  const failed = (error) => {
    if (cases.includes(error?.code)) return show(error.code);
    if (error?.code === "token-missing") return show("no-token");
    showFailure(find("sealbridge-problem"), error);
    show("other");
    guide.dataset.code = error?.code ?? "internal";
  };
  try {
    const status = await (await sealbridge()).status();
    if (status.missing?.length > 0) return failed(status.missing[0]);
    const certificates = (status.tokens ?? []).reduce((sum, token) => sum + token.certificates, 0);
    find("sealbridge-token").textContent = say(`检测到 ${status.tokens?.length ?? 0} 个 USB Key，${certificates} 张可用证书。`, `${status.tokens?.length ?? 0} USB key(s), ${certificates} usable certificate(s).`);
    show("ready");
  } catch (error) {
    failed(error);
  }
}

/** Runs one piece of work for a button; a second click while it runs does nothing. */
function onClick(button, region, work) {
  button?.addEventListener("click", async () => {
    if (button.dataset.state === "working") return;
    button.dataset.state = "working";
    button.setAttribute("aria-busy", "true");
    try {
      await work();
      button.dataset.state = "done";
    } catch (error) {
      showFailure(region, error);
      button.dataset.state = "failed";
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

const phaseIn = (region) => ({ onPhase: (phase) => showText(region, "working", phases[phase] ?? "") });

// ---- CA login and bind ------------------------------------------------------------------------------------------

const loginStatus = find("ca-login-status");
onClick(find("ca-login"), loginStatus, async () => {
  showText(loginStatus, "working", say("正在连接印桥…", "Connecting to Sealbridge…"));
  const client = await sealbridge();
  const { nonce } = await call("/api/challenge", { kind: "login" });
  const { token } = await client.login({ challenge: nonce }, phaseIn(loginStatus));
  showText(loginStatus, "working", say("门户正在验证…", "The portal is checking…"));
  await call("/api/login", { token });
  showText(loginStatus, "done", say("登录成功。", "Signed in."));
  location.assign(find("ca-login").dataset.next || "/");
});

const bindStatus = find("bind-status");
onClick(find("bind"), bindStatus, async () => {
  showText(bindStatus, "working", say("正在连接印桥…", "Connecting to Sealbridge…"));
  const client = await sealbridge();
  const { nonce, account } = await call("/api/challenge", { kind: "bind" });
  const { token } = await client.bind({ account, challenge: nonce }, phaseIn(bindStatus));
  showText(bindStatus, "working", say("门户正在验证…", "The portal is checking…"));
  await call("/api/bind", { token });
  showText(bindStatus, "done", say("绑定成功。", "Bound."));
  location.reload();
});

// ---- bids -------------------------------------------------------------------------------------------------------

const bid = find("bid");
const bidStatus = find("bid-status");
const bidButtons = ["fill-and-stamp", "stamp-own", "upload-own"].map(find);

function step(name, state) {
  const part = bid.querySelector(`[data-step="${name}"]`);
  if (part) part.dataset.state = state;
}

/** The values as the PDF's fields want them; throws where something is missing. */
function readFields() {
  const values = {};
  let firstBad = null;
  for (const input of document.querySelectorAll("#bid-form [data-field]")) {
    const good = input.checkValidity();
    input.setAttribute("aria-invalid", String(!good));
    if (!good) firstBad ??= input;
    values[input.dataset.field] = input.type === "checkbox" ? (input.checked ? "Yes" : "Off") : input.value.trim();
  }
  if (firstBad) {
    firstBad.focus();
    throw own("fields-missing");
  }
  return values;
}

/** One bid from the document to the verdict; `source` gives `{ blob, name, fields?, placements?, stamp }`. */
async function makeBid(source) {
  if (bid.dataset.state === "working") return;
  bid.dataset.state = "working";
  for (const button of bidButtons) button.disabled = true;
  find("verdict").hidden = true;
  find("keep-stamped").hidden = true;
  find("progress").hidden = false;
  showText(bidStatus, "working", "");
  for (const name of ["form", "stamp", "upload", "verify"]) step(name, "");
  let current = "form";
  const enter = (name) => {
    if (current !== name) step(current, "done");
    current = name;
    step(name, "running");
  };
  try {
    enter("form");
    const work = await source();
    let document_ = work.blob;
    if (work.stamp) {
      enter("stamp");
      const client = await sealbridge();
      const request = { document: work.blob, name: work.name };
      if (work.fields) request.fields = work.fields;
      if (work.placements) request.placements = work.placements;
      const stamped = await client.stamp(request, phaseIn(bidStatus));
      document_ = stamped.document;
      keep(document_, work.name);
    } else {
      step("stamp", "skipped");
    }
    enter("upload");
    showText(bidStatus, "working", "");
    if (document_.size > Number(bid.dataset.max)) throw own("upload-too-large");
    const path = `/api/documents?tender=${encodeURIComponent(bid.dataset.tender)}&name=${encodeURIComponent(work.name)}`;
    const answer = await upload(path, document_, (part) => {
      find("upload-percent").textContent = `${Math.floor(part * 100)} %`;
      if (part === 1) enter("verify");
    });
    enter("verify");
    step("verify", "done");
    showVerdict(answer);
    bid.dataset.state = "done";
  } catch (error) {
    step(current, "failed");
    bid.dataset.state = "failed";
    throw error;
  } finally {
    find("fill-and-stamp").disabled = false;
    ownFileChosen();
  }
}

/** The stamped document is the person's own: it can be kept whatever becomes of the upload. */
function keep(blob, name) {
  const link = find("stamped-download");
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/(\.pdf)?$/iu, say("-已盖章.pdf", "-stamped.pdf"));
  find("keep-stamped").hidden = false;
}

function showVerdict(answer) {
  const pick = ([chinese, other]) => say(chinese, other);
  const region = find("verdict");
  find("verdict-summary").textContent = pick(answer.verdict.summary);
  const lines = answer.verdict.reasons.map((reason) => `${pick(reason.what)} ${pick(reason.remedy)}`);
  for (const signature of answer.verdict.signatures) {
    const who = signature.organisation ?? signature.field;
    lines.push(...signature.checks.map((check) => `${check.passed ? "✓" : "✗"} ${who}${say("：", ": ")}${pick(check.words)}`));
  }
  find("verdict-sentences").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
  find("verdict-link").href = answer.page;
  find("receipt-link").href = answer.receipt;
  region.dataset.accepted = answer.accepted ? "yes" : "no";
  region.hidden = false;
  showText(bidStatus, answer.accepted ? "done" : "idle", answer.accepted ? say("投标文件已接收。", "The bid was accepted.") : "");
  region.scrollIntoView({ block: "nearest" });
}

function ownFileChosen() {
  const chosen = (find("own-file")?.files.length ?? 0) > 0;
  for (const id of ["stamp-own", "upload-own"]) if (find(id)) find(id).disabled = !chosen;
}

if (bid) {
  find("bid-form").addEventListener("submit", (event) => event.preventDefault());
  find("own-file").addEventListener("change", ownFileChosen);
  ownFileChosen();
  onClick(find("fill-and-stamp"), bidStatus, () => {
    find("progress").hidden = false;
    const fields = readFields();
    return makeBid(async () => {
      const response = await fetch(bid.dataset.form).catch(() => null);
      if (!response?.ok) throw own("network-failed");
      const name = `${say("投标函", "letter-of-bid")}-${bid.dataset.tender}.pdf`;
      return { blob: await response.blob(), name, fields, placements: [{ field: "公章" }], stamp: true };
    });
  });
  const ownFile = (stamp) => () => makeBid(async () => {
    const [file] = find("own-file").files;
    return { blob: file, name: file.name, stamp };
  });
  onClick(find("stamp-own"), bidStatus, ownFile(true));
  onClick(find("upload-own"), bidStatus, ownFile(false));
}

// ---- audit ------------------------------------------------------------------------------------------------------

const auditResult = find("audit-result");
onClick(find("audit-check"), auditResult, async () => {
  showText(auditResult, "working", say("正在校验…", "Checking…"));
  const { ok, words } = await call("/api/audit/check");
  showText(auditResult, ok ? "done" : "failed", words[english ? "en" : "zh-CN"]);
});

showStatus();
