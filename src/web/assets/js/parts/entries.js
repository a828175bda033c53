// One entry of the journal as a row, in the live view and in somebody's history.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { clock, day, dayKey, t, whole } from "../i18n.js";
import { doorName, may } from "../state.js";
import { href } from "../router.js";
import { kind, reason } from "./bits.js";
import { sentence } from "./said.js";

const MARKS = {
  granted: ["good", "check"], refused: ["bad", "refused"], door_forced: ["bad", "alert"], door_held: ["warn", "alert"],
  lockdown_began: ["bad", "lock"], lockdown_ended: ["good", "unlock"], remote_release: ["good", "open"], request_to_exit: ["calm", "out"],
  reader_offline: ["bad", "reader"], reader_tamper: ["bad", "reader"], reader_insecure: ["warn", "reader"], battery_low: ["warn", "alert"],
  lock_offline: ["bad", "alert"], config_refused: ["bad", "alert"], snapshot_held: ["warn", "cloud"], snapshot_applied: ["calm", "cloud"],
  fault: ["warn", "alert"], clock_changed: ["warn", "clock"], card_changed: ["calm", "card"], block_changed: ["calm", "lock"],
};

/** What stands right of the time. */
function words(entry) {
  const why = entry.reason ? reason(entry.reason, entry.words) : null;
  const who = entry.person && (entry.person.name || entry.person.id);
  const person = who && (may("people:read") ? h("a", { href: href("people", [entry.person.id]) }, who) : who);
  const card = entry.card && h("span", { class: "mono soft" }, entry.card);
  if (entry.decision) return [h("strong", {}, person || t("live.nobody")), h("span", { class: "why" }, why), !person && card];
  return [h("strong", {}, kind(entry.kind, entry.words)), person && h("span", {}, person), why && h("span", { class: "why" }, why)];
}

/** The row. */
export function row(entry, { plain = false } = {}) {
  const [look, mark] = MARKS[entry.kind] ?? ["calm", "info"];
  const outcome = entry.decision ? t(`live.${entry.decision}`) : t("live.other");
  return h("li", { class: `entry ${look}`, data: { test: "entry", kind: entry.kind, reason: entry.reason ?? "", sequence: entry.sequence } },
    h("time", { datetime: entry.time, title: whole(entry.time) }, clock(entry.time), !entry.trusted && h("span", { class: "soft", title: t("live.untrusted") }, " ?")),
    h("span", { class: "entry-mark" }, icon(mark), h("span", { class: "unseen" }, outcome)),
    h("div", { class: "entry-words" }, plain && entry.decision ? [h("strong", {}, outcome), h("span", { class: "why" }, reason(entry.reason, entry.words))] : words(entry),
      entry.detail && sentence(entry.say, entry.detail, "span", { class: "soft small detail" })),
    entry.door ? h("span", { class: "entry-door" }, icon("doors"), doorName(entry.door)) : h("span"));
}

/** Rows with a line where another day begins, newest first. `before` is the day of the row above. */
export function rows(entries, before, options) {
  return entries.flatMap((entry) => {
    const key = dayKey(entry.time);
    const head = key !== before && h("li", { class: "day" }, h(options?.plain ? "h3" : "h2", {}, day(entry.time)));
    before = key;
    return [head, row(entry, options)].filter(Boolean);
  });
}

