// One card in the hand: new, somebody's, blocked, or no use.
import { h, fill } from "../dom.js";
import { icon } from "../icons.js";
import { post } from "../api.js";
import { t, when } from "../i18n.js";
import { doorName, readerName } from "../state.js";
import { href } from "../router.js";
import { button, reason, since } from "../parts/bits.js";
import { confirm } from "../parts/dialog.js";
import { picker } from "../parts/picker.js";
import { sentence, words } from "../parts/said.js";
import { failed } from "../parts/toast.js";
import { initials } from "../views/people.js";
import { block, giveBack, lost, platform, unblock } from "./actions.js";
import { guest } from "./guest.js";

/** `changed(change, before)` when it was given; `leave()` when it is done with; `redraw()` when it is another one. */
export function cardPanel(card, mode, { changed, leave, redraw }) {
  const look = card.look ?? { holders: [], alike: [] };
  const holder = look.holders[0] ?? null;
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true, data: { test: "desk-wrong" } });

  let busy = false;

  /** Gives it to somebody; what is refused is shown here, and what came between is looked at. */
  async function give(person) {
    if (busy) return;
    busy = true;
    try {
      await giveOnce(person);
    } finally {
      busy = false;
    }
  }

  async function giveOnce(person) {
    wrong.hidden = true;
    const body = { card: card.card, person: person.id, seen: look.seen };
    if (holder) {
      if (!(await confirmMove(look, person))) return;
      body.from = holder.person;
    }
    await tried(async () => changed(await post("/api/v1/cards/assign", body), holder));
  }

  async function tried(work) {
    try {
      await work();
    } catch (error) {
      if (error.status === undefined || error.status === 401) return failed(error);
      if (error.look) {
        card.look = error.look;
        redraw();
        return failed(error);
      }
      fill(wrong, error.words, error.more && h("span", { class: "more", lang: "en" }, error.more));
      wrong.hidden = false;
    }
  }

  const again = async () => {
    card.look = await post("/api/v1/cards/look", { card: card.card });
    redraw();
  };

  return [
    head(card, look),
    wrong,
    look.unfit ? h("div", { class: "banner bad" }, icon("alert"), h("div", {}, h("strong", {}, t("desk.unfit_more")), sentence(look.unfit_say, look.unfit, "p")))
      : mode.replace ? [notes(look), replacing(card, mode.replace, holder, tried, changed)]
      : mode.give?.name ? [notes(look), giving(mode.give, holder, give)]
      : holder ? held(card, look, holder, { give, again, leave })
      : fresh(card, look, { give, tried, changed, again }),
  ];
}

function head(card, look) {
  const typed = card.reader?.kind === "page";
  const many = look.holders.length > 1;
  const one = look.holders[0];
  const title = look.unfit ? t("desk.unfit") : many ? t("desk.several") : one ? one.name : t(look.blocked ? "desk.blocked_card" : "desk.new");
  const mark = look.unfit ? "refused" : look.blocked ? "lock" : one ? null : "fob";
  return [
    h("p", { class: "card-line" }, icon("card"), h("span", { class: "mono", data: { test: "card" } }, card.shown),
      card.reader && h("span", { class: "soft reader-name" }, typed ? t("reader_kind.page") : t("desk.read_at", { name: readerName(card.reader) })),
      card.from && h("span", { class: "soft" }, card.from),
      card.reader && !typed && h("span", { class: "here", data: { here: String(card.here) } }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "on" }, t("desk.here")), h("span", { class: "off" }, t("desk.gone")))),
    h("div", { class: "verdict" }, h("span", { class: "verdict-mark", "aria-hidden": "true" }, mark ? icon(mark) : initials(one.name)),
      h("div", {}, h("h2", { id: "stage-title", tabindex: "-1", data: { test: "verdict", focus: "" } }, title),
        one && !many && h("p", { class: "soft" }, [one.company, one.email].filter(Boolean).join(" · ")))),
  ];
}

function notes(look) {
  return [
    look.blocked && h("div", { class: "banner bad", data: { test: "blocked" } }, icon("lock"), h("div", {},
      h("strong", {}, t(look.blocked.person ? "desk.person_blocked" : "card.blocked")),
      h("p", {}, words(look.blocked.say, look.blocked.note), look.blocked.by && [" – ", look.blocked.by], look.blocked.since > 0 && [", ", since(look.blocked.since)]))),
    look.refused && h("p", { class: "note", data: { test: "refused-note" } }, t("desk.refused_at", { door: doorName(look.refused.door) || look.refused.reader }), " ", since(look.refused.at), ": ", reason(look.refused.reason, look.refused.words)),
    look.alike?.length > 0 && h("div", { class: "banner warn", data: { test: "alike" } }, icon("info"), h("div", {},
      h("strong", {}, t("desk.alike")), h("ul", {}, look.alike.map((it) => h("li", {}, h("span", { class: "mono" }, it.card), " ", it.name, h("span", { class: "small" }, " · ", sentence(it.format_say, it.format), it.lossy && [" · ", t("desk.lossy")])))))),
  ];
}

/** Nobody's yet: search, Enter, done. */
function fresh(card, look, { give, tried, changed, again }) {
  const who = picker({ label: t("desk.whose"), onPick: give, action: t("desk.pick") });
  who.input.dataset.focus = "";
  return [
    notes(look),
    look.blocked ? h("div", { class: "row" }, button(t("card.unblock"), () => unblock({ ref: card.card }, again), { look: "main", mark: "unlock", test: "unblock" })) : who.el,
    !look.blocked && h("div", { class: "row" },
      button(t("desk.guest"), () => guest(card, (change) => changed(change, null)), { mark: "guest", test: "guest" }),
      button(t("card.block"), () => tried(() => block({ ref: card.card }, again)), { look: "quiet", mark: "lock", test: "block" })),
  ];
}

/** Somebody's: who, since when, and what may be done. */
function held(card, look, holder, { give, again, leave }) {
  const move = h("div", { hidden: true, class: "move" });
  const mine = { ref: card.card, shown: card.shown, name: holder.name, person: holder.person, seen: look.seen };
  const open = () => {
    move.hidden = false;
    fill(move, picker({ label: t("desk.move_to"), onPick: give, action: t("desk.move_hint") }).el);
    move.querySelector("input").focus();
  };
  return [
    look.holders.length > 1 && h("ul", { class: "plain-list", data: { test: "holders" } }, look.holders.map((it) => h("li", { class: "state-row" }, h("strong", {}, it.name), h("span", { class: "soft" }, it.email)))),
    notes(look),
    h("dl", { class: "facts" },
      holder.since && h("div", {}, h("dt", {}, t("desk.since")), h("dd", {}, when(holder.since), holder.by && h("span", { class: "soft" }, " · ", holder.by))),
      holder.until && h("div", {}, h("dt", {}, t("desk.until")), h("dd", {}, when(holder.until))),
      h("div", {}, h("dt", {}, t("desk.known_from")), h("dd", {}, t(`place.${holder.place}`), " ", platform(look.platform)))),
    h("div", { class: "row" },
      h("a", { class: "button main", href: href("people", [holder.person]), data: { test: "open-person" }, hidden: holder.place === "guest" }, icon("people"), h("span", {}, t("desk.open_person"))),
      button(t("desk.move"), async () => open(), { mark: "replace", test: "move" }),
      button(t("card.return"), () => giveBack(mine, again), { mark: "undo", test: "return" }),
      look.blocked && !look.blocked.person ? button(t("card.unblock"), () => unblock(mine, again), { mark: "unlock", test: "unblock" })
        : !look.blocked && button(t("card.lost"), () => lost(mine), { look: "danger soft", mark: "lock", test: "lost" }),
      button(t("desk.next"), async () => leave(), { look: "quiet", test: "next" })),
    move,
  ];
}

/** It was said before for whom. */
function giving(person, holder, give) {
  if (holder?.person === person.id) return h("p", { class: "banner good" }, icon("check"), t("desk.theirs", { name: person.name }));
  return h("div", { class: "row" }, h("button", { type: "button", class: "main big", on: { click: () => give(person) }, data: { focus: "", test: "give-to" } }, icon("check"), t("desk.give_to", { name: person.name })));
}

/** It comes in the place of another one. */
function replacing(card, old, holder, tried, changed) {
  if (holder) return h("p", { class: "banner warn" }, icon("alert"), t("desk.replace_held", { name: holder.name }));
  return h("div", { class: "row" }, h("button", {
    type: "button", class: "main big", data: { focus: "", test: "replace" },
    on: { click: () => tried(async () => changed(await post("/api/v1/cards/replace", { old: old.ref, new: card.card, lost: true }), null)) },
  }, icon("replace"), t("desk.replace_with", { name: old.name })));
}

function confirmMove(look, person) {
  const from = look.holders.map((it) => it.name).join(", ");
  const first = look.holders[0];
  return confirm(t("desk.move_title", { name: person.name }), [
    t("desk.move_text", { from, to: person.name }), first.since && h("p", { class: "soft" }, t("desk.since"), " ", when(first.since), first.by && ` · ${first.by}`),
  ].filter(Boolean), t("desk.move_action", { name: person.name }));
}

