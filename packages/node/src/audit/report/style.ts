/**
 * Style of a report: light, dark and on paper. Nothing is loaded from anywhere.
 *
 * @module
 */
export const style = `
:root{color-scheme:light dark;--bg:#fff;--ink:#16181d;--soft:#5b6270;--line:#e3e6eb;--panel:#f7f8fa;--allow:#2f6fde;--deny:#c8461e;--good:#1a7f4b}
@media (prefers-color-scheme:dark){:root{--bg:#111318;--ink:#e8eaee;--soft:#9aa3b2;--line:#2a2f39;--panel:#191c23;--allow:#6c9cf5;--deny:#f08058;--good:#58c48c}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:960px;margin:0 auto;padding:48px 32px 80px}
header{border-bottom:2px solid var(--ink);padding-bottom:20px;margin-bottom:28px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:20px;margin:0 0 4px}
h3{font-size:15px;margin:20px 0 6px}
p{margin:0 0 12px;max-width:70ch}
.soft{color:var(--soft)}
section{margin:44px 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:12px;margin:22px 0 0}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:2px 0 0;font-size:26px;font-weight:600;font-variant-numeric:tabular-nums}
.criteria{list-style:none;display:flex;flex-wrap:wrap;gap:6px;margin:0 0 14px;padding:0;font-size:13px;color:var(--soft)}
.criteria li{border:1px solid var(--line);border-radius:999px;padding:1px 10px}
.criteria b{color:var(--ink)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{text-align:left;padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500;white-space:nowrap}
.n{text-align:right;padding-right:22px;font-variant-numeric:tabular-nums;white-space:nowrap}
.bad{color:var(--deny);font-weight:600}.good{color:var(--good);font-weight:600}
.finding{border-left:3px solid var(--deny);background:var(--panel);padding:10px 14px;margin:0 0 10px;max-width:none}
.finding.ok{border-color:var(--good)}
.chart{width:100%;height:auto;margin:8px 0 16px;display:block}
.chart text{font:12px system-ui,sans-serif;fill:var(--soft)}
.allow{fill:var(--allow)}.deny{fill:var(--deny)}.axis{stroke:var(--line)}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px 12px;font-size:12.5px;white-space:pre-wrap;overflow-wrap:anywhere;margin:6px 0 14px}
ins,del{text-decoration:none;display:block}ins{color:var(--good)}del{color:var(--deny)}
code{font-size:.92em;overflow-wrap:anywhere}
.key{font-size:13px;color:var(--soft)}.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 5px 0 12px}.key i:first-child{margin-left:0}
@media print{:root{--bg:#fff;--ink:#000;--soft:#444;--line:#ccc;--panel:#fff;--allow:#2f6fde;--deny:#c8461e;--good:#1a7f4b}
main{max-width:none;padding:0}section{break-inside:auto}h2,h3,.criteria{break-after:avoid}tr,svg,.tiles,.finding{break-inside:avoid}thead{display:table-header-group}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}@page{margin:18mm 16mm}}
`
