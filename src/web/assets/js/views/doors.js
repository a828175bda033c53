// The doors: how they stand now, opening once, lockdown.
import { h, add, fill, keyed } from "../dom.js";
import { icon } from "../icons.js";
import { id, post, put } from "../api.js";
import { t } from "../i18n.js";
import { changes, doors, may } from "../state.js";
import { href } from "../router.js";
import { button, head, nothing, tag, unseen } from "../parts/bits.js";
import { confirm } from "../parts/dialog.js";
import { done, failed } from "../parts/toast.js";

const LOOKS = { secured: ["good", "lock"], released: ["calm", "unlock"], open: ["calm", "open"], held: ["warn", "alert"], forced: ["bad", "alert"] };

export function doorsView(root) {
  const list = h("ul", { class: "doors", "aria-label": t("nav.doors"), data: { test: "doors" } });
  const empty = nothing("doors", t("doors.none"));
  const lockable = () => doors.filter((door) => !door.ks);
  const all = may("doors:lockdown") && button("", everything, { look: "danger soft", mark: "lock", test: "lockdown-all" });

  async function everything() {
    const on = lockable().some((door) => !door.lockdown);
    const words = t(on ? "doors.lock_all" : "doors.free_all");
    if (!(await confirm(words, t(on ? "doors.lock_all_text" : "doors.free_all_text", { n: lockable().length }), words, { danger: on }))) return;
    // Each for itself: one door that cannot must not keep the others open.
    const turned = await Promise.allSettled(lockable().filter((door) => door.lockdown !== on).map((door) => put(`/api/v1/doors/${id(door.id)}/lockdown`, { on })));
    turned.filter((it) => it.reason).forEach((it) => failed(it.reason));
    const n = turned.filter((it) => !it.reason).length;
    if (n) done(t(on ? "doors.locked_n" : "doors.freed_n", { n }));
  }

  function draw() {
    empty.hidden = doors.length > 0;
    keyed(list, doors, (door) => door.id, make, update);
    if (all) {
      const locked = lockable().length > 0 && lockable().every((door) => door.lockdown);
      all.hidden = lockable().length < 2;
      all.className = locked ? "plain" : "danger soft";
      fill(all, icon(locked ? "unlock" : "lock"), h("span", {}, t(locked ? "doors.free_all" : "doors.lock_all")));
    }
  }

  add(root, head(t("nav.doors"), all), list, empty);
  draw();
  changes.addEventListener("doors", draw);
  return () => changes.removeEventListener("doors", draw);
}

function make(door) {
  const open = may("doors:open") && door.opens && button(t("doors.open"), async () => {
    await post(`/api/v1/doors/${id(door.id)}/open`);
    done(t("doors.opened", { name: door.name }));
  }, { look: "main", mark: "open", test: "open", about: door.name });
  const lock = may("doors:lockdown") && h("button", { type: "button", class: "plain", data: { test: "lockdown" } });
  lock && lock.addEventListener("click", () => turn(doors.find((it) => it.id === door.id)));
  const el = h("li", { class: "door", data: { test: "door", door: door.id } },
    h("div", { class: "door-picture", "aria-hidden": "true" }, h("span", { class: "leaf" })),
    h("div", { class: "door-words" }, h("h2", {}, door.name), h("div", { class: "tags" }), h("p", { class: "soft small contact" }),
      h("a", { href: href("live", [], { door: door.id }) }, t("doors.entries"), unseen(door.name))),
    h("div", { class: "door-actions" }, open, lock));
  Object.assign(el, { parts: { open, lock } });
  return el;
}

function update(el, door) {
  const [look, mark] = LOOKS[door.state] ?? ["calm", "info"];
  el.dataset.state = door.state ?? "";
  el.dataset.contact = door.contact ?? "";
  el.dataset.lockdown = String(door.lockdown);
  fill(el.querySelector(".tags"),
    door.lockdown && tag("bad solid", "lock", t("doors.lockdown")),
    door.state === "lockdown" ? null : door.state ? tag(look, mark, t(`door_state.${door.state}`)) : tag("", "info", t(door.ks ? "doors.ks" : "doors.unwatched")));
  el.querySelector(".contact").textContent = door.ks ? t("doors.ks_more") : door.contact ? t(`contact.${door.contact}`) : "";
  const { open, lock } = el.parts;
  if (open) open.disabled = door.lockdown;
  if (lock) {
    lock.hidden = door.ks;
    fill(lock, icon(door.lockdown ? "unlock" : "lock"), h("span", {}, t(door.lockdown ? "doors.free" : "doors.lock"), unseen(door.name)));
  }
}

async function turn(door) {
  const on = !door.lockdown;
  const sure = await confirm(t(on ? "doors.lock_name" : "doors.free_name", { name: door.name }),
    t(on ? "doors.lock_text" : "doors.free_text"), t(on ? "doors.lock" : "doors.free"), { danger: on });
  if (!sure) return;
  try {
    await put(`/api/v1/doors/${id(door.id)}/lockdown`, { on });
    done(t(on ? "doors.locked" : "doors.freed", { name: door.name }));
  } catch (error) {
    failed(error);
  }
}
