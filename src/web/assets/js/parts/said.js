// Sentences of the gateway's, in the language of the page: by their code, with what is filled in.
import { h } from "../dom.js";
import { has, moment, t } from "../i18n.js";

const or = (key, name) => (has(key) ? t(key) : name);

/** What something that is filled in is called here. `state.js` adds the doors. */
export const called = {
  n: Number, time: moment,
  role: (name) => or(`role.${name}`, name), scope: (name) => or(`scope.${name}`, name), grant: (name) => or(`grant.${name}`, name),
};

/** Whether this page has words for it. */
const known = (say) => Boolean(say) && has(`say.${say.code}`);

const filled = (name, it) => (typeof it === "object" ? words(it, it.code) : (called[name]?.(it) ?? it));

/** The sentence; `text`, which is English, where nobody has said it in this language. */
export function words(say, text = "") {
  if (!known(say)) return text;
  return t(`say.${say.code}`, Object.fromEntries(Object.entries(say.params).map(([name, it]) => [name, filled(name, it)])));
}

/** The line of another program behind it, for the small print. */
export const technical = (say) => (known(say) ? (say.params.technical ?? "") : "");

/** The sentence as an element, for readers of screens in its own language. */
export const sentence = (say, text, tag = "span", props = {}) => h(tag, { ...props, lang: known(say) ? null : "en" }, words(say, text));

/** What stands behind a sentence, for whoever wants to know; nothing where there is nothing. */
export function details(line) {
  return line && h("details", { class: "technical" }, h("summary", {}, t("common.details")), h("p", { lang: "en" }, line));
}

/** The sentence with what stands behind it. */
export const explained = (say, text) => [sentence(say, text, "p"), details(technical(say))];
