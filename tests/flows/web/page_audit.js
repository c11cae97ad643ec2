// What a screen reader and weak eyes need; runs in the page and returns complaints.
() => {
  const faults = [];
  const visible = (e) => e.getClientRects().length > 0;
  const named = (e) => (e.getAttribute("aria-label") || e.textContent || e.value || "").trim()
    || (e.getAttribute("aria-labelledby") || "").split(" ").map((i) => document.getElementById(i)?.textContent || "").join("").trim();
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (visible(e) && !e.labels.length && !e.getAttribute("aria-label") && !named(e)) faults.push("no label: " + e.outerHTML);
  for (const e of document.querySelectorAll("a, button")) if (visible(e) && !named(e)) faults.push("no name: " + e.outerHTML);
  if (!document.documentElement.lang) faults.push("no language");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not exactly one h1");
  if (document.querySelectorAll("main").length !== 1) faults.push("not exactly one main");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id twice: " + id);
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-describedby]"))
    for (const id of (e.getAttribute("aria-labelledby") || e.getAttribute("aria-describedby")).split(" "))
      if (!document.getElementById(id)) faults.push("points nowhere: " + id);
  for (const e of document.querySelectorAll("svg[role=img]")) if (!e.querySelector("title")) faults.push("chart without title");
  for (const e of document.querySelectorAll("th")) if (!e.scope) faults.push("th without scope: " + e.outerHTML);
  let level = 1;
  for (const e of document.querySelectorAll("h1, h2, h3, h4")) {
    const here = Number(e.tagName[1]);
    if (here > level + 1) faults.push("heading skips a level: " + e.textContent);
    level = here;
  }
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parts = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 || m[3] === 1 ? m.slice(0, 3) : null; };
  const ground = (e) => { for (let x = e; x; x = x.parentElement) { const c = getComputedStyle(x).backgroundColor, p = parts(c); if (p && c !== "rgba(0, 0, 0, 0)") return p; } return [255, 255, 255]; };
  for (const e of document.querySelectorAll("main *, header *")) {
    if (e.closest("svg") || !visible(e) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || e.disabled) continue;
    const style = getComputedStyle(e), ink = parts(style.color);
    if (!ink || e.closest(".hidden, .skip, option")) continue;
    const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) faults.push("contrast " + ratio.toFixed(2) + ": " + e.outerHTML.slice(0, 120));
  }
  return faults;
}
