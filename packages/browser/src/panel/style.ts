/**
 * Style: how the panel looks. A constructed sheet, which needs no `unsafe-inline` in the page's policy.
 *
 * @module
 */

export function panelSheet(): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}

const css = `
:host {
  all: initial;
  color-scheme: light dark;
  --ink: light-dark(#1b1b22, #ececf1);
  --soft: light-dark(#5d5d6b, #a5a5b4);
  --card: light-dark(#ffffff, #1e1e25);
  --field: light-dark(#f5f3ee, #15151a);
  --line: light-dark(#e4e1d8, #34343f);
  --accent: light-dark(#b45309, #fbbf24);
  --good: light-dark(#15803d, #4ade80);
  --bad: light-dark(#b91c1c, #f87171);
}
* { box-sizing: border-box; }
.panel {
  position: fixed;
  inset: auto 1rem 1rem auto;
  z-index: 2147483000;
  display: flex;
  flex-direction: column;
  width: min(26rem, calc(100vw - 2rem));
  max-height: min(40rem, calc(100vh - 7rem));
  border: 1px solid var(--line);
  border-radius: 0.75rem;
  background: var(--card);
  color: var(--ink);
  box-shadow: 0 1rem 3rem rgb(0 0 0 / 0.22);
  font: 13px / 1.5 system-ui, sans-serif;
  overflow: hidden;
}
header {
  display: flex;
  align-items: center;
  gap: 0.6rem;
  padding: 0.7rem 0.9rem;
  border-bottom: 1px solid var(--line);
}
h2 { margin: 0; flex: 1; font-size: 1em; }
.dot { width: 0.65rem; height: 0.65rem; border-radius: 50%; background: var(--soft); }
.dot[data-status='signed-in'] { background: var(--good); }
.dot[data-status='signed-out'] { background: var(--bad); }
.body { overflow: auto; padding: 0 0.9rem 0.9rem; }
details { border-bottom: 1px solid var(--line); padding: 0.55rem 0; }
details:last-child { border-bottom: 0; padding-bottom: 0; }
summary { cursor: pointer; font-weight: 600; }
summary::marker { color: var(--accent); }
dl { display: grid; grid-template-columns: minmax(5.5rem, auto) 1fr; gap: 0.2rem 0.8rem; margin: 0.5rem 0 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
p { margin: 0.5rem 0 0; }
.soft { color: var(--soft); }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.doubt { color: var(--accent); font-weight: 600; }
.chips { display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0.5rem 0 0; padding: 0; list-style: none; }
.chips li { padding: 0.05rem 0.55rem; border: 1px solid var(--line); border-radius: 999px; }
form { display: grid; grid-template-columns: 7rem 1fr; gap: 0.4rem; margin-top: 0.5rem; }
label { color: var(--soft); align-self: center; }
input {
  width: 100%;
  padding: 0.3rem 0.5rem;
  border: 1px solid var(--line);
  border-radius: 0.4rem;
  background: var(--field);
  color: inherit;
  font: inherit;
}
button {
  padding: 0.25rem 0.65rem;
  border: 1px solid var(--line);
  border-radius: 0.4rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
}
form button { grid-column: 2; justify-self: start; }
:is(button, input, summary):focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
output { display: block; }
ol { margin: 0.5rem 0 0; padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
ol time { color: var(--soft); margin-right: 0.5rem; }
`
