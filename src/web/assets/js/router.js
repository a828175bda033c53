// The view is what stands behind the hash: it survives a sign-in, a reload and the browser's back button.

/** `#/people/ana?from=live` as name, rest and query. */
export function here() {
  const [path, asked = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { name, rest, query: Object.fromEntries(new URLSearchParams(asked)) };
}

/** The address of a view. */
export function href(name, rest = [], query = {}) {
  const path = [name, ...rest].map(encodeURIComponent).join("/");
  const asked = new URLSearchParams(query).toString();
  return `#/${path}${asked ? `?${asked}` : ""}`;
}

/** Goes there. */
export function go(...where) {
  location.hash = href(...where);
}

/** Another address for the same view: no new step for the back button, no new view. */
export function stay(...where) {
  history.replaceState(null, "", href(...where));
}
