// Elements out of words. Names come from strangers: they are only ever set as text, never as markup.

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: Event) => void)>} attributes functions listen: `{ click: … }`
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function inputOf(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/**
 * Shows other children where they differ from those that are there. Of those that stay the same nothing is touched: the focus and
 * the place that is scrolled to are kept.
 *
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} children
 */
export function show(parent, children) {
  const before = [...parent.children];
  children.forEach((child, at) => {
    const old = before[at];
    if (old === undefined) parent.append(child);
    else if (!old.isEqualNode(child)) replace(old, child);
  });
  for (const old of before.slice(children.length)) old.remove();
}

/**
 * @param {Element} old
 * @param {HTMLElement} child
 */
function replace(old, child) {
  const had = old.contains(document.activeElement);
  const key = had ? document.activeElement?.getAttribute("data-key") : null;
  old.replaceWith(child);
  if (!had) return;
  const next =
    child.getAttribute("data-key") === key ? child : child.querySelector(`[data-key="${CSS.escape(key ?? "")}"]`);
  if (next instanceof HTMLElement) next.focus();
}
