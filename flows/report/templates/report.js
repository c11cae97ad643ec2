// Sorts, searches, filters and saves the account table. Sends nothing, keeps nothing.
(() => {
  "use strict";
  const section = document.getElementById("account-table");
  const body = document.getElementById("rows");
  if (!section || !body) return;
  const compare = section.dataset.compare === "yes";
  const known = (name) => !section.dataset.empty.split(" ").includes(name);
  const DASH = "\u2013", SPACE = "\u00a0", STEP = 100;
  const words = JSON.parse(section.dataset.words);
  const say = (key, fields = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);
  const said = (table, code) => words[table + "." + code];
  const accounts = (n) => (n === 1 ? say("count.account.one", { n: "1" }) : say("count.account.other", { n: whole.format(n) }));
  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const fixed = (n) => new Intl.NumberFormat("en-US", { minimumFractionDigits: n, maximumFractionDigits: n });
  const one = fixed(1), two = fixed(2);
  const three = fixed(3);
  const rate = { format: (v) => (v >= 99.95 ? whole : v >= 0.095 || v === 0 ? one : v >= 0.01 ? two : three).format(v) };
  const count = (v) => (v === null ? DASH : whole.format(v));
  const part = (v, f) => (v === null ? DASH : f.format(v * 100) + SPACE + "%");
  const points = (v) => {
    if (v === null) return DASH;
    const text = two.format(Math.abs(v * 100));
    return (v * 100 <= -0.005 ? "\u2212" : "+") + text;
  };
  const date = (v) => new Date(v + "T00:00:00Z").toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).replaceAll(" ", SPACE);
  const byId = (id) => document.getElementById(id);
  const query = byId("q"), tier = byId("tier"), state = byId("state"), source = byId("source"), more = byId("more"), shown = byId("shown");
  let data = null, all = [], found = [], limit = STEP, key = "rank", up = true, largest = 1;

  const heads = [...section.querySelectorAll("thead th")].map((head) => head.textContent); // named beside each value on a phone
  const cell = (row, text, kind) => {
    const td = document.createElement("td");
    if (kind) td.className = kind;
    td.textContent = text;
    row.append(td);
    return td;
  };
  const small = (parent, text) => {
    const el = document.createElement("small");
    el.textContent = text;
    parent.append(" ", el);
  };
  const ranged = (row, value, low, high, format) => {
    const td = cell(row, value === null ? DASH : format.format(value), "n");
    const ends = [low, high].map((v) => (v === null ? DASH : format.format(v)));
    if (value !== null && high - low > 0.1 * value && ends[0] !== ends[1]) small(td, say("range.to", { low: ends[0], high: ends[1] }));
  };
  const bar = (share) => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg"), rect = document.createElementNS(ns, "rect");
    for (const [k, v] of [["class", "bar"], ["viewBox", "0 0 100 8"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) svg.setAttribute(k, v);
    rect.setAttribute("width", (100 * share / largest).toFixed(1));
    rect.setAttribute("height", "8");
    svg.append(rect);
    return svg;
  };
  const draw = (i) => {
    const d = (name) => data[name][i];
    const row = document.createElement("tr");
    if (d("source") === "imputed") row.className = "imputed";
    cell(row, count(d("rank")), "n rank");
    const name = document.createElement("th");
    name.scope = "row"; name.className = "name"; name.textContent = d("name");
    if (d("domain") && d("domain") !== d("name")) small(name, d("domain"));
    row.append(name);
    if (known("tier")) cell(row, d("tier") === null ? DASH : d("tier"));
    if (known("members")) cell(row, count(d("members")), "n");
    ranged(row, d("impressions"), d("impressions_low"), d("impressions_high"), whole);
    const share = cell(row, " " + part(d("share"), two), "n share");
    share.prepend(bar(d("share")));
    cell(row, one.format(d("times_even")) + "×", "n");
    if (known("per_member")) ranged(row, d("per_member"), d("per_member_low"), d("per_member_high"), rate);
    if (known("cap_use")) cell(row, part(d("cap_use"), whole), d("cap_use") > 1 ? "n over" : "n");
    if (known("band")) cell(row, d("band") === null ? say("account.no_band") : say("account.band", { n: d("band") }));
    if (compare) { cell(row, count(d("rank_before")), "n"); cell(row, points(d("share_change")), "n"); }
    const now = cell(row, said("account.state", d("state")) || d("state").replaceAll("_", " "));
    if (d("since")) small(now, say("account.since", { day: date(d("since")) }));
    cell(row, said("account.source", d("source")) || d("source"));
    for (const [i, td] of [...row.children].entries()) if (td.tagName === "TD") td.dataset.label = heads[i];
    return row;
  };
  const paint = () => {
    body.replaceChildren();
    grow(0);
    const total = accounts(all.length);
    shown.textContent = found.length === all.length ? total : say("account_table.found", { n: whole.format(found.length), accounts: total });
    if (!found.length) {
      const row = document.createElement("tr"), td = cell(row, say("account_table.nothing"));
      td.colSpan = 14;
      body.append(row);
    }
  };
  const grow = (from) => {
    body.append(...found.slice(from, limit).map(draw));
    more.hidden = found.length <= limit;
    more.textContent = say("account_table.more", { n: whole.format(Math.min(STEP, found.length - limit)) });
  };
  const order = () => {
    const values = data[key], sign = up ? 1 : -1;
    const text = new Intl.Collator("en"); // without options: several times as fast
    found.sort((a, b) => {
      const x = values[a], y = values[b];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return (sign * (typeof x === "string" ? text.compare(x, y) : x - y)) || a - b;
    });
  };
  const filter = () => {
    const wanted = query.value.trim().toLowerCase();
    found = all.filter((i) =>
      (!wanted || data.name[i].toLowerCase().includes(wanted) || (data.domain[i] || "").toLowerCase().includes(wanted)) &&
      (!tier.value || String(data.tier[i]) === tier.value) &&
      (!state.value || data.state[i] === state.value) &&
      (!source.value || data.source[i] === source.value));
    limit = STEP;
    order();
    paint();
  };
  const options = (select, values, name) => {
    for (const v of [...new Set(values)].filter((v) => v !== null).sort()) {
      const option = document.createElement("option");
      option.value = v; option.textContent = name(v);
      select.append(option);
    }
  };
  const quote = (v) => {
    if (v === null) return "";
    const text = typeof v === "string" && /^[=+\-@\t\r]/.test(v) ? "'" + v : String(v);
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const save = (kind) => {
    const names = Object.keys(data);
    const lines = () => [names.join(","), ...all.map((i) => names.map((n) => quote(data[n][i])).join(","))].join("\r\n") + "\r\n";
    const rows = () => JSON.stringify(all.map((i) => Object.fromEntries(names.map((n) => [n, data[n][i]]))));
    const blob = kind === "csv" ? new Blob([lines()], { type: "text/csv" }) : new Blob([rows()], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "accounts." + kind;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const start = (columns) => {
    data = columns;
    all = data.rank.map((_, i) => i);
    found = [...all];
    largest = data.share.reduce((a, b) => Math.max(a, b), 0) || 1;
    options(tier, data.tier, (v) => say("account.tier", { n: v }));
    options(state, data.state, (v) => said("account.state", v) || v);
    for (const head of section.querySelectorAll("th[data-key]")) {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const first = !["impressions", "share", "times_even", "per_member", "cap_use", "members", "share_change"].includes(head.dataset.key);
        up = key === head.dataset.key ? !up : first;
        key = head.dataset.key;
        for (const other of section.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        order();
        paint();
      });
    }
    let waiting = 0;
    query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
    for (const select of [tier, state, source]) select.addEventListener("change", filter);
    more.addEventListener("click", () => { limit += STEP; grow(limit - STEP); });
    byId("tools").addEventListener("submit", (event) => event.preventDefault());
    byId("tools").hidden = false;
    paint();
  };
  for (const button of section.querySelectorAll("[data-save]")) button.addEventListener("click", () => save(button.dataset.save));
  for (const button of section.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  window.addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
  const inside = byId("account-data");
  if (inside) start(JSON.parse(inside.textContent));
  else if (section.dataset.src) fetch(section.dataset.src, { credentials: "same-origin" }).then((r) => (r.ok ? r.json() : null)).then((d) => { if (d) start(d); });
})();
