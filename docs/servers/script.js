// What a page does beyond showing itself: a cursor that tells values, a window on the time axis shared by all charts,
// lines that can be switched off, and the search among cases. Everything essential is there without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, attributes = {}, ...children) => {
    const space = document.querySelector(name === "text" ? "svg" : "html").namespaceURI;
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Figures for people, as in the rest of the page: three digits and the unit that fits.
  const digits = (value) => value.toFixed(Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))));
  const plain = (value) => String(Number(value.toFixed(3)));
  const count = (value) => Math.round(value).toLocaleString("en-US");
  const short = (value) => (value >= 1000 ? count(value) : plain(Number(digits(value))));
  const bytes = (value) => {
    let unit = 0;
    for (; value >= 999.5 && unit < 4; unit++) value /= 1000;
    return `${short(value)} ${["B", "kB", "MB", "GB", "TB"][unit]}`;
  };
  const micros = (value) => {
    if (value < 999.5) return `${Math.round(value)} µs`;
    if (value < 999500) return `${digits(value / 1000)} ms`;
    return `${digits(value / 1e6)} s`;
  };
  const texts = {
    us: micros,
    count: (value) => (value % 1 ? plain(value) : count(value)),
    rate: (value) => `${short(value)}/s`,
    bytes,
    byterate: (value) => `${bytes(value)}/s`,
    cpu: (value) => value.toFixed(2),
    s: (value) => `${plain(value)} s`,
    nines: (value) => `p${Number((100 * (1 - 10 ** -value)).toFixed(Math.min(9, Math.max(0, Math.ceil(value - 1)))))}`,
  };
  const moment = (seconds, end) => {
    if (end < 1) return `${plain(seconds * 1000)} ms`;
    if (end <= 120) return `${plain(seconds)} s`;
    const tenths = Math.round(seconds * 10);
    const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
    const two = (value) => String(value).padStart(2, "0");
    const rest = `${two(Math.floor(tenths / 10) % 60)}${tenths % 10 ? `.${tenths % 10}` : ""}`;
    return hours || end >= 3600 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
  };
  const ticks = (from, to) => {
    const rough = (to - from) / 6;
    const decade = 10 ** Math.floor(Math.log10(rough));
    const sixties = [2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
    const steps = to > 120 && rough > 1 ? sixties : [1, 2, 5, 10].map((digit) => digit * decade);
    const step = steps.find((step) => step >= rough * 0.999999) ?? rough;
    const found = [];
    for (let tick = Math.ceil(from / step - 1e-9); tick * step <= to * (1 + 1e-9); tick++) found.push(tick * step);
    return found;
  };

  const told = new Map(JSON.parse(document.getElementById("charts").textContent).map((chart) => [chart.id, chart]));
  const charts = all("figure.chart").map((figure) => {
    const frame = figure.querySelector(".frame");
    let x = [];
    const lines = told.get(figure.id).lines.map((line) => ({ name: line.name, x: (x = line.x ?? x), y: line.y, single: line.single }));
    const [from, to] = [Number(frame.dataset.from), Number(frame.dataset.to)];
    const canvas = frame.querySelector(".canvas");
    const cursor = make("div", { class: "cursor", hidden: "" });
    const drag = make("div", { class: "drag", hidden: "" });
    const readout = make("div", { class: "readout", hidden: "" });
    canvas.append(cursor, drag, readout);
    const plot = frame.querySelector(".plot");
    const paths = all("path.line", plot);
    return {
      figure, frame, canvas, plot, lines, from, to, cursor, drag, readout, paths,
      areas: paths.map((path) => (path.previousElementSibling?.matches(".area") ? path.previousElementSibling : null)),
      events: told.get(figure.id).events ?? [], height: Number(plot.getAttribute("height")), shown: [from, to], off: new Set(),
      isTimed: figure.dataset.x === "s", xText: texts[figure.dataset.x], yText: texts[figure.dataset.y],
    };
  });
  const timed = charts.filter((chart) => chart.isTimed);
  const end = Math.max(0, ...timed.map((chart) => chart.to));
  let view = [0, end];

  /** Shows a stretch of the time axis in every chart that has one. */
  const show = (from, to) => {
    const width = Math.min(end, Math.max(to - from, end / 2000));
    const start = Math.min(Math.max(0, from), end - width);
    view = [start, start + width];
    for (const chart of timed) {
      const whole = width >= end;
      chart.shown = whole ? [chart.from, chart.to] : view;
      const scale = 1000 / (chart.to - chart.from);
      chart.plot.setAttribute("viewBox", `${(chart.shown[0] - chart.from) * scale} 0 ${(chart.shown[1] - chart.shown[0]) * scale} ${chart.height}`);
      const place = (at) => ((at - chart.shown[0]) / (chart.shown[1] - chart.shown[0])) * 100;
      chart.frame.querySelector(".abscissa").replaceChildren(...ticks(...chart.shown).map((tick) => {
        const at = place(tick);
        return make("text", { x: `${at}%`, y: 14, "text-anchor": at < 2 ? "start" : at > 96 ? "end" : "middle" }, moment(tick, chart.to));
      }));
      for (const band of all(".bands > svg, .events > svg", chart.frame)) {
        const [left, right] = [band.dataset.from, band.dataset.to].map((at) => Math.min(100, Math.max(0, place(Number(at)))));
        band.setAttribute("x", `${left}%`);
        band.setAttribute("width", `${right - left}%`);
        // The name of a moment stands beside its line, and is gone with it.
        const at = Number(band.dataset.at);
        const isOff = band.closest(".events") ? at < chart.shown[0] || at > chart.shown[1] : right - left < 12;
        band.querySelector("text").classList.toggle("off", isOff);
      }
    }
    point(null);
    for (const label of all(".window")) {
      label.textContent = width >= end ? "" : `${moment(Number(view[0].toFixed(2)), end)} to ${moment(Number(view[1].toFixed(2)), end)}`;
    }
  };
  const zoom = (how) => {
    const [from, to] = view;
    const width = to - from;
    const to_show = {
      in: [from + width / 4, to - width / 4], out: [from - width / 2, to + width / 2],
      left: [from - width / 2, to - width / 2], right: [from + width / 2, to + width / 2], reset: [0, end],
    };
    show(...to_show[how]);
  };
  for (const tools of all(".tools")) {
    tools.hidden = false;
    tools.addEventListener("click", (event) => event.target.dataset.zoom && zoom(event.target.dataset.zoom));
  }

  /** The index of the value nearest to a place. */
  const nearest = (line, at) => {
    let [low, high] = [0, line.x.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (line.x[middle] < at) low = middle; else high = middle;
    }
    return Math.abs(line.x[low] - at) <= Math.abs(line.x[high] - at) ? low : high;
  };
  /** Puts the cursor of `chart`, and of all charts over time if it is one, at a place; `null` takes it away. */
  const point = (chart, at) => {
    for (const other of charts) {
      const here = chart && (other === chart || (other.isTimed && chart.isTimed)) && at >= other.shown[0] && at <= other.shown[1];
      other.cursor.hidden = !here;
      other.readout.hidden = !here || other !== chart;
      if (!here) continue;
      const share = (at - other.shown[0]) / (other.shown[1] - other.shown[0]);
      other.cursor.style.left = `${share * 100}%`;
      if (other === chart) tell(other, at, share);
    }
  };
  const tell = (chart, at, share) => {
    chart.at = at;
    const rows = chart.lines.flatMap((line, index) => {
      if (chart.off.has(index) || !line.x.length) return [];
      const index_of_value = nearest(line, at);
      // A value of its own says nothing of the places between it and the next.
      if (line.single && Math.abs(line.x[index_of_value] - at) > (chart.to - chart.from) / 50) return [];
      const value = line.y[index_of_value];
      const colour = [...chart.paths[index].classList].find((name) => /^c\d$/.test(name));
      return [make("div", {}, make("i", { class: colour }), `${line.name} `, make("b", {}, value === null ? "–" : chart.yText(value)))];
    });
    const first = chart.lines.find((line) => line.x.length);
    const place = first ? first.x[nearest(first, at)] : at;
    // What was done then, or so shortly before or after that nobody can point between.
    const near = (chart.shown[1] - chart.shown[0]) / 100;
    const done = chart.events.filter(([, from, to]) => from - near <= at && at <= to + near);
    const notes = done.map(([name, from]) => make("div", { class: "note" }, `${moment(from, chart.to)} ${name}`));
    chart.readout.replaceChildren(make("div", { class: "quiet" }, chart.isTimed ? `at ${moment(place, chart.to)}` : chart.xText(place)), ...rows, ...notes);
    chart.readout.style.left = share < 0.5 ? `calc(${share * 100}% + 10px)` : "auto";
    chart.readout.style.right = share < 0.5 ? "auto" : `calc(${(1 - share) * 100}% + 10px)`;
  };

  for (const chart of charts) {
    const { canvas, drag, figure } = chart;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return chart.shown[0] + share * (chart.shown[1] - chart.shown[0]);
    };
    const percent = (at) => ((at - chart.shown[0]) / (chart.shown[1] - chart.shown[0])) * 100;
    let begun = null;
    canvas.addEventListener("pointermove", (event) => {
      const at = place(event);
      point(chart, at);
      if (begun === null) return;
      const [left, right] = [Math.min(begun, at), Math.max(begun, at)].map(percent);
      drag.hidden = false;
      drag.style.left = `${left}%`;
      drag.style.width = `${right - left}%`;
    });
    canvas.addEventListener("pointerdown", (event) => {
      if (!chart.isTimed || event.button !== 0 || event.pointerType === "touch") return;
      begun = place(event);
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    canvas.addEventListener("pointerup", (event) => {
      const from = begun;
      begun = null;
      drag.hidden = true;
      if (from !== null && Math.abs(percent(place(event)) - percent(from)) > 1) show(...[from, place(event)].sort((a, b) => a - b));
    });
    canvas.addEventListener("pointercancel", () => { begun = null; drag.hidden = true; });
    canvas.addEventListener("pointerleave", () => begun === null && point(null));

    // By keyboard: arrows move the cursor, + and - zoom, and what it reads is told.
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "group");
    canvas.setAttribute("aria-label", `${figure.querySelector("figcaption strong").textContent}: arrow keys read values${chart.isTimed ? ", plus and minus zoom, zero shows the whole run" : ""}`);
    chart.readout.setAttribute("role", "status");
    canvas.addEventListener("keydown", (event) => {
      const [from, to] = chart.shown;
      const step = (to - from) / (event.shiftKey ? 10 : 50);
      const at = chart.at ?? (from + to) / 2;
      const moves = { ArrowLeft: at - step, ArrowRight: at + step, Home: from, End: to };
      const zooms = chart.isTimed ? { "+": "in", "-": "out", 0: "reset" } : {};
      if (event.key in moves) point(chart, Math.min(to, Math.max(from, moves[event.key])));
      else if (event.key in zooms) zoom(zooms[event.key]);
      else if (event.key === "Escape") point(null);
      else return;
      event.preventDefault();
    });
    canvas.addEventListener("blur", () => point(null));

    // Each name in the legend switches its line.
    for (const item of all("li[data-line]", figure)) {
      const index = Number(item.dataset.line);
      const button = make("button", { type: "button", "aria-pressed": "true" }, ...item.childNodes);
      item.append(button);
      button.addEventListener("click", () => {
        const off = !chart.off.delete(index) && Boolean(chart.off.add(index));
        button.setAttribute("aria-pressed", String(!off));
        for (const part of [chart.paths[index], chart.areas[index], chart.canvas.querySelector(`.marks > g[data-line="${index}"]`)]) part?.classList.toggle("off", off);
      });
    }
  }

  // What has room for all of itself is no stop for the keyboard.
  for (const scroll of all(".scroll")) if (scroll.scrollWidth <= scroll.clientWidth) scroll.removeAttribute("tabindex");

  // The search among cases; verdicts and levels are filtered by the style alone.
  const search = document.getElementById("search");
  if (search) {
    search.closest("[hidden]")?.removeAttribute("hidden");
    const cases = all("[data-words]").map((element) => [element, element.dataset.words.toLowerCase()]);
    const tellHowMany = () => {
      const shown = all("tr[data-words]").filter((row) => row.getClientRects().length).length;
      document.getElementById("found").textContent = `${shown} shown`;
    };
    search.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const [element, text] of cases) element.hidden = !words.every((word) => text.includes(word));
      tellHowMany();
    });
    for (const box of all(".filters input[type=checkbox]")) box.addEventListener("change", tellHowMany);
    tellHowMany();
  }
})();
