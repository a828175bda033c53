// Short words about what was just done. They are read out, stay as long as somebody points at them, and block nothing.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";

const calm = h("div", { class: "toasts", role: "status", "aria-live": "polite", data: { test: "toasts" } });
const loud = h("div", { class: "toasts", role: "alert", data: { test: "alerts" } });

export const toasts = h("div", { class: "toast-corner" }, loud, calm);

function show(place, look, mark, words, more, stay, lang) {
  const close = h("button", { class: "quiet round", type: "button", "aria-label": t("common.close") }, icon("cross"));
  const toast = h("div", { class: `toast ${look}` },
    icon(mark), h("div", { class: "toast-words" }, h("p", {}, words), more && h("p", { class: "soft small more", lang }, more)), close);
  let timer;
  const leave = () => toast.remove();
  const run = () => (timer = setTimeout(leave, stay));
  close.addEventListener("click", leave);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", run);
  // Said again it is the same, later: nobody reads it twice.
  for (const before of [...place.children]) if (before.querySelector("p").textContent === words) before.remove();
  place.append(toast);
  while (place.children.length > 3) place.firstChild.remove();
  run();
}

/** It was done. */
export const done = (words, more = "") => show(calm, "good", "check", words, more, 6000);
/** It was not done. */
export const failed = (problem) => {
  if (problem?.name === "AbortError") return;
  if (problem?.status === 401) return;
  if (problem?.status === undefined) console.error(problem);
  show(loud, "bad", "alert", problem.words ?? t("problem.failed"), problem.more ?? "", 12000, "en");
};

/** Something is said to readers of screens alone. */
export const whisper = h("p", { class: "unseen", role: "status", "aria-live": "polite", data: { test: "whisper" } });
export function say(words) {
  whisper.textContent = "";
  requestAnimationFrame(() => (whisper.textContent = words));
}
