// Somebody: what they may open and why, their cards, what happened.
import { h, add, fill } from "../dom.js";
import { icon } from "../icons.js";
import { get, id, post, query } from "../api.js";
import { dayKey, has, t, when } from "../i18n.js";
import { doorName, may } from "../state.js";
import { live } from "../stream.js";
import { href } from "../router.js";
import { button, head, into, nothing, part, since, tag } from "../parts/bits.js";
import { row, rows } from "../parts/entries.js";
import { initials } from "./people.js";
import { blockDialog, cardActions, platform } from "../desk/actions.js";
import { confirm } from "../parts/dialog.js";
import { done } from "../parts/toast.js";

export function personView(root, where) {
  const who = where.rest[0];
  const place = h("div", {});
  const history = h("ol", { class: "entries", data: { test: "history" } });
  let lastDay = "";
  let next = null;
  const older = h("button", { type: "button", class: "plain", hidden: true, on: { click: () => void more() } }, t("common.older"));
  const title = head(t("people.one"));
  const name = title.querySelector("h1");
  const circle = h("span", { class: "initials large", "aria-hidden": "true", hidden: true });
  title.prepend(circle);
  add(root, h("p", {}, h("a", { class: "back", href: "#/people" }, icon("back"), t("nav.people"))), title, place);

  async function more() {
    const page = await get(query("/api/v1/events", { person: who, limit: 30, cursor: next }));
    add(history, rows(page.events, lastDay, { plain: true }));
    lastDay = page.events.length ? dayKey(page.events.at(-1).time) : lastDay;
    next = page.next;
    older.hidden = next === null;
    return page;
  }

  const load = () => into(place, async () => {
    const detail = await get(`/api/v1/people/${id(who)}`);
    [lastDay, next] = ["", null];
    history.replaceChildren();
    const past = await more();
    name.textContent = detail.name;
    circle.textContent = initials(detail.name);
    circle.hidden = false;
    fill(title.querySelector(".beside"), may("cards:write") && actions(detail, load));
    // The button that was pressed is another one now.
    if (document.activeElement === document.body) name.focus({ preventScroll: true });
    document.title = `${detail.name} – ${t("nav.people")}`;
    return [
      detail.blocked && h("p", { class: "banner bad", data: { test: "person-blocked" } }, icon("lock"), h("span", {}, h("strong", {}, t("people.blocked")), " ", detail.blocked)),
      h("p", { class: "soft" }, [detail.email, detail.team].filter(Boolean).join(" · ")),
      h("div", { class: "grid duo" },
        part(t("person.access"), { mark: "doors", test: "access" }, access(detail)),
        part(t("person.cards"), { mark: "card", test: "cards" }, cards(detail, load)),
        part(t("person.history"), { mark: "clock", test: "history-part", wide: true }, past.events.length ? history : nothing("clock", t("person.no_history")), h("p", { class: "center" }, older))),
    ];
  });

  const heard = ({ detail: entry }) => {
    if (entry.person?.id !== who || !history.isConnected) return;
    const day = history.querySelector(".day");
    if (day) day.after(row(entry, { plain: true }));
  };
  load();
  live.addEventListener("entry", heard);
  live.addEventListener("resync", load);
  return () => {
    live.removeEventListener("entry", heard);
    live.removeEventListener("resync", load);
  };
}

function actions(detail, load) {
  return [
    h("a", { class: "button main", href: href("desk", [], { for: detail.id }), data: { test: "give-card" } }, icon("fob"), t("person.give")),
    detail.blocked_here
      ? button(t("person.unblock"), async () => {
          if (!(await confirm(t("person.unblock"), t("person.unblock_text", { name: detail.name }), t("person.unblock")))) return;
          await post("/api/v1/cards/unblock", { person: detail.id });
          done(t("person.unblocked", { name: detail.name }));
          load();
        }, { mark: "unlock", test: "unblock-person" })
      : button(t("person.block"), async () => {
          if (await blockDialog(t("person.block"), t("person.block_text", { name: detail.name }), { person: detail.id })) {
            done(t("person.blocked_now", { name: detail.name }));
            load();
          }
        }, { mark: "lock", test: "block-person" }),
  ];
}

const ORDER = { open: ["good", "check"], outside_hours: ["warn", "clock"], not_yet: ["warn", "clock"], void: ["bad", "refused"] };

function access(detail) {
  if (!detail.access.length) return nothing("doors", t("person.no_access"));
  return h("ul", { class: "rights" }, detail.access.map((right) => {
    // A block beats every right: none of them opens anything now.
    const stopped = Boolean(detail.blocked) && right.state !== "void";
    const [look, mark] = stopped ? ["bad", "lock"] : ORDER[right.state] ?? ["", "info"];
    const words = right.state === "void" && right.reason && has(`reason.${right.reason}`) ? t(`reason.${right.reason}`) : null;
    return h("li", { class: `right ${look}`, data: { test: "right", state: stopped ? "blocked" : right.state } },
      tag(look, mark, stopped ? t("people.blocked") : t(`right.${right.state}`)),
      h("div", { class: "right-words" },
        h("strong", {}, right.doors.map(doorName).join(", ") || right.group || right.door),
        h("span", {}, t(`because.${right.kind}`, { name: right.because || right.source })),
        words ? h("span", { class: "soft" }, words) : right.state === "void" && h("span", { class: "soft", lang: "en" }, right.words),
        h("span", { class: "soft small" }, [
          right.from && t("right.from", { time: when(right.from) }), right.until && t("right.until", { time: when(right.until) }),
          right.hours && t("right.hours", { name: right.hours }), right.group && t("right.group", { name: right.group }), t("right.rule", { n: right.rule }),
        ].filter(Boolean).join(" · "))));
  }), h("li", { class: "soft small facts-of" }, t("person.facts_of", { time: when(detail.facts_of) })));
}

function cards(detail, load) {
  if (!detail.cards.length) return nothing("card", t("person.no_cards"));
  return h("ul", { class: "cards" }, detail.cards.map((it) => {
    const card = typeof it === "string" ? { shown: it } : it;
    return h("li", { class: "card-row", data: { test: "card" } },
      icon("fob"),
      h("div", { class: "who" }, h("strong", { class: "mono" }, card.shown),
        card.blocked && tag("bad", "lock", t("card.blocked")),
        card.shared && tag("warn", "people", t("card.shared")),
        card.since && h("span", { class: "soft small" }, t("card.since"), " ", since(card.since)),
        platform(card.platform ?? (card.waiting ? "waiting" : null))),
      card.ref && may("cards:write") && cardActions({ ref: card.ref, shown: card.shown, blocked: card.blocked, name: detail.name, person: detail.id }, load));
  }));
}

