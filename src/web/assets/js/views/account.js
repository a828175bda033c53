// One's own account: language, theme, password, signing out.
import { h } from "../dom.js";
import { del, post } from "../api.js";
import { LANGUAGES, language, speak, t } from "../i18n.js";
import { me, become } from "../state.js";
import { THEMES, theme, wear } from "../theme.js";
import { button, head, part } from "../parts/bits.js";
import { confirm, field } from "../parts/dialog.js";
import { done } from "../parts/toast.js";
import { redraw } from "../shell.js";

function choice(name, legend, values, now, label, pick) {
  return h("fieldset", { class: "choice" }, h("legend", {}, legend),
    h("div", { class: "segments" }, values.map((value) => h("label", {},
      h("input", { type: "radio", name, value, checked: value === now, on: { change: () => pick(value) }, data: { test: `${name}-${value}` } }),
      h("span", { lang: name === "language" ? value : null }, label(value))))));
}

function passwordForm(onDone) {
  const old = h("input", { type: "password", autocomplete: "current-password", required: true, maxlength: 256, data: { test: "old-password" } });
  const fresh = h("input", { type: "password", autocomplete: "new-password", required: true, minlength: 12, maxlength: 256, data: { test: "new-password" } });
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const send = async (event) => {
    event.preventDefault();
    wrong.hidden = true;
    try {
      const who = await post("/api/v1/session/password", { old: old.value, new: fresh.value }, { quiet: true });
      old.value = fresh.value = "";
      done(t("password.changed"));
      onDone(who);
    } catch (error) {
      wrong.textContent = error.status === 401 ? t("password.old_wrong") : (error.words ?? t("problem.failed"));
      wrong.hidden = false;
    }
  };
  return h("form", { class: "stack narrow", on: { submit: send }, data: { test: "password-form" } },
    field(t("password.old"), old), field(t("password.new"), fresh, t("password.rule")), wrong,
    h("button", { class: "main", data: { test: "change-password" } }, t("password.action")));
}

/** The password was made by somebody else: nothing else works until it is changed. */
export function mustChange(onIn, out) {
  document.title = t("password.title");
  return h("div", { class: "gate" },
    h("div", { class: "gate-side", "aria-hidden": "true" }, h("img", { src: new URL("../../icon.svg", import.meta.url).href, alt: "", width: "96", height: "96" })),
    h("main", { class: "gate-main", data: { view: "must-change" } },
      h("h1", { tabindex: "-1", data: { focus: "" } }, t("password.title")), h("p", {}, t("password.must")), passwordForm(onIn),
      button(t("account.sign_out"), async () => (await del("/api/v1/session"), out()), { look: "quiet", mark: "out" })));
}

export function accountView(root, where, { leave }) {
  const own = me.role && !me.name.startsWith("oidc:");
  root.append(
    head(t("nav.account")),
    h("div", { class: "grid" },
      part(t("account.who"), { mark: "account", test: "who" },
        h("p", { class: "large" }, me.name.replace(/^oidc:/, "")), me.role && h("p", { class: "soft" }, t(`role.${me.role}`), ": ", t(`role_may.${me.role}`)),
        h("div", { class: "row" },
          button(t("account.sign_out"), async () => (await del("/api/v1/session"), leave()), { mark: "out", test: "sign-out" }),
          button(t("account.sign_out_all"), async () => {
            if (!(await confirm(t("account.sign_out_all"), t("account.sign_out_all_text"), t("account.sign_out_all")))) return;
            await del("/api/v1/sessions");
            leave();
          }, { test: "sign-out-everywhere" }))),
      part(t("account.look"), { mark: "sun", test: "look" },
        choice("theme", t("account.theme"), THEMES, theme(), (it) => t(`theme.${it}`), wear),
        choice("language", t("account.language"), Object.keys(LANGUAGES), language, (it) => LANGUAGES[it], async (it) => {
          await speak(it, true);
          redraw();
          document.querySelector(`[data-test="language-${it}"]`)?.focus();
        })),
      own && part(t("password.title"), { mark: "keys", test: "password-part" }, passwordForm((who) => become(who)))));
}
