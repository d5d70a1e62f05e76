// What the desk's pages do beyond forms: they save drafts while somebody types, show how far an upload is, keep a button from being
// pressed twice, and have the existing key sign where it has to. Without this script everything but that still works, with one more click.

const english = document.documentElement.lang === "en";
const say = (chinese, other) => (english ? other : chinese);

// ---- drafts -----------------------------------------------------------------------------------------------------

for (const form of document.querySelectorAll("form[data-save]")) {
  const told = document.getElementById("saved");
  let timer = 0;
  let saving = Promise.resolve();
  const save = async () => {
    try {
      const response = await fetch(form.dataset.save, {
        method: "POST",
        headers: { accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
        keepalive: true,
      });
      if (!response.ok) throw new Error(String(response.status));
      if (told !== null) told.textContent = say("已自动保存", "Saved");
    } catch {
      if (told !== null) told.textContent = say("暂时没有保存成功，请不要关闭页面，稍后会自动重试", "Not saved yet; keep the page open, it will be tried again");
      timer = setTimeout(queue, 5000);
    }
  };
  const queue = () => {
    saving = saving.then(save);
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "checked") return;
    clearTimeout(timer);
    if (told !== null) told.textContent = say("正在保存…", "Saving…");
    timer = setTimeout(queue, 600);
  });
  // Somebody who closes the window at once has typed too.
  addEventListener("pagehide", () => {
    if (timer !== 0) navigator.sendBeacon(form.dataset.save, new URLSearchParams(new FormData(form)));
  });
}

// ---- uploads ----------------------------------------------------------------------------------------------------

for (const form of document.querySelectorAll("form.upload")) {
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  const outcome = form.querySelector(".outcome");
  input.addEventListener("change", () => {
    if (input.files.length === 0) return;
    // XMLHttpRequest, because fetch does not tell how much has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    };
    const failed = (problem) => {
      const words = problem?.words?.[english ? "en" : "zh-CN"];
      outcome.dataset.state = "failed";
      outcome.textContent = words === undefined ? say("上传中断，请重试。", "The upload broke off; please try again.") : `${words.what}${english ? " " : ""}${words.remedy}`;
      bar.hidden = true;
      input.value = "";
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) location.reload();
      else failed(request.response);
    };
    request.onerror = () => failed(null);
    bar.value = 0;
    bar.hidden = false;
    outcome.dataset.state = "working";
    outcome.textContent = say("正在上传…", "Uploading…");
    request.send(new FormData(form));
  });
}

// ---- the existing key's signature -------------------------------------------------------------------------------

const ownFailures = {
  "client-missing": [["业务厅缺少印桥页面脚本。", "请联系客服。"], ["The desk lacks the Sealbridge page script.", "Tell the support."]],
  "network-failed": [["连接不上业务厅，没有提交。", "请检查网络后重试。"], ["The desk can not be reached; nothing was submitted.", "Check the network and try again."]],
};

/** A failure with its words: the desk's own, in the shape of the page client's. */
function failure(code, words) {
  const [what, remedy] = ownFailures[code]?.[english ? 1 : 0] ?? [];
  return Object.assign(new Error(code), { code, words: words ?? { what, remedy } });
}

function showFailure(region, error) {
  const { what, remedy } = error?.words ?? { what: say("页面出错，没有提交。", "Something went wrong in the page; nothing was submitted."), remedy: say("请刷新页面后重试。", "Reload the page and try again.") };
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

async function post(path, fields) {
  let response;
  try {
    response = await fetch(path, { method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams(fields) });
  } catch {
    throw failure("network-failed");
  }
  const answer = await response.json().catch(() => null);
  if (answer === null) throw failure("network-failed");
  if (!response.ok) throw failure(answer.code, answer.words?.[english ? "en" : "zh-CN"]);
  return answer;
}

let connected = null;
function sealbridge() {
  const path = document.querySelector('meta[name="sealbridge-client"]')?.content ?? "";
  connected ??= (path === "" ? Promise.reject() : import(path))
    .catch(() => {
      throw failure("client-missing");
    })
    .then((client) => client.connect());
  connected.catch(() => {
    connected = null;
  });
  return connected;
}

/** Shows one case of the guide; the words are in the page. */
async function showStatus(guide) {
  const show = (name) => {
    guide.dataset.state = name;
    for (const part of guide.querySelectorAll("[data-case]")) part.hidden = part.dataset.case !== name;
  };
  const failed = (error) => {
    if (["extension-missing", "extension-not-enabled", "host-missing", "client-missing"].includes(error?.code)) return show(error.code);
    if (error?.code === "token-missing") return show("no-token");
    showFailure(document.getElementById("sealbridge-problem"), error);
    show("other");
  };
  try {
    const status = await (await sealbridge()).status();
    if (status.missing?.length > 0) return failed(status.missing[0]);
    const certificates = (status.tokens ?? []).reduce((sum, token) => sum + token.certificates, 0);
    document.getElementById("sealbridge-token").textContent = say(`检测到 ${status.tokens?.length ?? 0} 个 USB Key，${certificates} 张可用证书。`, `${status.tokens?.length ?? 0} USB key(s), ${certificates} usable certificate(s).`);
    show("ready");
  } catch (error) {
    failed(error);
  }
}

const phases = {
  consent: say("请在印桥窗口中核对业务编号并确认…", "Check the number and confirm in the Sealbridge window…"),
  pin: say("请在印桥窗口中输入 USB Key 的密码（PIN）…", "Enter the PIN of the USB key in the Sealbridge window…"),
  signing: say("正在签名，请不要拔出 USB Key…", "Signing; leave the USB key in…"),
};

for (const form of document.querySelectorAll("form[data-sign]")) {
  const token = form.elements.keySignature;
  const region = document.getElementById("sign-status");
  const tell = (text) => {
    region.dataset.state = "working";
    region.textContent = text;
  };
  const csrf = form.elements.csrf.value;
  // Saved, asked for, signed: what is sent in then is what was signed.
  const sign = async () => {
    tell(say("正在连接印桥…", "Connecting to Sealbridge…"));
    const client = await sealbridge();
    await post(form.dataset.save, new FormData(form));
    const { nonce, account } = await post(form.dataset.sign, { csrf });
    const signed = await client.bind({ account, challenge: nonce }, { onPhase: (phase) => tell(phases[phase] ?? "") });
    token.value = signed.token;
  };
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const unchecked = form.elements.checked?.checked === false;
    // Saved only, signed already, or not looked over yet, which the desk tells.
    if (button?.hasAttribute("formaction") || token.value !== "" || unchecked) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (region.dataset.state === "working") return;
    sign().then(
      () => form.requestSubmit(button),
      (error) => {
        region.dataset.state = "failed";
        // The desk shows what is missing where it is missing.
        if (error?.code === "fields-missing") HTMLFormElement.prototype.submit.call(form);
        else showFailure(region, error);
      },
    );
  });
  // What is typed afterwards was not signed.
  form.addEventListener("input", () => {
    token.value = "";
  });
}
const guide = document.getElementById("sealbridge-status");
if (guide !== null) showStatus(guide);

// ---- buttons ----------------------------------------------------------------------------------------------------

for (const form of document.querySelectorAll("form[method=post]:not(.upload)")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent === "yes") event.preventDefault();
    form.dataset.sent = "yes";
  });
}
// Back from the next page: the buttons work again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// On a phone the line of steps is longer than the window.
document.querySelector(".steps [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// What is wrong comes into view; a reader that reads aloud hears it first.
document.querySelector("[aria-invalid=true]")?.focus();
document.getElementById("print")?.addEventListener("click", () => print());
