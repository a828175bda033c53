// Cards from a sheet: looked at first, then given.
import { h, add, fill } from "../dom.js";
import { LONG, post } from "../api.js";
import { t } from "../i18n.js";
import { button, tag } from "../parts/bits.js";
import { field } from "../parts/dialog.js";
import { sentence } from "../parts/said.js";
import { done, failed } from "../parts/toast.js";

const LOOKS = { assigned: ["good", "check"], already_theirs: ["calm", "info"], bad: ["bad", "alert"] };
const FORMATS = ["", "uid", "uid-reversed", "decimal", "decimal-reversed", "wiegand26", "ks", "token"];

export function importView(root) {
  const result = h("div", { role: "region", "aria-live": "polite", "aria-label": t("import.result"), data: { test: "import-result" } });
  const text = h("textarea", { required: true, spellcheck: "false", placeholder: "email,card\nana@example.com,uid:04A2B3C4D5E680", data: { test: "import-text" }, on: { input: () => result.replaceChildren() } });
  const file = h("input", { type: "file", accept: ".csv,text/csv,text/plain", on: { change: async () => file.files[0] && ((text.value = await file.files[0].text()), result.replaceChildren()) } });
  const format = h("select", { data: { test: "import-format" }, on: { change: () => result.replaceChildren() } }, FORMATS.map((it) => h("option", { value: it }, t(`format.${it || "auto"}`))));

  const send = async (dry) => {
    const body = { text: text.value, dry_run: dry };
    if (format.value) body.format = format.value;
    return post("/api/v1/cards/import", body, { patience: LONG });
  };
  const look = async (event) => {
    event.preventDefault();
    try {
      draw(await send(true));
    } catch (error) {
      failed(error);
    }
  };

  function draw(it) {
    fill(result,
      h("p", { class: "large" }, t(it.dry_run ? "import.would" : "import.given", { n: it.assigned })),
      h("p", { class: "soft" }, t("import.counts", { already: it.already, bad: it.bad })),
      it.dry_run && it.assigned > 0 && h("p", { class: "row" }, button(t("import.action", { n: it.assigned }), async () => {
        const given = await send(false);
        draw(given);
        done(t("import.given", { n: given.assigned }));
      }, { look: "main", test: "import-do" })),
      h("div", { class: "table-box" }, h("table", {}, h("caption", { class: "unseen" }, t("import.result")),
        h("thead", {}, h("tr", {}, ["line", "card", "who", "outcome"].map((it) => h("th", { scope: "col" }, t(`import.${it}`))))),
        h("tbody", {}, it.rows.slice(0, 500).map((row) => h("tr", {}, h("th", { scope: "row", data: { label: t("import.line") } }, String(row.line)), h("td", { class: "mono", data: { label: t("import.card") } }, row.card), h("td", { data: { label: t("import.who") } }, row.who),
          h("td", { data: { label: t("import.outcome") } }, tag(...LOOKS[row.outcome], t(`import.${row.outcome}`)), " ", sentence(row.say, row.words, "span", { class: "small" }))))))));
  }

  add(root, h("section", { class: "stage", "aria-labelledby": "stage-title", data: { test: "import", state: "begin" } },
    h("h2", { id: "stage-title" }, t("import.title")), h("p", { class: "soft" }, t("import.text")),
    h("form", { class: "stack", on: { submit: look } }, field(t("queue.file"), file), field(t("queue.lines"), text), field(t("desk.format"), format), h("button", { class: "main", data: { test: "import-look" } }, t("import.look"))), result));
  return () => {};
}
