// What can be done with a card that somebody has, wherever it is shown.
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { post } from "../api.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { button, tag } from "../parts/bits.js";
import { confirm, field, form } from "../parts/dialog.js";
import { words } from "../parts/said.js";
import { done } from "../parts/toast.js";

const PLATFORM = { waiting: ["warn", "clock"], told: ["calm", "cloud"], unseen: ["bad", "alert"], refused: ["bad", "alert"], kept_here: ["calm", "info"] };

/** How the platform's word of a card stands, where that is worth a word. */
export function platform(word) {
  const [look, mark] = PLATFORM[word] ?? [];
  return look && tag(look, mark, t(`platform.${word}`));
}

/** Asks for a note and blocks. `true` if it was done. */
export function blockDialog(title, text, target, action = title) {
  const note = h("input", { maxlength: 200, autocomplete: "off", data: { test: "note" } });
  return form(title, [h("p", {}, text), field(t("card.note"), note, t("card.note_hint"))], action, async () => {
    await post("/api/v1/cards/block", { ...target, note: note.value.trim() });
    return true;
  }, { danger: true, test: "block-dialog" });
}

/** The address of the desk that waits for the new card for a lost one. */
export const replaceAt = (card) => href("desk", [], { old: card.ref, shown: card.shown, name: card.name });

/** Lost: it opens nothing from this moment on; then the new one. */
export async function lost(card, after) {
  const sure = await confirm(t("card.lost"), [t("card.lost_text", { name: card.name })], t("card.lost_action"), { danger: true });
  if (!sure) return;
  await post("/api/v1/cards/block", { card: card.ref, note: t("card.lost_note") });
  done(t("card.lost_done"));
  after?.();
  location.hash = replaceAt(card);
}

/** Taken back. */
export async function giveBack(card, after) {
  const sure = await confirm(t("card.return"), t("card.return_text", { name: card.name }), t("card.return"));
  if (!sure) return;
  const change = await post("/api/v1/cards/return", { card: card.ref, seen: card.seen });
  done(t("card.returned", { name: card.name }), change.warnings?.map((it, at) => words(change.warnings_say?.[at], it)).join(" "));
  after?.(change);
}

/** Blocks a card without taking it away from anybody. */
export async function block(card, after) {
  if (!(await blockDialog(t("card.block"), t("card.block_text"), { card: card.ref }))) return;
  done(t("card.blocked_done"));
  after?.();
}

/** Lifts the block. */
export async function unblock(card, after) {
  if (!(await confirm(t("card.unblock"), t("card.unblock_text", { name: card.name ?? "" }), t("card.unblock")))) return;
  await post("/api/v1/cards/unblock", { card: card.ref });
  done(t("card.unblocked"));
  after?.();
}

/** The buttons for a card in a list. */
export function cardActions(card, after) {
  return h("div", { class: "row tight" },
    card.blocked
      ? [button(t("card.unblock"), () => unblock(card, after), { mark: "unlock", test: "unblock" }), h("a", { class: "button plain", href: replaceAt(card) }, icon("replace"), h("span", {}, t("card.replace")))]
      : button(t("card.lost"), () => lost(card, after), { look: "danger soft", mark: "lock", test: "lost" }),
    button(t("card.return"), () => giveBack(card, after), { mark: "undo", test: "return" }));
}
