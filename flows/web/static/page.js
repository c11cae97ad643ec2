// Small conveniences; every page works without them. Asks only this server.
(() => {
  "use strict";
  document.documentElement.classList.add("script");
  for (const select of document.querySelectorAll("[data-submit]")) select.addEventListener("change", () => select.form.submit());
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent || (form.dataset.confirm && !window.confirm(form.dataset.confirm))) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      const button = form.querySelector("[data-busy]");
      if (button) { button.textContent = button.dataset.busy; button.setAttribute("aria-busy", "true"); }
    });
  }
  window.addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });
  const drop = document.querySelector("[data-drop]");
  if (drop) {
    const input = drop.querySelector("input[type=file]");
    for (const name of ["dragover", "dragenter"]) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (e) => {
      e.preventDefault();
      drop.classList.remove("over");
      if (e.dataTransfer.files.length) input.files = e.dataTransfer.files;
    });
  }
  const hero = document.querySelector("[data-progress]");
  if (hero) {
    const count = new Intl.NumberFormat("en-US"), byId = (id) => document.getElementById(id);
    const ask = async () => {
      let answer = null;
      try { const r = await fetch(hero.dataset.progress, { credentials: "same-origin" }); if (r.ok) answer = await r.json(); } catch { /* the server restarts; ask again */ }
      if (answer) {
        if (byId("stage").textContent !== answer.stage_words) byId("stage").textContent = answer.stage_words;
        byId("done").textContent = count.format(answer.done);
        byId("message").textContent = answer.message;
        byId("bar").max = answer.total || 1; byId("bar").value = answer.done;
        if (byId("left")) byId("left").textContent = byId("left").dataset.text.replace("{seconds}", answer.cancel_seconds);
        if (byId("cancel") && !answer.cancel_seconds) byId("cancel").remove();
        if (!["waiting", "sending", "settling"].includes(answer.stage)) { window.location.reload(); return; }
      }
      setTimeout(ask, 1000);
    };
    setTimeout(ask, 1000);
  }
})();
