// The belief over categories, how far it moved, and the numbers of a node, as HTML.
const VISIBLE = 0.005 // less has no outline: its two ends would be all one sees
const GAUGE_END = Math.LN2 // no two beliefs are further apart

const percent = (share) => `${(100 * share).toFixed(1)}%`
const barWidth = (share) => `calc(${share.toFixed(4)}*(100% - 4em))` // what is left of the line holds the number
const onGauge = (divergence) => Math.sqrt(Math.min(Math.max(divergence, 0) / GAUGE_END, 1)) // most shifts are small

/** A filled bar now, a dashed outline before, a category a line. */
const beliefBars = ({ title, names, rows }) => `
  <div class="r4-believed"><div class="soft">${escaped(title)}</div>
  <div class="r4-names"><span><i class="now"></i>${escaped(names[0])}</span>
    <span><i class="before"></i>${escaped(names[1])}</span></div>
  <div class="r4-belief" role="group" aria-label="${escaped(title)}">${rows.map(({ category, now, before }) => `
    <div class="name" title="${escaped(category)}">${escaped(category)}</div>
    <div title="${escaped(names[0])} ${percent(now)}, ${escaped(names[1])} ${percent(before)}">
      <div class="now"><i style="width:${barWidth(now)}"></i>${percent(now)}</div>
      <i class="before${before < VISIBLE ? " none" : ""}" style="width:${barWidth(before)}"></i></div>`).join("")}
  </div></div>`

/** The Jensen-Shannon divergence of a step as a bar, theta as a mark on it. */
const jsGauge = ({ js, theta, verdict, too_far }) => {
  const [value, limit] = [js === null ? "–" : js.toFixed(3), theta === null ? "off" : theta.toFixed(3)]
  const mark = theta === null ? "" : `<div class="mark" style="left:${percent(onGauge(theta))}"></div>`
  return `<div><div class="r4-said"><span>belief moved by js <b>${value}</b> · ${escaped(verdict)}</span>
    <span>θ <b>${limit}</b></span></div>
    <div class="r4-gauge" role="img" aria-label="js ${value}, theta ${limit}: ${escaped(verdict)}"
      title="from 0 to ln 2, on a square-root scale"><div class="fill${too_far ? " far" : ""}"
      style="width:${percent(onGauge(js ?? 0))}"></div>${mark}</div></div>`
}

/** Why a node met its fate, and its numbers; the space stays the same whatever it says. */
const nodeSummary = (reason, facts) => `
  <div><div class="r4-reason">${escaped(reason)}</div><div class="r4-facts">${facts.map(([label, value]) =>
    `<div><div class="soft">${escaped(label)}</div><div class="value">${escaped(value)}</div></div>`).join("")}</div></div>`
