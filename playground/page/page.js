// The page. Texts of scenarios, links and answers go in as texts: nothing of them becomes markup.
const id = (name) => document.getElementById(name);
const make = (tag, content, properties = {}) => {
  const element = Object.assign(document.createElement(tag), properties);
  if (content !== undefined) element.append(...[content].flat());
  return element;
};
const clipped = (text, most = 200) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);
const short = (name) => name.replace(/^cpython-/, "");
const page = (window.playground = { times: {} });

const EMPTY = "coroner 1\n\n";
const FOUNDING = "C01c-bpo-38006-smallest";
// What answers each key press; what takes longer than that; searches and reductions.
let about = null, quick = null, slow = null, long = null, examples = new Map();
let variants = [], first = "", second = "", wantedRow = null, shownRow = null, expected = null;
let rows = [], body = null, isDirty = false, isRunning = false, shown = 0, later = 0;
const field = id("text");

// The text.

function setText(text) {
  if (text === field.value) return;
  // So that undo brings back what was there.
  field.focus({ preventScroll: true });
  field.select();
  if (!document.execCommand("insertText", false, text)) field.value = text;
  field.setSelectionRange(0, 0);
  field.scrollTop = 0;
  changed();
}

let lit = { errors: [], step: null };
function gutter() {
  const count = field.value.split("\n").length;
  const marks = id("gutter");
  while (marks.children.length > count) marks.lastChild.remove();
  while (marks.children.length < count) marks.append(make("div", String(marks.children.length + 1)));
  const bands = [];
  for (const line of marks.children) line.className = "";
  const mark = (line, name) => {
    const at = marks.children[line - 1];
    if (!at) return;
    at.classList.add(name);
    const band = make("div", undefined, { className: name });
    band.style.top = at.offsetTop + "px";
    bands.push(band);
  };
  if (lit.step) {
    if (lit.step.script) for (let line = lit.step.script[0]; line <= lit.step.script[1]; line += 1) mark(line, "run");
    mark(lit.step.line, "lit");
  }
  lit.errors.forEach((line) => mark(line, "wrong"));
  id("bands").replaceChildren(...bands);
  scrolled();
}
function scrolled() {
  id("gutter").style.transform = "translateY(" + -field.scrollTop + "px)";
  id("bands").style.transform = "translateY(" + -field.scrollTop + "px)";
}

function say(text, isError) {
  const message = id("message");
  message.textContent = text;
  message.className = isError ? "error" : "";
}
function notice(text) {
  id("notice").textContent = text;
  id("notice").hidden = !text;
}

// The matrix.

function changed() {
  isDirty = true;
  if (examples.get(id("example").value) !== field.value) id("example").value = "";
  lit.step = null;
  slow?.drop();
  run();
}

async function run() {
  if (isRunning || !quick) return;
  isRunning = true;
  while (isDirty) {
    isDirty = false;
    const started = performance.now();
    const text = field.value;
    let check, answer;
    try {
      check = await quick.ask({ do: "check", text });
      if (!check.body) {
        refused(check);
        continue;
      }
      answer = await quick.ask({ do: "rows", text, variants });
    } catch (error) {
      say(error.message, true);
      stale();
      continue;
    }
    if (answer.error) {
      say(answer.error, true);
      stale();
      continue;
    }
    body = check.body;
    lit.errors = check.diagnostics.map((d) => d.line);
    say(check.diagnostics.map((d) => d.rendered).join("\n\n"), false);
    gutter();
    rows = answer.rows;
    // A variant has the name of the row that covers it.
    variants = rows.slice(about.rows.length).map((row) => row.name);
    draw();
    compareWithLink();
    page.times.rows = performance.now() - started;
    page.times.first ??= performance.now() - page.times.start;
    page.answers = (page.answers || 0) + 1;
    clearTimeout(later);
    later = setTimeout(settle, 200);
  }
  isRunning = false;
}

// What takes longer than a key press: invariants that need several runs, the picture, the address.
async function settle() {
  const text = field.value;
  address();
  explain();
  try {
    const closely = await slow.ask({ do: "rows", text, variants, closely: true });
    if (closely.rows && text === field.value && closely.rows.length === rows.length) {
      rows = closely.rows;
      draw();
    }
  } catch (error) {
    if (error.message !== DROPPED) say(error.message, true);
  }
}

function refused(answer) {
  lit.errors = answer.diagnostics.map((d) => d.line);
  say(answer.diagnostics.map((d) => d.rendered).join("\n\n"), true);
  gutter();
  stale();
}
function stale() {
  body = null;
  id("matrix").classList.add("stale");
  id("summary").replaceChildren("the outcomes below are those of the last text that could be run");
}

const words = (v) => v.code + " " + v.class + (v.known ? ", known" : "") + (v.times > 1 ? " \u00d7" + v.times : "");
function groups() {
  const found = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row.digest, row.violations, row.undefined]);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(row);
  }
  return [...found.values()];
}

function draw() {
  const focused = document.activeElement?.dataset?.collector;
  if (!rows.some((row) => row.name === first)) first = chosen();
  if (second && (second === first || !rows.some((row) => row.name === second))) second = "";
  const lines = groups().map((group) => {
    const chips = group.map((row) => {
      const isVariant = !about.rows.some((one) => one.name === row.name);
      const chip = make("button", short(row.name), { className: "chip" });
      chip.dataset.collector = row.name;
      chip.title = row.name + (row.covers ? ": " + row.covers : "") + (row.verified ? "" : " (unverified)");
      if (row.name === first) chip.classList.add("first");
      if (row.name === second) chip.classList.add("second");
      chip.setAttribute("aria-pressed", String(row.name === first || row.name === second));
      if (!row.verified) chip.classList.add("unverified");
      if (!isVariant) return chip;
      const away = make("button", "\u00d7", { className: "away", title: "take away " + row.name });
      away.setAttribute("aria-label", "take away " + row.name);
      away.dataset.away = row.name;
      return make("span", [chip, away], { className: "variant" });
    });
    const one = group[0];
    const marks = one.violations.map((v) => {
      const mark = make("li", words(v), { className: v.class + (v.known ? " known" : "") });
      const meant = about.invariants.find((invariant) => invariant.code === v.code);
      if (meant) mark.title = meant.name + ": " + meant.statement;
      return mark;
    });
    if (one.undefined) marks.unshift(make("li", "undefined behaviour: " + one.undefined, { className: "undefined" }));
    const none = marks.length ? "" : "holds";
    const facts = one.facts.map((fact) => make("li", fact));
    return make("tr", [
      make("th", chips, { scope: "row" }),
      make("td", [none, make("ul", marks)], { className: none }),
      make("td", make("ul", facts, { className: "facts" })),
      make("td", make("code", one.digest.slice(0, 8), { title: one.digest })),
    ]);
  });
  id("matrix").tBodies[0].replaceChildren(...lines);
  id("matrix").classList.remove("stale");
  if (focused) document.querySelector('[data-collector="' + CSS.escape(focused) + '"]')?.focus({ preventScroll: true });
  summary();
  choices();
}

// The row that is explained if nobody chose one: the newest on which a collector is to blame, or the newest.
function chosen() {
  const broken = rows.filter((row) => row.violations.some((v) => v.class === "collector"));
  return (broken.length ? broken : rows.slice(0, about.rows.length)).at(-1).name;
}

// Neighbours as from and to.
function spans(names) {
  const order = rows.map((row) => row.name), parts = [];
  for (const name of names) {
    const last = parts.at(-1);
    if (last && order.indexOf(name) === order.indexOf(last.at(-1)) + 1 && order.indexOf(name) < about.rows.length) last.push(name);
    else parts.push([name]);
  }
  return parts.map((part) => (part.length > 1 ? short(part[0]) + " to " + short(part.at(-1)) : short(part[0]))).join(", ");
}

function summary() {
  const codes = new Map();
  for (const row of rows) {
    for (const v of row.violations.filter((v) => v.class === "collector")) {
      if (!codes.has(v.code)) codes.set(v.code, []);
      if (!codes.get(v.code).includes(row.name)) codes.get(v.code).push(row.name);
    }
  }
  const dead = rows.filter((row) => row.undefined).map((row) => row.name);
  const lines = [...codes].map(([code, names]) => {
    const { name, statement } = about.invariants.find((invariant) => invariant.code === code);
    const held = rows.filter((row) => !names.includes(row.name)).map((row) => row.name);
    return make("p", [
      make("b", code + " " + name), ": " + statement + " ",
      make("b", "Broken by the collector of " + spans(names) + ".", { className: "bad" }),
      held.length ? " Not by " + spans(held) + "." : "",
    ]);
  });
  if (dead.length) lines.push(make("p", "The run ends in undefined behaviour on " + spans(dead) + ": the process may die."));
  const count = groups().length;
  if (!codes.size) lines.push(make("p", "No collector breaks anything that it promised."));
  lines.push(make("p", count === 1 ? "All releases do the same." : "There are " + count + " different outcomes.", { className: "hint" }));
  id("summary").replaceChildren(...lines);
}

function fill(select, options, value) {
  const wanted = value ?? select.value;
  const key = JSON.stringify(options);
  if (select.dataset.key !== key) {
    select.replaceChildren(...options.map(([name, text]) => make("option", text, { value: name })));
    select.dataset.key = key;
  }
  if (options.some(([name]) => name === wanted)) select.value = wanted;
}

function choices() {
  const all = rows.map((row) => [row.name, short(row.name)]);
  fill(id("first"), all, first);
  fill(id("second"), [["", "nothing"], ...all.filter(([name]) => name !== first)], second);
  fill(id("find-row"), all);
  const violations = rows.find((row) => row.name === first)?.violations ?? [];
  const codes = [...new Set(violations.map((v) => v.code))];
  fill(id("small-invariant"), [["", "the primary violation"], ...codes.map((code) => [code, code])]);
  id("small").querySelector("button").disabled = codes.length === 0;
}

// Why.

async function explain() {
  const asked = { do: "explain", text: field.value, collector: first };
  if (second) asked.against = second;
  const number = (shown += 1);
  let answer;
  try {
    answer = await slow.ask(asked);
  } catch (error) {
    if (number === shown && error.message !== DROPPED) say(error.message, true);
    return;
  }
  if (number !== shown || !answer.page) return;
  id("words").textContent = answer.text;
  const isBeside = answer.against !== null;
  const head = "What programs notice of " + short(second) + " that " + short(first) + " does otherwise:";
  const lines = answer.differences.slice(0, 12).map((d) =>
    make("li", d.what + ": on " + short(first) + " " + clipped(d.first) + "; on " + short(second) + " " + clipped(d.second)));
  const none = "No program notices a difference between " + short(first) + " and " + short(second) + ".";
  id("differences").replaceChildren(...(isBeside ? [make("p", lines.length ? head : none), make("ul", lines)] : []));
  const frame = id("picture");
  frame.srcdoc = answer.page;
  frame.hidden = false;
  page.pictures = (page.pictures || 0) + 1;
}

// The picture is a page of its own, without access to this one: it says at which row it is, and is told keys.
window.addEventListener("message", ({ source, data }) => {
  const frame = id("picture");
  if (source !== frame.contentWindow || typeof data !== "object" || data === null) return;
  if (Number.isInteger(data.height)) frame.style.height = Math.min(Math.max(data.height, 200), 4000) + "px";
  if (!Number.isInteger(data.row)) return;
  if (wantedRow !== null) {
    const row = wantedRow;
    wantedRow = null;
    if (row !== data.row) {
      source.postMessage({ row }, "*");
      return;
    }
  }
  shownRow = data.row;
  page.row = data.row;
  const script = Array.isArray(data.script) && data.script.every(Number.isInteger) ? data.script : null;
  lit.step = Number.isInteger(data.line) ? { line: data.line, script } : null;
  gutter();
  clearTimeout(page.addressing);
  page.addressing = setTimeout(address, 300);
});

const STEPS = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", "b", "d"];
document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "Escape" && target === field) {
    id("why-title").focus();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || target.closest("textarea,input,select,dialog,pre,.scroll > table input")) return;
  if (key === "c" && target.dataset.collector) {
    choose(target.dataset.collector, true);
  } else if (STEPS.includes(key) && !id("picture").hidden) {
    event.preventDefault();
    id("picture").contentWindow.postMessage({ key }, "*");
  }
});

function choose(name, isSecond) {
  if (isSecond) second = second === name ? "" : name;
  else {
    if (second === name) second = first;
    first = name;
  }
  draw();
  explain();
}

id("matrix").addEventListener("click", ({ target, shiftKey }) => {
  if (target.dataset.collector) choose(target.dataset.collector, shiftKey);
  if (target.dataset.away) {
    variants = variants.filter((name) => name !== target.dataset.away);
    changed();
  }
});
id("first").addEventListener("change", (event) => choose(event.target.value, false));
id("second").addEventListener("change", (event) => {
  second = event.target.value;
  draw();
  explain();
});

// Variants.

function variantName() {
  const row = id("variant-row").value, name = id("variant-switch").value;
  const choice = about.switches.find((one) => one.name === name);
  return row + (choice.on.includes(row) ? "-" : "+") + name;
}
function variantMeaning() {
  const name = id("variant-switch").value, choice = about.switches.find((one) => one.name === name);
  if (!choice) return;
  const isOn = choice.on.includes(id("variant-row").value);
  const kind = choice.bug ? "a planted bug, in no release" : "a rule of releases";
  id("variant-meaning").textContent =
    choice.meaning + " (" + kind + ": " + choice.source + ") " + (isOn ? "Now on: it is taken away." : "Now off: it is added.");
}
id("variant").addEventListener("change", variantMeaning);
id("variant").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = variantName();
  if (!variants.includes(name)) variants.push(name);
  const row = id("variant-row").value;
  [first, second] = [row, name];
  changed();
});

// Finding and making small.

function working(isWorking, text) {
  id("stop").hidden = !isWorking;
  id("find").querySelector("button").disabled = isWorking;
  id("small").querySelector("button").disabled = isWorking;
  id("work").textContent = text;
}
let isStopped = false;
id("stop").addEventListener("click", () => {
  isStopped = true;
  long.stop();
});

id("find").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [invariant, collector, profile] = ["invariant", "row", "profile"].map((name) => id("find-" + name).value);
  const seed = id("find-seed").value.trim(), classWord = id("find-class").value;
  const wanted = { do: "find", invariant, collector, profile, seed, count: 500 };
  if (classWord) wanted.class = classWord;
  const start = Number(id("find-from").value) || 0, started = performance.now();
  let from = start;
  const where = "seed " + seed + ", profile " + profile + ", " + short(collector);
  isStopped = false;
  working(true, "searching: " + where);
  const speed = () => Math.round(((from - start) / Math.max(performance.now() - started, 1)) * 1000);
  try {
    for (;;) {
      const asked = performance.now();
      const answer = await long.ask({ ...wanted, from });
      if (answer.error) throw new Error(answer.error);
      from = answer.next;
      page.times.find = speed();
      if (answer.found) {
        working(false, "found: scenario " + answer.number + " of " + where + " (" + speed().toLocaleString("en") + " scenarios/s)");
        id("find-from").value = String(answer.number + 1);
        first = collector;
        second = "";
        setText(answer.found);
        break;
      }
      if (isStopped) throw new Error("stopped");
      // A fifth of a second at a time: long enough to be fast, short enough to be stopped.
      const took = performance.now() - asked;
      wanted.count = Math.max(50, Math.min(20000, Math.round((wanted.count * 200) / Math.max(took, 1))));
      working(true, "searching: " + from.toLocaleString("en") + " scenarios, " + speed().toLocaleString("en") + "/s (" + where + ")");
    }
  } catch (error) {
    working(false, error.message + " after " + (from - start).toLocaleString("en") + " scenarios (" + where + ", next number " + from + ")");
    id("find-from").value = String(from);
  }
  choices();
});

id("small").addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = { do: "shrink", text: field.value, collector: first, tries: 20000 };
  if (id("small-invariant").value) asked.invariant = id("small-invariant").value;
  const started = performance.now();
  let best = null;
  working(true, "making it small");
  try {
    const answer = await long.ask(asked, (told) => {
      best = told.best ?? best;
      working(true, "making it small: " + told.tries + " tries");
    });
    if (answer.error) throw new Error(answer.error);
    if (!answer.text) throw new Error("the text cannot be run");
    page.times.small = performance.now() - started;
    const end = answer.minimal ? "no reduction makes it smaller" : "the search stopped";
    working(false, answer.objects + " objects, " + answer.operations + " operations, " + answer.tries + " tries: " + end);
    setText(answer.text);
  } catch (error) {
    working(false, error.message + (best ? ": this is the smallest so far" : ""));
    if (best) setText(best);
  }
  choices();
});

// Links and copies.

function state() {
  const state = { v: about.version, c: first };
  if (second) state.a = second;
  if (variants.length) state.n = variants;
  if (shownRow !== null) state.s = shownRow;
  return state;
}
async function address() {
  if (!rows.length || id("matrix").classList.contains("stale")) return;
  const link = await writeLink(state(), field.value, rows.map((row) => row.digest));
  page.link = link;
  try {
    history.replaceState(null, "", link);
  } catch {
    // Where a page may not change its address, links are still copied.
  }
}
async function open(fragment) {
  let link;
  try {
    link = await readLink(fragment);
  } catch (error) {
    notice("This link cannot be read: " + clipped(error.message) + ".");
    return false;
  }
  notice("");
  variants = link.variants;
  [first, second, wantedRow, shownRow] = [link.collector, link.against, link.row, null];
  expected = link;
  field.value = link.text;
  changed();
  return true;
}
function compareWithLink() {
  if (!expected) return;
  const { digests, version } = expected;
  expected = null;
  const other = rows.filter((row, at) => digests[at] && row.digest.slice(0, 8) !== digests[at]).map((row) => row.name);
  const isOther = digests.length > 0 && digests.length !== rows.length;
  if (other.length || isOther) {
    const where = other.length ? " Other outcomes on " + spans(other) + "." : " Other releases are covered.";
    notice("The model has changed since this link was made (by version " + clipped(version, 20) + ", this is " + about.version + ")." + where);
  }
}
window.addEventListener("hashchange", () => {
  if (location.hash && location.hash !== page.link) open(location.hash);
});

async function toClipboard() {
  const box = id("copied-text");
  box.select();
  try {
    await navigator.clipboard.writeText(box.value);
    id("copied-note").textContent = id("copied-note").dataset.note + " Copied.";
  } catch {
    id("copied-note").textContent = id("copied-note").dataset.note + " Copy the marked text.";
  }
}
function show(title, text, note = "") {
  id("copied-title").textContent = title;
  id("copied-note").dataset.note = note;
  id("copied-note").textContent = note;
  id("copied-text").value = text;
  id("with-header").hidden = title !== "link";
  if (!id("copied").open) id("copied").showModal();
  toClipboard();
}
const base = () => (location.protocol === "file:" ? "" : location.href.split("#")[0]);
async function showLink() {
  const text = id("header").checked ? field.value : (body ?? field.value);
  // Rows of the picture are the same with and without header: a header does not run.
  const link = await writeLink(state(), text, body === null ? [] : rows.map((row) => row.digest));
  show("link", base() + link, link.length + " characters" + (base() ? "." : ", to be put behind the address of this page."));
}
id("header").addEventListener("change", showLink);
id("copy-link").addEventListener("click", showLink);
id("copy-scn").addEventListener("click", () => show("scenario", field.value));
id("copy-markdown").addEventListener("click", async () => {
  const answer = await quick.ask({ do: "markdown", text: field.value, variants, collector: first }).catch((error) => ({ error: error.message }));
  const link = base() && body ? "\n[Open in the playground](" + base() + (await writeLink(state(), body, rows.map((row) => row.digest))) + ")\n" : "";
  show("Markdown", answer.markdown ? answer.markdown + link : "", answer.markdown ? "" : answer.error || "The text cannot be run.");
});
id("copy-python").addEventListener("click", async () => {
  const answer = await quick.ask({ do: "python", text: field.value }).catch((error) => ({ error: error.message }));
  const c = answer.c ? "\n# ---- " + answer.module + ".c ----\n" + answer.c.replace(/^/gm, "# ") : "";
  const why = answer.error || (answer.refused ? "Python cannot say this: " + answer.refused.join("; ") : "The text cannot be run.");
  show("Python", answer.script ? answer.script + c : "", answer.script ? answer.notes.join(". ") : why);
});
id("copied-again").addEventListener("click", toClipboard);

// The start.

async function unpacked(name) {
  const bytes = Uint8Array.from(atob(id(name).textContent.trim()), (letter) => letter.charCodeAt(0));
  return through(bytes, new DecompressionStream("gzip"), Infinity);
}

async function start() {
  page.times.start = performance.now();
  const module = await WebAssembly.compile(await unpacked("module"));
  const source = URL.createObjectURL(new Blob([id("worker").textContent], { type: "text/javascript" }));
  quick = new Client(module, source);
  const asked = quick.ask({ do: "about" });
  const packed = new TextDecoder().decode(await unpacked("examples"));
  for (const part of packed.split(/^=== /m).slice(1)) {
    const end = part.indexOf("\n");
    examples.set(part.slice(0, end), part.slice(end + 1));
  }
  slow = new Client(module, source);
  about = await asked;
  page.about = about;
  page.examples = examples;
  id("version").textContent = "coroner " + about.version + ", " + about.rows.length + " releases";
  const bug = (text) => /^(?:bug|same): (.*)$/m.exec(text)?.[1] ?? "";
  const names = [...examples].map(([name, text]) => [name, clipped(name + ": " + bug(text), 70)]);
  fill(id("example"), [["", "\u2026"], ...names]);
  const plain = (list) => list.map((name) => [name, name]);
  fill(id("find-invariant"), about.invariants.map(({ code, name }) => [code, code + " " + name]), "I15");
  fill(id("find-class"), [...plain(about.classes), ["", "any"]], "collector");
  fill(id("find-profile"), plain(about.profiles.map(({ name }) => name)), "default");
  fill(id("find-row"), about.rows.map(({ name }) => [name, short(name)]), "cpython-3.7.6");
  fill(id("variant-row"), about.rows.map(({ name }) => [name, short(name)]), about.rows.at(-1).name);
  const switches = [...about.switches].sort((a, b) => a.bug - b.bug);
  fill(id("variant-switch"), switches.map(({ name, bug }) => [name, bug ? name + " (bug)" : name]), "clear-weakrefs-before-finalizers");
  variantMeaning();
  field.addEventListener("input", changed);
  field.addEventListener("scroll", scrolled);
  if (!location.hash || !(await open(location.hash))) {
    [first, second] = ["cpython-3.7.6", "cpython-3.8.0"];
    field.value = examples.get(FOUNDING) ?? EMPTY;
    id("example").value = FOUNDING;
    changed();
  }
  long = new Client(module, source);
}

id("example").addEventListener("change", ({ target }) => {
  if (!examples.has(target.value)) return;
  [first, second, variants] = ["", "", []];
  notice("");
  setText(examples.get(target.value));
  target.focus();
});
id("why-title").tabIndex = -1;
start().catch((error) => notice("This browser cannot run the model: " + error.message));
