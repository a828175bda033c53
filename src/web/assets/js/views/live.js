// What happens at the doors, as it happens.
import { h, fill, add } from "../dom.js";
import { icon } from "../icons.js";
import { get, query } from "../api.js";
import { dayKey, t } from "../i18n.js";
import { doors, changes, may } from "../state.js";
import { live } from "../stream.js";
import { stay } from "../router.js";
import { head, into, nothing } from "../parts/bits.js";
import { row, rows } from "../parts/entries.js";
import { picker } from "../parts/picker.js";
import { say } from "../parts/toast.js";

const KINDS = ["granted", "refused", "door_forced", "door_held", "remote_release", "request_to_exit", "card_changed", "block_changed", "fault"];
/** Rows on the screen, at most: whoever wants older ones asks for them. */
const MOST = 400;

export function liveView(root, where) {
  const asked = { door: where.query.door ?? "", kind: where.query.kind ?? "", person: where.query.person ?? "" };
  let personName = where.query.name ?? asked.person;
  let paused = false;
  let held = [];
  let early = null; // what comes while the list is being read
  let newest = 0;
  let next = null;
  let lastDay = "";
  let asking;

  const list = h("ol", { class: "entries", "aria-label": t("live.list"), data: { test: "entries" } });
  const place = h("div", {});
  const older = h("button", { type: "button", class: "plain", hidden: true, data: { test: "older" }, on: { click: () => void more() } }, t("common.older"));
  const pause = h("button", { type: "button", class: "plain", "aria-pressed": "false", data: { test: "pause" }, on: { click: () => hold(!paused) } });
  const waiting = h("button", { type: "button", class: "main fresh", hidden: true, data: { test: "held" }, on: { click: () => hold(false) } });

  const door = h("select", { data: { test: "filter-door" }, on: { change: () => ((asked.door = door.value), again()) } });
  const outcome = h("select", { data: { test: "filter-outcome" }, value: asked.kind, on: { change: () => ((asked.kind = outcome.value), again()) } },
    h("option", { value: "" }, t("live.all_kinds")), KINDS.map((it) => h("option", { value: it }, it === "granted" || it === "refused" ? t(`live.${it}`) : t(`kind.${it}`))));
  const doorsChanged = () => {
    fill(door, h("option", { value: "" }, t("live.all_doors")), doors.map((it) => h("option", { value: it.id }, it.name)));
    door.value = asked.door;
  };

  const chosen = h("p", { class: "chosen", hidden: true });
  const people = may("people:read") && picker({
    label: t("live.person"), float: true, test: "filter-person",
    onPick: (it) => {
      [asked.person, personName] = [it.id, it.name];
      people.clear();
      again();
    },
  });

  const fits = (it) => (!asked.door || it.door === asked.door) && (!asked.kind || it.kind === asked.kind) && (!asked.person || it.person?.id === asked.person);
  const read = (cursor) => {
    asking?.abort();
    asking = new AbortController();
    return get(query("/api/v1/events", { ...asked, cursor, limit: 60 }), { signal: asking.signal });
  };

  function again() {
    stay("live", [], Object.fromEntries(Object.entries({ ...asked, name: asked.person ? personName : "" }).filter(([, it]) => it)));
    fill(chosen, t("live.only", { name: personName }), h("button", {
      type: "button", class: "quiet round", "aria-label": t("live.everybody"), on: { click: () => ((asked.person = ""), again()) },
    }, icon("cross")));
    chosen.hidden = !asked.person;
    [held, early, newest, lastDay] = [[], [], 0, ""];
    hold(paused);
    return into(place, async () => {
      const page = await read();
      list.replaceChildren();
      newest = page.events[0]?.sequence ?? 0;
      put(page);
      const came = early;
      early = null;
      // Once the list stands where it belongs.
      setTimeout(() => came.forEach((detail) => heard({ detail })));
      return [list, !page.events.length && h("div", { data: { empty: "" } }, nothing("live", t("live.none")))];
    });
  }

  function put(page) {
    add(list, rows(page.events, lastDay));
    lastDay = page.events.length ? dayKey(page.events.at(-1).time) : lastDay;
    next = page.next;
    older.hidden = next === null;
  }

  async function more() {
    older.setAttribute("aria-busy", "true");
    const count = list.children.length;
    try {
      put(await read(next));
      list.children[count]?.querySelector("a")?.focus();
    } finally {
      older.removeAttribute("aria-busy");
    }
  }

  function hold(it) {
    paused = it;
    pause.setAttribute("aria-pressed", String(paused));
    fill(pause, icon(paused ? "play" : "pause"), h("span", {}, t(paused ? "live.resume" : "live.pause")));
    if (!paused) {
      held.forEach(top);
      held = [];
    }
    waiting.hidden = !held.length;
  }

  function top(entry) {
    place.querySelector("[data-empty]")?.remove();
    const first = list.querySelector(".entry time");
    const sameDay = first && dayKey(first.dateTime) === dayKey(entry.time);
    const el = row(entry);
    el.classList.add("arrived");
    if (sameDay) list.querySelector(".day").after(el);
    else list.prepend(...rows([entry], ""));
    while (list.children.length > MOST) list.lastChild.remove();
  }

  const heard = ({ detail: entry }) => {
    if (early) return void early.push(entry);
    if (entry.sequence <= newest || !fits(entry)) return;
    newest = entry.sequence;
    if (paused) {
      held.push(entry);
      waiting.hidden = false;
      waiting.textContent = t("live.held", { n: held.length });
      return;
    }
    top(entry);
    const text = list.querySelector(".entry");
    say([...text.querySelectorAll(".entry-mark, .entry-words, .entry-door")].map((it) => it.textContent).join(", "));
  };

  add(root,
    head(t("nav.live"), pause),
    h("form", { class: "filters", role: "search", "aria-label": t("live.filter"), on: { submit: (event) => event.preventDefault() } },
      h("div", { class: "field" }, h("label", { for: "filter-door" }, t("live.door")), Object.assign(door, { id: "filter-door" })),
      h("div", { class: "field" }, h("label", { for: "filter-outcome" }, t("live.outcome")), Object.assign(outcome, { id: "filter-outcome" })),
      people && people.el),
    chosen, waiting, place, h("p", { class: "center" }, older));
  doorsChanged();
  hold(false);
  again();
  changes.addEventListener("doors", doorsChanged);
  live.addEventListener("entry", heard);
  // The stream goes on from its last entry, and there may have been none before it broke.
  live.addEventListener("resync", again);
  return () => {
    asking?.abort();
    live.removeEventListener("resync", again);
    changes.removeEventListener("doors", doorsChanged);
    live.removeEventListener("entry", heard);
  };
}
