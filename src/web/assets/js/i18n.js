// Words, numbers and times as the reader of the page has them. Times are by the clock on the building's wall.

export const LANGUAGES = { en: "English", es: "Español", de: "Deutsch" };
const KEPT = "doorward.language";

let words = {};
let plurals = new Intl.PluralRules("en");
export let language = "en";
let zone;
/** The language with the browser's region, for dates and numbers; English without one is written as in Europe. */
let region = "en-GB";

/** The language that was chosen here, or the first one of the browser that there is. */
export function preferred() {
  const asked = [kept(), ...(navigator.languages ?? [navigator.language])];
  const known = asked.map((it) => it?.slice(0, 2).toLowerCase()).find((it) => it in LANGUAGES);
  return known ?? "en";
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Loads a language. */
export async function speak(wanted, keep = false) {
  const answer = await fetch(new URL(`../lang/${wanted}.json`, import.meta.url));
  words = await answer.json();
  language = wanted;
  region = navigator.languages?.find((it) => it.toLowerCase().startsWith(`${wanted}-`)) ?? (wanted === "en" ? "en-GB" : wanted);
  plurals = new Intl.PluralRules(wanted);
  document.documentElement.lang = wanted;
  formats.clear();
  try {
    if (keep) localStorage.setItem(KEPT, wanted);
  } catch {
    // Nothing is kept in a private window: it holds until the page is left.
  }
}

/** The building's zone. */
export function at(place) {
  if (place === zone) return;
  zone = place;
  formats.clear();
}

/** Whether there are words for this. */
export const has = (key) => key in words;

/** The words of a key. `n` chooses between one and many; `{name}` is filled in. */
export function t(key, vars = {}) {
  let text = words[key];
  if (text && typeof text === "object") text = text[plurals.select(vars.n)] ?? text.other;
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const it = vars[name];
    return typeof it === "number" ? number(it) : (it ?? "");
  });
}

const formats = new Map();

function dates(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) {
    let made;
    try {
      made = new Intl.DateTimeFormat(region, { ...options, timeZone: zone });
    } catch {
      made = new Intl.DateTimeFormat(region, options); // a zone that this browser does not know
    }
    formats.set(key, made);
  }
  return formats.get(key);
}

const ms = (time) => (typeof time === "number" ? time : Date.parse(time));
const DAY = { year: "numeric", month: "numeric", day: "numeric" };

export const number = (n) => new Intl.NumberFormat(region).format(n);
/** 14:25:07 */
export const clock = (time) => dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms(time));
/** 14:25 */
export const hour = (time) => dates({ hour: "2-digit", minute: "2-digit" }).format(ms(time));
/** Monday, 23 November */
export const day = (time) => dates({ weekday: "long", day: "numeric", month: "long" }).format(ms(time));
/** 23 Nov 2026, 14:25; the hour alone if it is today. */
export function when(time) {
  const same = dates(DAY).format(ms(time)) === dates(DAY).format(Date.now());
  return same ? hour(time) : dates({ dateStyle: "medium", timeStyle: "short" }).format(ms(time));
}
/** 23 Nov 2026, 14:25:07 */
export const whole = (time) => dates({ dateStyle: "medium", timeStyle: "medium" }).format(ms(time));
/** A time of the building's wall as the journal writes it, `14:25` or `Mon 2026-11-23 14:25`, as people here write it. */
export function moment(text) {
  const [, day, hour] = /^\w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d)$/.exec(text) ?? [];
  if (!day) return text;
  const shown = new Intl.DateTimeFormat(region, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  return `${shown.format(Date.parse(`${day}T12:00:00Z`))}, ${hour}`;
}
/** The day, to tell days apart. */
export const dayKey = (time) => dates(DAY).format(ms(time));

const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];

/** "3 minutes ago" */
export function ago(time) {
  let left = (ms(time) - Date.now()) / 1000;
  for (const [unit, most] of STEPS) {
    if (Math.abs(left) < most) {
      return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(left), unit);
    }
    left /= most;
  }
  return "";
}

/** "3 days", "12 minutes" */
export function span(seconds) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ["second", 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(seconds / size));
}

/** The instant at which the day ends in the building, Unix milliseconds; `days` later for other days. */
export function endOfDay(date) {
  // The wall's midnight after this date: guess in UTC, then move by what the zone shows there.
  const [y, m, d] = date.split("-").map(Number);
  const guess = Date.UTC(y, m - 1, d + 1);
  const shown = (at) => {
    const parts = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    }).formatToParts(at);
    const p = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute);
  };
  const once = guess - (shown(guess) - guess);
  return once - (shown(once) - guess);
}

/** Today in the building, as a date field has it; `days` later. */
export function today(days = 0) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(Date.now() + days * 86_400_000);
}
