// Elements. Nothing here takes markup as text, so nothing that others wrote can become an element.

/** An element: attributes, `on` for listeners, `data` for data attributes; what is null or false is left out. */
export function h(tag, props = {}, ...kids) {
  const el = document.createElement(tag);
  let value;
  for (const [name, it] of Object.entries(props ?? {})) {
    if (it === undefined || it === null || it === false) continue;
    if (name === "on") for (const [type, heard] of Object.entries(it)) el.addEventListener(type, heard);
    else if (name === "data") Object.assign(el.dataset, it);
    else if (name === "value") value = it;
    else el.setAttribute(name, it === true ? "" : it);
  }
  add(el, kids);
  // After the options that it chooses from.
  if (value !== undefined) el.value = value;
  return el;
}

/** Puts children in: strings are text, lists are flattened, nothing is nothing. */
export function add(el, ...kids) {
  for (const kid of kids.flat(Infinity)) {
    if (kid !== undefined && kid !== null && kid !== false && kid !== "") el.append(kid);
  }
  return el;
}

/** Other children in place of the ones that were there. */
export function fill(el, ...kids) {
  el.replaceChildren();
  return add(el, ...kids);
}

const shelves = new WeakMap();

/** A list that keeps the elements of what stayed, so that focus and scrolling stay as well. */
export function keyed(parent, items, keyOf, make, update) {
  const before = shelves.get(parent) ?? new Map();
  const after = new Map();
  items.forEach((item, at) => {
    const key = String(keyOf(item));
    const el = before.get(key) ?? make(item);
    update?.(el, item);
    after.set(key, el);
    if (parent.children[at] !== el) parent.insertBefore(el, parent.children[at] ?? null);
  });
  for (const [key, el] of before) if (!after.has(key)) el.remove();
  shelves.set(parent, after);
}

let ids = 0;

/** An id that nothing else has. */
export const fresh = (word) => `${word}-${++ids}`;

/** Calls it when nobody asked for so long. */
export function later(ms, work) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
}

/** Whether somebody is in the middle of writing. */
export function isWriting() {
  const el = document.activeElement;
  return el?.matches?.("input, textarea, select") ?? false;
}
