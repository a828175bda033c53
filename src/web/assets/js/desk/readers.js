// The desk's readers: which there are, what is wrong with them, and a door's reader on loan.
import { h, fill } from "../dom.js";
import { icon } from "../icons.js";
import { id, post } from "../api.js";
import { t } from "../i18n.js";
import { changes, loadDesk, readerName, readers } from "../state.js";
import { button, nothing, tag } from "../parts/bits.js";
import { field } from "../parts/dialog.js";
import { explained } from "../parts/said.js";
import { done } from "../parts/toast.js";

const LENT = 60;

export function readersPart(root) {
  const body = h("div", { class: "stack" });
  const part = h("section", { class: "part", "aria-labelledby": "readers-title", data: { test: "desk-readers" } }, h("h2", { id: "readers-title" }, icon("reader"), t("desk.readers")), body);
  root.append(part);
  let until = new Map();

  function draw() {
    until = new Map(readers.readers.filter((it) => it.lent_for_seconds != null).map((it) => [it.id, Date.now() + it.lent_for_seconds * 1000]));
    fill(body,
      readers.trouble.map((it) => h("div", { class: "banner warn small", data: { test: "reader-trouble" } }, icon("alert"), h("div", {}, explained(it.say, it.words)))),
      readers.readers.length ? h("ul", { class: "plain-list" }, readers.readers.map(row)) : nothing("plug", t("desk.no_reader")),
      lend());
    tick();
  }

  const row = (reader) => h("li", { class: "state-row", data: { test: "desk-reader", reader: reader.id } },
    h("span", { class: "who" }, h("strong", {}, readerName(reader)), h("span", { class: "soft small" }, t(`reader_kind.${reader.kind}`))),
    until.has(reader.id) ? [h("span", { class: "tag warn", data: { lent: reader.id } }), button(t("desk.give_back"), async () => {
      await post(`/api/v1/desk/readers/${id(reader.id)}/return`);
      await loadDesk();
    }, { test: "return-reader" })] : tag("good", "check", t("desk.ready")));

  function lend() {
    const free = readers.may_lend.filter((it) => !until.has(it.id));
    if (!free.length) return null;
    const which = h("select", { data: { test: "lend-which" } }, free.map((it) => h("option", { value: it.id }, it.name || it.door)));
    return h("details", { class: "lend" }, h("summary", {}, t("desk.lend")), h("div", { class: "stack" }, h("p", { class: "soft small" }, t("desk.lend_text")),
      field(t("live.door"), which),
      button(t("desk.lend_action"), async () => {
        const name = which.selectedOptions[0].textContent;
        await post(`/api/v1/desk/readers/${id(which.value)}/lend`, { seconds: LENT });
        done(t("desk.lent", { name }));
        await loadDesk();
      }, { test: "lend" })));
  }

  function tick() {
    for (const el of body.querySelectorAll("[data-lent]")) {
      const left = Math.max(0, Math.ceil((until.get(el.dataset.lent) - Date.now()) / 1000));
      el.textContent = t("desk.lent_for", { n: left });
    }
  }

  draw();
  const timer = setInterval(tick, 1000);
  changes.addEventListener("readers", draw);
  return () => {
    clearInterval(timer);
    changes.removeEventListener("readers", draw);
  };
}
