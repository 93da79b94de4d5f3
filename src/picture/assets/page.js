// Steps through the rows of the page's data. Texts go in as texts: nothing of the data becomes markup.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const id = (name) => document.getElementById(name);
  const last = data.classes.length - 1;
  // Inside of another page (the playground) that page has the text, and says and is told where the reader is.
  const isInside = window.parent !== window;
  if (isInside) document.documentElement.classList.add("inside");
  if (last < 0) return;
  const story = [...id("story").children];
  const ticks = [...document.querySelectorAll(".strip i")];
  const phases = [...document.querySelectorAll(".phases button")];
  const phaseRows = phases.map((button) => Number(button.dataset.row));
  const brokenRows = [];
  data.classes.forEach((name, row) => { if (name.includes("broken")) brokenRows.push(row); });

  // What every object and arrow looks like in every row: changes, added up once.
  const states = data.sides.map((side) => {
    let objects = data.objects.map(() => -1), arrows = [];
    return side.rows.map((row) => {
      objects = objects.slice();
      arrows = arrows.slice();
      for (const [object, look] of row.o) objects[object] = look;
      for (const [arrow, look] of row.a) arrows[arrow] = look;
      return { objects, arrows };
    });
  });

  const fate = (look) => look
    ? look[0].split(" ").filter((word) => !["changed", "about", "bad", "plain"].includes(word)).join(" ") +
      "/" + (look[1].split(" ")[1] || "")
    : "/";
  const part = (element, name, text) => {
    const found = element.querySelector("." + name);
    if (found) found.textContent = text;
  };
  const fill = (list, lines) => {
    list.replaceChildren(...(lines || []).map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
  };
  const words = (object, look) => {
    const held = look[4] ? "held by " + look[4] : "";
    return [data.objects[object][1], look[1], held, look[3]].filter((word) => word).join(", ");
  };

  let now = -1, lit = [];
  function show(row) {
    row = Math.max(0, Math.min(last, row));
    if (row === now) return;
    data.sides.forEach((side, s) => {
      const own = side.rows[row], state = states[s][row], figure = id("s" + s);
      part(figure, "inside", own.i || "");
      part(figure, "title", own.t === undefined ? "nothing like that happens here" : own.t);
      fill(figure.querySelector(".words"), own.w);
      fill(figure.querySelector("figcaption .broken"), own.b);
      fill(figure.querySelector(".changes ul"), own.c);
      const table = figure.querySelector(".words-of-it table"), lines = [];
      state.objects.forEach((number, object) => {
        const element = id("s" + s + "-o" + object), look = side.objects[number];
        const there = look && look[0];
        let name = there ? "object on " + look[0] : "object";
        if (there && data.sides.length > 1) {
          const other = data.sides[1 - s].objects[states[1 - s][row].objects[object]];
          if (fate(other) !== fate(look)) name += " differs";
        }
        element.setAttribute("class", name);
        part(element, "refs", there ? look[1] : "");
        part(element, "held", there ? look[2] : "");
        part(element, "state", there ? look[3] : "");
        if (!there) return;
        element.setAttribute("aria-label", data.objects[object][0] + ", " + words(object, look));
        const line = document.createElement("tr"), head = document.createElement("th");
        const cell = document.createElement("td");
        head.textContent = data.objects[object][0];
        cell.textContent = words(object, look);
        line.append(head, cell);
        lines.push(line);
      });
      table.replaceChildren(...lines);
      state.arrows.forEach((number, arrow) => {
        const element = id("s" + s + "-a" + arrow), look = side.arrows[number];
        const there = look && look[0];
        element.setAttribute("class", there ? "arrow on " + look[0] : "arrow");
        element.querySelector("text").textContent = there ? look[1] : "";
        if (there) element.querySelector("path").setAttribute("marker-end", "url(#s" + s + "-" + look[2] + ")");
      });
    });
    lit.forEach((line) => line.classList.remove("lit", "run"));
    lit = [];
    const source = data.sides.map((side) => side.rows[row]).find((own) => own.t !== undefined) || {};
    const light = (number, name) => {
      const line = id("l" + number);
      if (!line) return null;
      line.classList.add(name);
      lit.push(line);
      return line;
    };
    let target = source.l ? light(source.l, "lit") : null;
    if (source.s) {
      for (let number = source.s[1]; number >= source.s[0]; number -= 1) target = light(number, "run") || target;
    }
    // Only the text moves, not the page.
    const box = document.querySelector(".source");
    if (target && box) {
      const from = target.offsetTop - box.offsetTop;
      if (from < box.scrollTop || from > box.scrollTop + box.clientHeight - 40) box.scrollTop = from - 60;
    }
    for (const list of [story, ticks, phases]) {
      list.forEach((item) => item.classList.toggle("now", Number(item.dataset.row) === row));
    }
    id("slider").value = String(row);
    id("slider").setAttribute("aria-valuetext", source.t || "");
    id("position").textContent = row + 1 + " / " + (last + 1);
    document.body.dataset.row = String(row);
    now = row;
    if (isInside) window.parent.postMessage({ row, line: source.l || 0, script: source.s || null }, "*");
  }

  const before = (rows) => rows.filter((row) => row < now).pop();
  const after = (rows) => rows.find((row) => row > now);
  const keys = {
    ArrowLeft: () => now - 1,
    ArrowRight: () => now + 1,
    PageUp: () => before(phaseRows),
    PageDown: () => after(phaseRows),
    Home: () => 0,
    End: () => last,
    b: () => after(brokenRows) ?? brokenRows[0],
    d: () => data.difference ?? undefined,
  };
  function press(key) {
    const row = keys[key]();
    if (row !== undefined) show(row);
  }
  document.addEventListener("keydown", (event) => {
    const of = Object.hasOwn(keys, event.key) && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!of) return;
    event.preventDefault();
    press(event.key);
  });
  window.addEventListener("message", ({ source, data: told }) => {
    if (!isInside || source !== window.parent || !told) return;
    if (Number.isInteger(told.row)) show(told.row);
    if (typeof told.key === "string" && Object.hasOwn(keys, told.key)) press(told.key);
  });
  id("slider").addEventListener("input", (event) => show(Number(event.target.value)));
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-key],[data-row]");
    if (!target || target === document.body) return;
    if (target.dataset.key) press(target.dataset.key);
    else show(Number(target.dataset.row));
  });
  id("to-broken").hidden = brokenRows.length === 0;
  id("to-difference").hidden = data.difference === null;
  document.documentElement.classList.add("js");
  document.querySelectorAll(".bar,.strips,.phases").forEach((element) => { element.hidden = false; });
  lit = [...document.querySelectorAll(".source .lit,.source .run")];
  show(data.start);
  if (isInside) {
    const tell = () => window.parent.postMessage({ height: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
    new ResizeObserver(tell).observe(document.body);
  }
})();
