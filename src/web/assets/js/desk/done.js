// What was just done, with the way back.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { post } from "../api.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { button } from "../parts/bits.js";
import { sentence } from "../parts/said.js";
import { initials } from "../views/people.js";
import { platform } from "./actions.js";

/** `card.done` is the change; `card.before` whose it was. */
export function donePanel(card, { again }) {
  const change = card.done;
  const undo = async () => {
    if (card.before) await post("/api/v1/cards/assign", { card: card.card, person: card.before.person, from: change.person, seen: change.seen });
    else await post("/api/v1/cards/return", { card: card.card, seen: change.seen });
    await again();
  };
  return [
    h("p", { class: "card-line" }, icon("card"), h("span", { class: "mono" }, card.shown)),
    h("div", { class: "verdict" }, h("span", { class: "verdict-mark", "aria-hidden": "true" }, change.name ? initials(change.name) : icon("check")),
      h("div", {}, h("h2", { id: "stage-title", tabindex: "-1", data: { test: "verdict", focus: "" } }, change.name ? t("desk.has", { name: change.name }) : t("desk.nobodys")),
        h("p", { class: "good-line", data: { test: "in-force" } }, icon(change.in_force ? "check" : "alert"), t(change.in_force ? "desk.in_force" : "desk.not_in_force"), " ", platform(change.platform)))),
    change.warnings?.map((words, at) => h("p", { class: "banner warn" }, icon("alert"), sentence(change.warnings_say?.[at], words))),
    h("p", { class: "soft" }, t("desk.next_lay")),
    h("div", { class: "row" }, button(t("desk.undo"), undo, { mark: "undo", test: "undo" }),
      change.person && h("a", { class: "button quiet", href: href("people", [change.person]) }, t("desk.open_person"))),
  ];
}
