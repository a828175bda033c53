// A person out of thousands: search as one types, arrows and Enter (the combobox of the ARIA Authoring Practices, with a list).
import { h, fill, fresh, later } from "../dom.js";
import { icon } from "../icons.js";
import { get, query } from "../api.js";
import { t } from "../i18n.js";
import { failed } from "./toast.js";

/**
 * `label`; `onPick(person)`; `action` says what picking does; `float` lays the list over what follows; `most` rows.
 * Gives `{ el, input, clear }`.
 */
export function picker({ label, onPick, action = "", float = false, most = 8, hideLabel = false, test = "person-search" }) {
  const list = h("ul", { class: "options", role: "listbox", id: fresh("list"), "aria-label": label, hidden: true, data: { test: "person-options" } });
  const count = h("p", { class: "unseen", role: "status" });
  const none = h("p", { class: "soft pad", hidden: true, data: { test: "person-none" } }, t("people.none"));
  const input = h("input", {
    type: "search", role: "combobox", id: fresh("search"), autocomplete: "off", spellcheck: "false", autocapitalize: "none",
    "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list", placeholder: t("people.placeholder"),
    enterkeyhint: "go", data: { test },
  });
  let found = [];
  let active = -1;
  let shown = null; // what the rows are an answer to
  let eager = false; // Enter came before the answer
  let asking;

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const asked = input.value.trim();
    if (!asked) return show([], 0, "");
    try {
      const page = await get(query("/api/v1/people", { q: asked, limit: most }), { signal: asking.signal });
      show(page.people, page.total, asked);
      // One person and no other can be meant: a hit list that came late is never chosen from blindly.
      if (eager && page.total === 1 && input.value.trim() === asked) pick(0);
      eager = false;
    } catch (error) {
      if (error.name !== "AbortError") failed(error);
    }
  };
  const soon = later(15, ask);

  function show(people, total, asked) {
    [found, shown, active] = [people, asked, people.length ? 0 : -1];
    list.hidden = !people.length;
    none.hidden = !asked || people.length > 0;
    input.setAttribute("aria-expanded", String(people.length > 0));
    fill(list, people.map((person, at) => h("li", {
      role: "option", id: `${list.id}-${at}`, data: { person: person.id, test: "person-option" },
      on: { click: () => pick(at), pointermove: () => active !== at && point(at) },
    },
      h("span", { class: "who" }, h("strong", {}, person.name), h("span", { class: "soft" }, [person.team, person.email].filter(Boolean).join(" · "))),
      (person.blocked || person.deactivated) && h("span", { class: "tag bad" }, icon("lock"), t(person.blocked ? "people.blocked" : "people.deactivated")),
      h("span", { class: "tag" }, icon("card"), t("people.cards", { n: person.cards }))),
    ), total > people.length && h("li", { class: "soft pad more-hits", role: "presentation" }, t("people.more_hits", { n: total - people.length })));
    point(active);
    count.textContent = asked ? t("people.found", { n: total }) : "";
  }

  function point(at) {
    active = at;
    list.querySelectorAll("[role=option]").forEach((row, n) => row.setAttribute("aria-selected", String(n === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function pick(at) {
    const person = found[at];
    if (person) onPick(person);
  }

  input.addEventListener("input", () => {
    eager = false;
    soon();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      point((active + step + found.length) % found.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (shown === input.value.trim()) pick(active);
      else (eager = true), ask();
    } else if (event.key === "Escape" && input.value) {
      event.preventDefault();
      event.stopPropagation();
      clear();
    }
  });

  function clear() {
    input.value = "";
    show([], 0, "");
  }

  const el = h("div", { class: `picker${float ? " float" : ""}` },
    h("label", { for: input.id, class: hideLabel ? "unseen" : "" }, label),
    h("div", { class: "search-box" }, icon("search"), input),
    action && h("p", { class: "hint", id: `${input.id}-hint` }, action), list, none, count);
  if (action) input.setAttribute("aria-describedby", `${input.id}-hint`);
  if (float) {
    el.addEventListener("focusout", (event) => !el.contains(event.relatedTarget) && setTimeout(() => (list.hidden = true), 150));
    input.addEventListener("focus", () => (list.hidden = !found.length));
  }
  return { el, input, clear };
}
