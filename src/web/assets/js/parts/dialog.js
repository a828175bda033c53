// Dialogs: the browser's own, which keeps the focus inside, closes with Escape and gives the focus back.
import { h, add, fresh } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { Problem } from "../api.js";

/**
 * Opens a dialog. `build(close)` gives its content; `close(value)` ends it. Gives the value, `undefined` for Escape.
 */
export function open(title, build, { test = "dialog", look = "" } = {}) {
  return new Promise((settle) => {
    const name = fresh("dialog");
    const dialog = h("dialog", { class: `dialog ${look}`, "aria-labelledby": name, data: { test } });
    let value;
    const close = (it) => {
      value = it;
      dialog.close();
    };
    const cross = h("button", { class: "quiet round", type: "button", "aria-label": t("common.close"), on: { click: () => close() } },
      icon("cross"));
    add(dialog, h("header", { class: "dialog-head" }, h("h2", { id: name }, title), cross));
    add(dialog, build(close, dialog));
    dialog.addEventListener("close", () => {
      dialog.remove();
      settle(value);
    });
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input, select, textarea"))?.focus();
  });
}

/** Asks whether it is meant. */
export function confirm(title, text, action, { danger = false } = {}) {
  const build = (close) => [
    [text].flat().map((it) => (it instanceof Node ? it : h("p", {}, it))),
    h("div", { class: "dialog-foot" },
      h("button", { type: "button", class: "plain", autofocus: danger, on: { click: () => close(false) }, data: { test: "cancel" } }, t("common.cancel")),
      h("button", {
        type: "button", class: danger ? "danger" : "main", autofocus: !danger, on: { click: () => close(true) }, data: { test: "confirm" },
      }, action)),
  ];
  return open(title, build, { test: "confirm-dialog" }).then((it) => it === true);
}

/**
 * A dialog that is a form: `fields` are elements; `send()` does the work and its answer closes the dialog. What goes wrong is
 * shown inside, and nothing that was written is lost.
 */
export function form(title, fields, action, send, { danger = false, test = "form-dialog" } = {}) {
  return open(title, (close) => {
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const button = h("button", { class: danger ? "danger" : "main", data: { test: "send" } }, action);
    const cancel = h("button", { type: "button", class: "plain", on: { click: () => close() }, data: { test: "cancel" } }, t("common.cancel"));
    const sent = async (event) => {
      event.preventDefault();
      wrong.hidden = true;
      button.disabled = true;
      try {
        close((await send()) ?? true);
      } catch (error) {
        if (!(error instanceof Problem)) console.error(error);
        wrong.textContent = error.words ?? t("problem.failed");
        if (error.more) wrong.append(h("span", { class: "more", lang: "en" }, error.more));
        wrong.hidden = false;
      } finally {
        button.disabled = false;
      }
    };
    return h("form", { class: "stack", on: { submit: sent }, novalidate: false },
      typeof fields === "function" ? fields(close) : fields, wrong, h("div", { class: "dialog-foot" }, cancel, button));
  }, { test });
}

/** A label with its control, and a hint. */
export function field(label, control, hint) {
  control.id ||= fresh("field");
  let note;
  if (hint) {
    note = h("p", { class: "hint", id: fresh("hint") }, hint);
    control.setAttribute("aria-describedby", note.id);
  }
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, note);
}

/** A secret that is shown once. */
export function secret(title, text, value) {
  const box = h("input", { value, readonly: true, class: "mono", on: { focus: (event) => event.target.select() }, data: { test: "secret" } });
  const copy = h("button", {
    type: "button", class: "plain",
    on: { click: () => navigator.clipboard?.writeText(value).then(() => (copy.textContent = t("common.copied"))).catch(() => box.select()) },
  }, t("common.copy"));
  return open(title, (close) => [
    h("p", {}, text), field(t("common.once"), box),
    h("div", { class: "dialog-foot" }, copy, h("button", { type: "button", class: "main", on: { click: () => close() } }, t("common.kept"))),
  ], { test: "secret-dialog" });
}
