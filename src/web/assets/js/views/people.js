// Who there is.
import { h, add, later } from "../dom.js";
import { icon } from "../icons.js";
import { get, query } from "../api.js";
import { t } from "../i18n.js";
import { href, stay } from "../router.js";
import { head, into, nothing, tag } from "../parts/bits.js";

export function peopleView(root, where) {
  let next = null;
  let asking;
  const list = h("ul", { class: "people", "aria-label": t("nav.people"), data: { test: "people" } });
  const place = h("div", {});
  const total = h("p", { class: "soft count", role: "status", data: { test: "people-total" } });
  const more = h("button", { type: "button", class: "plain", hidden: true, on: { click: () => void page() }, data: { test: "older" } }, t("common.more"));
  const input = h("input", {
    type: "search", id: "people-search", value: where.query.q ?? "", placeholder: t("people.placeholder"), autocomplete: "off",
    spellcheck: "false", autocapitalize: "none", maxlength: 200, data: { test: "people-search", focus: "" },
    // The address last: a browser may refuse one that changes with every letter.
    on: { input: later(15, () => (search(), stay("people", [], input.value ? { q: input.value } : {}))) },
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") (event.preventDefault(), list.querySelector("a")?.focus());
    if (event.key === "Enter") list.querySelector("a")?.click();
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    event.preventDefault();
    (event.target.closest("li")?.[step]?.querySelector("a") ?? input).focus();
  });

  const read = (cursor) => get(query("/api/v1/people", { q: input.value.trim(), limit: 50, cursor }), { signal: asking.signal });

  function put(found) {
    add(list, found.people.map(person));
    next = found.next;
    more.hidden = next === null;
    total.textContent = t("people.found", { n: found.total });
  }

  function search() {
    asking?.abort();
    asking = new AbortController();
    return into(place, async () => {
      const found = await read();
      list.replaceChildren();
      put(found);
      return found.total ? list : nothing("people", t(input.value ? "people.none" : "people.nobody"), t("people.nobody_more"));
    });
  }

  async function page() {
    const count = list.children.length;
    put(await read(next));
    list.children[count]?.querySelector("a")?.focus();
  }

  add(root, head(t("nav.people")),
    h("div", { class: "search-large", role: "search" }, h("label", { for: "people-search" }, t("people.search")), h("div", { class: "search-box" }, icon("search"), input), total),
    place, h("p", { class: "center" }, more));
  search();
  return () => asking?.abort();
}

function person(it) {
  return h("li", {}, h("a", { class: "person-row", href: href("people", [it.id]), data: { test: "person", person: it.id } },
    h("span", { class: "initials", "aria-hidden": "true" }, initials(it.name)),
    h("span", { class: "who" }, h("strong", {}, it.name), h("span", { class: "soft" }, [it.team, it.email].filter(Boolean).join(" · "))),
    (it.blocked || it.deactivated) && tag("bad", "lock", t(it.blocked ? "people.blocked" : "people.deactivated")),
    tag(it.cards ? "" : "warn", "card", t("people.cards", { n: it.cards })), icon("next")));
}

/** For a name in a circle. */
export function initials(name) {
  const parts = name.trim().split(/\s+/);
  return [parts[0], parts.length > 1 ? parts.at(-1) : ""].map((part) => [...part][0] ?? "").join("").toUpperCase();
}
