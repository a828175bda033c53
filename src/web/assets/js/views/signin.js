// Signing in, and the first account.
import { h } from "../dom.js";
import { post } from "../api.js";
import { LANGUAGES, language, speak, t } from "../i18n.js";
import { entry, site } from "../state.js";
import { field } from "../parts/dialog.js";

/** `again`: the session ended while somebody worked. */
export function signIn({ again, onIn, redraw }) {
  const first = entry.first;
  document.title = `${t(first ? "first.title" : "signin.title")} – ${site.name}`;
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true, data: { test: "sign-in-wrong" } });
  const button = h("button", { class: "main big", data: { test: "sign-in" } }, t(first ? "first.action" : "signin.action"));
  const code = h("input", { name: "code", autocomplete: "one-time-code", autocapitalize: "none", spellcheck: "false", required: true, class: "mono", data: { focus: "", test: "code" } });
  const name = h("input", { name: "name", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: 64, data: first ? { test: "name" } : { focus: "", test: "name" } });
  const password = h("input", { name: "password", type: "password", autocomplete: first ? "new-password" : "current-password", required: true, minlength: first ? 12 : null, maxlength: 256, data: { test: "password" } });

  const send = async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    button.disabled = true;
    const body = { name: name.value.trim(), password: password.value };
    try {
      const who = first ? await post("/api/v1/session/first", { ...body, code: code.value.trim() }, { quiet: true })
        : await post("/api/v1/session", body, { quiet: true });
      entry.first = false;
      await onIn(who);
    } catch (error) {
      if (error.status === undefined) console.error(error);
      wrong.textContent = error.status === 401 ? t("signin.wrong") : (error.words ?? t("problem.failed"));
      if (error.status !== 401 && error.more) wrong.append(h("span", { class: "more" }, error.more));
      wrong.hidden = false;
      if (error.wait) count(error.wait);
      else button.disabled = false;
      password.select();
    }
  };

  function count(seconds) {
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) {
        button.disabled = false;
        button.textContent = t(first ? "first.action" : "signin.action");
        return;
      }
      button.textContent = t("signin.wait", { n: left });
      setTimeout(tick, 500);
    };
    tick();
  }

  const languages = h("select", { "aria-label": t("account.language"), class: "small", data: { test: "language" }, value: language,
    on: { change: async (event) => (await speak(event.target.value, true), redraw()) } },
    Object.entries(LANGUAGES).map(([value, words]) => h("option", { value, lang: value }, words)));

  return h("div", { class: "gate" },
    h("div", { class: "gate-side", "aria-hidden": "true" }, h("img", { src: new URL("../../icon.svg", import.meta.url).href, alt: "", width: "96", height: "96" })),
    h("main", { class: "gate-main", data: { view: first ? "first" : "signin" } },
      h("p", { class: "gate-site" }, site.name),
      h("h1", {}, t(first ? "first.title" : "signin.title")),
      again && h("p", { class: "note", role: "status", data: { test: "session-ended" } }, t("signin.ended")),
      first && h("p", {}, t("first.text"), " ", h("code", {}, "sudo doorward report")),
      h("form", { class: "stack", on: { submit: send } },
        first && field(t("first.code"), code), field(t(first ? "first.name" : "signin.name"), name),
        field(t("signin.password"), password, first ? t("password.rule") : undefined), wrong, button),
      entry.oidc && !first && h("p", {}, h("a", { class: "button plain big", href: "/signin/oidc", on: { click: keepPlace }, data: { test: "oidc" } }, t("signin.oidc"))),
      h("footer", { class: "gate-foot" }, languages)));
}


const KEPT = "doorward.place";

/** The provider sends back without the view's address. */
function keepPlace() {
  sessionStorage.setItem(KEPT, location.hash);
}

/** Where somebody was before they went to the provider. */
export function keptPlace() {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  return kept;
}
