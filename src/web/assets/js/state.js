// What all views look at: who is signed in, the site, the doors, what stands wrong, the desk's readers.
import { get } from "./api.js";
import { at } from "./i18n.js";
import { live } from "./stream.js";
import { called } from "./parts/said.js";

const page = document.documentElement.dataset;

/** Whoever is signed in; null for nobody. */
export let me = null;
export const site = { name: page.site, zone: undefined, version: "" };
export const entry = { first: page.first === "true", oidc: page.oidc === "true" };
export let doors = [];
export let faults = [];
export let readers = { readers: [], trouble: [], may_lend: [] };
export let conflicts = 0;

/** Tells when something here changed: `me`, `doors`, `faults`, `readers`, `conflicts`. */
export const changes = new EventTarget();
const changed = (name) => changes.dispatchEvent(new Event(name));

/** Whether whoever is signed in may do it. */
export const may = (scope) => me?.scopes.includes(scope) ?? false;

/** Somebody else is signed in, or nobody. */
export function become(who) {
  me = who;
  if (!who) {
    [doors, faults, conflicts] = [[], [], 0];
    readers = { readers: [], trouble: [], may_lend: [] };
  }
  changed("me");
}

/** What a door is called. */
export const doorName = (id) => doors.find((door) => door.id === id)?.name ?? id ?? "";

called.door = doorName;

const lendable = new Map();

/** What a reader of the desk is called: a door's by its door. */
export function readerName(reader) {
  readers.may_lend.forEach((it) => lendable.set(it.id, it.name || it.door));
  return lendable.get(reader.id) ?? reader.name;
}

/** Reads what stands before the stream tells of changes. */
export async function load() {
  const [status, all] = await Promise.all([get("/api/v1/status"), get("/api/v1/doors")]);
  Object.assign(site, { name: status.name || status.site, zone: status.zone, version: status.version });
  at(status.zone);
  [doors, faults] = [all, status.faults];
  changed("doors");
  changed("faults");
  await loadDesk();
  return status;
}

/** The desk's readers and what came back, for whoever may give cards. */
export async function loadDesk() {
  if (!may("cards:write")) return;
  const [told, back] = await Promise.all([
    get("/api/v1/desk/readers").catch(() => null),
    get("/api/v1/conflicts").catch(() => null),
  ]);
  if (told) readers = told;
  if (back) conflicts = back.conflicts.length;
  changed("readers");
  changed("conflicts");
}

live.addEventListener("doors", ({ detail }) => ((doors = detail), changed("doors")));
live.addEventListener("faults", ({ detail }) => ((faults = detail), changed("faults")));
live.addEventListener("readers", ({ detail }) => ((readers = detail), changed("readers")));
live.addEventListener("conflicts", ({ detail }) => ((conflicts = detail.count), changed("conflicts")));
live.addEventListener("resync", () => void load().catch(() => {}));
