// The desk: a fob in the hand, a member waiting.
import { h, add } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { head } from "../parts/bits.js";
import { stage } from "../desk/stage.js";
import { readersPart } from "../desk/readers.js";
import { conflictsPart } from "../desk/conflicts.js";
import { queueView } from "../desk/queue.js";
import { importView } from "../desk/import.js";

const TABS = { "": ["fob", "desk.one"], queue: ["people", "desk.queue"], import: ["list", "desk.import"] };

export function deskView(root, where) {
  const name = where.rest[0] in TABS ? where.rest[0] : "";
  const tabs = h("nav", { class: "tabs", "aria-label": t("desk.tasks") }, h("ul", {}, Object.entries(TABS).map(([tab, [mark, words]]) => h("li", {},
    h("a", { href: href("desk", tab ? [tab] : []), "aria-current": tab === name ? "page" : null, data: { test: `desk-${tab || "one"}` } }, icon(mark), t(words))))));
  const ends = [];
  const main = h("div", { class: "desk-main" });
  const side = h("aside", { class: "desk-side", "aria-label": t("desk.readers") });
  ends.push(conflictsPart(side), readersPart(side));
  add(root, head(t("nav.desk")), tabs, h("div", { class: "desk" }, main, side));
  ends.push({ "": stage, queue: queueView, import: importView }[name](main, where));
  return () => ends.forEach((end) => end?.());
}
