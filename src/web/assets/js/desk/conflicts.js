// Cards that the platform did not take come back to the desk until somebody decides.
import { h, fill } from "../dom.js";
import { icon } from "../icons.js";
import { get, id, post } from "../api.js";
import { t, when } from "../i18n.js";
import { changes, conflicts, loadDesk, me } from "../state.js";
import { button } from "../parts/bits.js";
import { confirm } from "../parts/dialog.js";
import { explained } from "../parts/said.js";
import { done, failed } from "../parts/toast.js";

export function conflictsPart(root) {
  const part = h("section", { class: "part alarms", "aria-labelledby": "conflicts-title", hidden: true, data: { test: "conflicts" } });
  root.append(part);
  let shown = 0;

  async function draw() {
    const mine = ++shown;
    if (!conflicts) return void (part.hidden = true);
    try {
      const all = (await get("/api/v1/conflicts")).conflicts;
      if (mine !== shown) return;
      part.hidden = !all.length;
      // Whoever did it finds their own first.
      const own = (it) => it.by === me?.name;
      all.sort((one, other) => Number(own(other)) - Number(own(one)) || other.at - one.at);
      fill(part, h("h2", { id: "conflicts-title" }, icon("alert"), t("conflict.title", { n: all.length })), h("ul", {}, all.map(one)));
    } catch (error) {
      failed(error);
    }
  }

  const decide = async (it, resolution) => {
    await post(`/api/v1/conflicts/${id(it.id)}`, { resolution });
    done(t(`conflict.done_${resolution}`));
    await loadDesk();
  };

  const one = (it) => h("li", { class: "stack", data: { test: "conflict", conflict: it.id } },
    h("div", {}, h("strong", {}, t(it.give ? "conflict.given" : "conflict.taken", { name: it.name })), " ", h("span", { class: "mono small" }, it.card),
      h("p", { class: "soft small" }, it.by, " · ", when(it.at)), explained(it.say, it.said)),
    h("div", { class: "row tight" },
      button(t("conflict.retry"), () => decide(it, "retry"), { mark: "replace", test: "conflict-retry" }),
      button(t("conflict.keep_here"), () => decide(it, "keep_here"), { test: "conflict-keep" }),
      button(t("conflict.undo"), async () => (await confirm(t("conflict.undo"), t("conflict.undo_text", { name: it.name }), t("conflict.undo"), { danger: true })) && decide(it, "undo"), { mark: "undo", test: "conflict-undo" })));

  draw();
  changes.addEventListener("conflicts", draw);
  return () => changes.removeEventListener("conflicts", draw);
}
