// Small things that many views show.
import { h, fill } from "../dom.js";
import { icon } from "../icons.js";
import { t, has, ago, whole } from "../i18n.js";
import { failed } from "./toast.js";

/** What readers of screens are told besides, where eyes see it from the place. */
export const unseen = (words) => h("span", { class: "unseen" }, ` ${words}`);

/** A button that does something and says so while it does it. `about` names what it is about. */
export function button(words, work, { look = "plain", mark, test, about } = {}) {
  const el = h("button", { type: "button", class: look, data: test ? { test } : {} }, mark && icon(mark), h("span", {}, words, about && unseen(about)));
  el.addEventListener("click", async () => {
    if (el.getAttribute("aria-busy") === "true") return;
    el.setAttribute("aria-busy", "true");
    try {
      await work(el);
    } catch (error) {
      failed(error);
    } finally {
      el.removeAttribute("aria-busy");
    }
  });
  return el;
}

/** A word in a coloured field, with a sign: never the colour alone. */
export const tag = (look, mark, words) => h("span", { class: `tag ${look}` }, mark && icon(mark), words);

/** How long ago, with the whole time for who points at it. It keeps itself true. */
export function since(time) {
  const el = h("time", { title: whole(time), datetime: new Date(time).toISOString() }, ago(time));
  el.dataset.since = String(typeof time === "number" ? time : Date.parse(time));
  return el;
}

setInterval(() => {
  for (const el of document.querySelectorAll("time[data-since]")) {
    const words = ago(Number(el.dataset.since));
    if (el.textContent !== words) el.textContent = words;
  }
}, 10_000);

/** Terms and what they are. */
export const facts = (...pairs) => h("dl", { class: "facts" }, pairs.filter(Boolean).map(([term, it]) => h("div", {}, h("dt", {}, term), h("dd", {}, it))));

/** A reason in plain words. */
export const reason = (name, words = "") => (has(`reason.${name}`) ? t(`reason.${name}`) : words || name);
/** What happened, in plain words. */
export const kind = (name, words = "") => (has(`kind.${name}`) ? t(`kind.${name}`) : words || name);

/** What is shown where there is nothing. */
export const nothing = (mark, words, more) => h("div", { class: "nothing" }, icon(mark), h("p", {}, words), more && h("p", { class: "soft" }, more));

/** Loads something into a place: waiting, there, or gone wrong with another try. */
export async function into(place, work) {
  place.setAttribute("aria-busy", "true");
  try {
    fill(place, await work());
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === undefined) console.error(error);
    fill(place, h("div", { class: "nothing bad", role: "alert" }, icon("alert"), h("p", {}, error.words ?? t("problem.failed")),
      h("button", { type: "button", class: "plain", on: { click: () => into(place, work) } }, t("common.again"))));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/** The head of a view: its name, what belongs beside it. */
export function head(title, ...beside) {
  return h("header", { class: "view-head" }, h("h1", { tabindex: "-1" }, title), h("div", { class: "beside" }, beside));
}

/** A part of a view with a name. */
export function part(title, { test, mark, wide } = {}, ...kids) {
  const name = `part-${test ?? title}`.replace(/\W+/g, "-");
  return h("section", { class: `part${wide ? " wide" : ""}`, "aria-labelledby": name, data: test ? { test } : {} },
    h("h2", { id: name }, mark && icon(mark), title), kids);
}
