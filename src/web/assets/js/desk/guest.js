// A card for a guest: some doors, until a day's end.
import { h } from "../dom.js";
import { post } from "../api.js";
import { endOfDay, t, today } from "../i18n.js";
import { doors } from "../state.js";
import { field, form } from "../parts/dialog.js";
import { Problem } from "../api.js";

/** The longest that the gateway lets a guest stay, in days. */
const LONGEST = 30;

export async function guest(card, changed) {
  const name = h("input", { required: true, maxlength: 120, autocomplete: "off", autofocus: true, data: { test: "guest-name" } });
  const until = h("input", { type: "date", required: true, value: today(), min: today(), max: today(LONGEST), data: { test: "guest-until" } });
  const boxes = doors.filter((door) => !door.ks).map((door) => h("label", { class: "check" }, h("input", { type: "checkbox", value: door.id }), h("span", {}, door.name)));
  const change = await form(t("desk.guest"), [
    h("p", { class: "soft" }, t("guest.text")), field(t("guest.name"), name), field(t("guest.until"), until, t("guest.until_hint")),
    h("fieldset", { class: "checks", data: { test: "guest-doors" } }, h("legend", {}, t("guest.doors")), boxes),
  ], t("guest.action"), async () => {
    const chosen = boxes.map((it) => it.firstChild).filter((it) => it.checked).map((it) => it.value);
    if (!chosen.length) throw new Problem(422, { detail: t("guest.no_doors") });
    return post("/api/v1/cards/guest", { card: card.card, name: name.value.trim(), doors: chosen, until: endOfDay(until.value) });
  }, { test: "guest-dialog" });
  if (change) changed(change);
}
