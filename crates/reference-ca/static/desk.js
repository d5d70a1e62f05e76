// What the desk's pages do beyond forms: they save drafts while somebody types, show how far an upload is, and keep a
// button from being pressed twice. Without this script everything still works, with one more click.

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
