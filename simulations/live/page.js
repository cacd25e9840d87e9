"use strict";
const STATES = { "at work": "At work", quiet: "Quiet", done: "Ended: done", stopped: "Ended: stopped", failed: "Ended: failed" };
const STAGES = {
  ask: "ask each client what it holds", tune: "tune generators", sum: "add up over clients", fit: "fit synthesizers",
  train: "train recognizers", score: "score recognizers", quality: "measure samples", twin: "fit twins for audits",
  audit: "audit releases", "real speech": "real speech, to compare",
};
const MEASURES = {
  right: "share named right", real_right: "share of real examples named right", fake_right: "share of made examples called made",
};
const KINDS = {
  description: "description", working: "sign of life", release: "release", opened: "seals for a sum", masked: "masked numbers of a sum",
  shared: "shares of masks of a sum", scored: "counts of a scoring", noted: "receipt", refusal: "refusal",
};
const shown = new Map();

function make(tag, words, kind) {
  const made = document.createElement(tag);
  if (words !== undefined) made.textContent = words;
  if (kind) made.className = kind;
  return made;
}

function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds)), two = number => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}

function clock(moment) {
  if (!moment) return "";
  const then = new Date(1000 * moment);
  return then.toDateString() === new Date().toDateString() ? then.toLocaleTimeString() : then.toLocaleDateString();
}

function bar(name, step, steps, told) {
  const row = make("li"), drawn = make("progress");
  drawn.max = steps || 1;
  drawn.value = step;
  drawn.setAttribute("aria-label", name);
  row.append(make("span", name, "name"), drawn, make("span", told, "soft"));
  return row;
}

function pace(one) {
  const told = `${one.step} of ${one.steps}`;
  if (!one.rate) return told;  // nothing is measured yet
  return `${told}, ${one.rate.toFixed(one.rate < 1 ? 2 : 1)} a second, ${duration((one.steps - one.step) / one.rate)} left`;
}

function list(rows) {
  const made = make("ul", undefined, "rows");
  made.append(...rows);
  return made;
}

function stages(run) {
  return list(run.stages.map(one => bar(STAGES[one.name] || one.name, one.done, one.total, `${one.done} of ${one.total}`)));
}

function clients(run) {
  return list(run.clients.map(one => {
    const done = one.doing === "generator in the bank" ? 1 : 0;
    return one.steps === undefined ? bar(one.name, done, 1, one.doing) : bar(one.name, one.step, one.steps, `${one.doing}, ${pace(one)}`);
  }));
}

function work(run) {
  return list(run.work.map(one => bar(one.name, one.step, one.steps, one.steps ? pace(one) : "begun")));
}

function quantity(metric) {
  const [trained, measured] = metric.split("/");
  return measured ? `${trained}: ${MEASURES[measured] || measured.replaceAll("_", " ")}` : trained;
}

function chart(metric, curves) {
  const lines = curves.map((curve, number) => [curve.lines[metric] || [], number]).filter(([points]) => points.length > 0);
  const all = lines.flatMap(([points]) => points), steps = all.map(point => point[0]), values = all.map(point => point[1]);
  const low = Math.min(...values), high = Math.max(...values), last = Math.max(...steps, 1);
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("viewBox", "0 0 100 100");
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `${quantity(metric)}, between ${low.toPrecision(3)} and ${high.toPrecision(3)} up to step ${last}`);
  for (const [points, number] of lines) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    const place = ([step, value]) => `${(100 * step / last).toFixed(2)},${(97 - 94 * (value - low) / (high - low || 1)).toFixed(2)}`;
    line.setAttribute("points", points.map(place).join(" "));
    line.setAttribute("class", `c${number % 8}`);
    drawn.append(line);
  }
  const figure = make("figure"), scale = make("div", undefined, "scale");
  scale.append(make("span", "step 0"), make("span", `step ${last}`));
  figure.append(make("figcaption", `${quantity(metric)}, ${low.toPrecision(3)} to ${high.toPrecision(3)}`), drawn, scale);
  return figure;
}

function curves(run) {
  const metrics = [...new Set(run.curves.flatMap(curve => Object.keys(curve.lines)))].sort();
  const made = make("div"), charts = make("div", undefined, "charts"), legend = make("ul", undefined, "legend");
  charts.append(...metrics.map(metric => chart(metric, run.curves)));
  legend.append(...run.curves.map((curve, number) => make("li", curve.name, `c${number % 8}`)));
  const meaning = "A line is one training. In a campaign, a recognizer's line is named by the session that it will be scored on.";
  made.append(make("p", meaning), charts, legend);
  return made;
}

function failures(run) {
  const made = make("div");
  for (const one of run.failures) made.append(make("p", `${clock(one.time)} ${one.line}`, "failed"));
  for (const line of run.aside) made.append(make("p", line, "failed"));
  if (!made.childNodes.length) made.append(make("p", run.ended ? "None." : "None so far."));
  return made;
}

function left(run) {
  if (!run.left.length) return make("p", run.ended ? "Nothing." : "Nothing so far.");
  const box = make("div", undefined, "box"), table = make("table"), head = make("tr"), body = make("tbody");
  for (const [word, kind] of [["client", ""], ["what left it", ""], ["how often", "number"], ["bytes in all", "number"], ["last", "number"]]) {
    const cell = make("th", word, kind);
    cell.scope = "col";
    head.append(cell);
  }
  for (const one of run.left) {
    const row = make("tr");
    row.append(make("td", one.client), make("td", KINDS[one.kind] || one.kind), make("td", String(one.count), "number"));
    row.append(make("td", size(one.bytes), "number"), make("td", clock(one.last), "number"));
    body.append(row);
  }
  const top = make("thead");
  top.append(head);
  table.append(top, body);
  box.append(table);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "What has left");
  return box;
}

const SECTIONS = [
  ["Stages", stages, run => run.stages], ["Clients", clients, run => run.clients], ["At work", work, run => run.work],
  ["Curves", curves, run => run.curves], ["Failures", failures, run => [run.ended, run.failures, run.aside]],
  ["What has left", left, run => [run.ended, run.left]],
];

function heading(run, now) {
  const since = run.began ? `, ${duration((run.ended || now) - run.began)}` : "";
  const sign = run.state === "quiet" ? `: no sign of life for ${duration(now - (run.last || now))}; it may have been killed` : "";
  return (STATES[run.state] || run.state) + since + (run.why ? `: ${run.why}` : sign);
}

function article(name) {
  const made = make("article");
  made.append(make("p", "", "kicker"), make("h1", ""), make("p", "", "state"), make("p", "", "soft"));
  for (const [title] of SECTIONS) {
    const section = make("section");
    section.append(make("h2", title));
    section.hidden = true;
    made.append(section);
  }
  document.getElementById("runs").append(made);
  return { made, told: new Map() };
}

function show(run, now) {
  if (!shown.has(run.name)) shown.set(run.name, article(run.name));
  const { made, told } = shown.get(run.name);
  const [kicker, title, state, report] = made.children;
  kicker.textContent = run.what;
  title.textContent = run.name;
  if (state.textContent !== heading(run, now)) state.textContent = heading(run, now);
  report.textContent = run.report ? `Its report: ${run.report}, in the run's folder.` : "";
  SECTIONS.forEach(([name, draw, data], number) => {
    const section = made.children[4 + number], fresh = JSON.stringify(data(run));
    if (told.get(name) === fresh) return;
    told.set(name, fresh);
    section.hidden = data(run).length === 0;
    section.replaceChildren(section.firstChild, draw(run));
  });
}

async function look() {
  const contact = document.getElementById("contact");
  try {
    const answer = await fetch("/run.json", { cache: "no-store" });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    for (const run of told.runs) show(run, told.now);
    document.title = told.runs.map(run => `${STATES[run.state] || run.state}: ${run.name}`).join("; ");
    contact.textContent = "";
  } catch (error) {
    contact.textContent = `No answer from eyesoff watch (${error.message}); what stands here is the last that it told.`;
  }
  setTimeout(look, document.hidden ? 5000 : 1000);
}

look();
