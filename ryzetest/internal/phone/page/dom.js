// Elements are made by functions, never from text: nothing that a message says
// can become markup.

/**
 * h makes an element. Properties: class, text, on (listeners by event), data,
 * and attributes; false, null and undefined leave one out. Styles are set with
 * style() because the page's policy forbids style attributes.
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    switch (name) {
      case 'class': el.className = value; break;
      case 'text': el.textContent = value; break;
      case 'value': el.value = value; break;
      case 'on': for (const [event, f] of Object.entries(value)) el.addEventListener(event, f); break;
      case 'data': Object.assign(el.dataset, value); break;
      case 'checked': case 'disabled': case 'hidden': case 'open': case 'muted': case 'controls': case 'autofocus':
        el[name] = Boolean(value); break;
      default: el.setAttribute(name, value === true ? '' : String(value));
    }
  }
  append(el, children);
  return el;
}

function append(el, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    el.append(child);
  }
}

/** fill replaces the children of an element. */
export function fill(el, ...children) {
  el.textContent = '';
  append(el, children);
  return el;
}

export function style(el, properties) {
  for (const [name, value] of Object.entries(properties)) el.style.setProperty(name, value);
  return el;
}

/**
 * keyed makes the children of el be those of items, in order. A child is kept
 * while its signature stays the same, so that focus and players survive;
 * update, when there is one, changes a kept child in place.
 */
export function keyed(el, items, { key, signature, render, update }) {
  const old = new Map();
  for (const child of [...el.children]) {
    if (child.signature === undefined) child.remove(); // a placeholder
    else old.set(child.dataset.key, child);
  }
  const focused = document.activeElement;
  // What goes does so first: the others need not move then, and a button that is
  // pressed keeps its click.
  const wanted = new Set(items.map(item => String(key(item))));
  for (const [k, node] of old) {
    if (!wanted.has(k)) node.remove();
  }
  let at = el.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    const sign = signature(item);
    let node = old.get(k);
    old.delete(k);
    if (!node || node.signature !== sign) {
      const fresh = render(item);
      fresh.dataset.key = k;
      fresh.signature = sign;
      if (node) {
        const path = node.contains(focused) ? pathTo(node, focused) : null;
        if (at === node) at = fresh;
        node.replaceWith(fresh);
        if (path) restore(fresh, path, focused);
        fresh.classList.add('kept');
      }
      node = fresh;
    }
    if (update) update(node, item);
    if (at === node) at = at.nextElementSibling;
    else el.insertBefore(node, at);
  }
  for (const node of old.values()) node.remove();
}

// A node that is replaced while it has the focus gives it to the element that
// stands at the same place in the new one.
function pathTo(root, el) {
  const path = [];
  for (let n = el; n !== root; n = n.parentElement) path.unshift([...n.parentElement.children].indexOf(n));
  return path;
}

function restore(root, path, was) {
  let n = root;
  for (const i of path) {
    if (!n.children[i]) break;
    n = n.children[i];
  }
  if (n.tagName !== was.tagName || n.disabled) n = root.querySelector('button:not([disabled]), [tabindex]') || root;
  n.focus({ preventScroll: true });
}

/** arrows lets the arrow keys, Home and End move the focus among elements. */
export function arrows(container, selector, { horizontal = false, onMove } = {}) {
  container.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest('input, textarea, select, audio, video')) return;
    const next = horizontal ? 'ArrowRight' : 'ArrowDown';
    const previous = horizontal ? 'ArrowLeft' : 'ArrowUp';
    if (![next, previous, 'Home', 'End'].includes(event.key)) return;
    const all = [...container.querySelectorAll(selector)].filter(e => e.offsetParent !== null && !e.disabled);
    if (!all.length) return;
    const current = event.target.closest(selector);
    let i = all.indexOf(current);
    if (event.key === next) i = Math.min(all.length - 1, i + 1);
    else if (event.key === previous) i = i < 0 ? all.length - 1 : Math.max(0, i - 1);
    else i = event.key === 'Home' ? 0 : all.length - 1;
    event.preventDefault();
    all[i].focus();
    onMove?.(all[i]);
  });
}

/** roving keeps one element of a list in the order of the tab key. */
export function roving(container, selector, chosen) {
  const all = [...container.querySelectorAll(selector)];
  const one = all.find(e => e === document.activeElement) || all.find(chosen) || all[0];
  for (const e of all) e.tabIndex = e === one ? 0 : -1;
}

let announcer;
/** announce reads a text to people who listen to the page. */
export function announce(text) {
  if (!announcer) {
    announcer = h('div', { class: 'unseen', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions' });
    document.body.append(announcer);
  }
  announcer.append(h('p', { text: text.slice(0, 300) }));
  while (announcer.childElementCount > 5) announcer.firstChild.remove();
}

/** address returns a link's address when it is one to follow, else ''. */
export function address(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : '';
  } catch {
    return '';
  }
}

let serial = 0;
export const uid = prefix => `${prefix}-${++serial}`;

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed, or not a secure context: the old way.
    const field = h('textarea', { class: 'unseen', value: text, 'aria-hidden': 'true' });
    const root = document.querySelector('dialog[open]') || document.body;
    root.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

/** folding is a section whose heading hides what is below it. */
export function folding(name, remember, ...children) {
  const id = uid(name);
  const title = h('span');
  const body = h('div', { class: 'folding', id }, children);
  const button = h('button', { class: 'fold', 'aria-controls': id, on: { click: () => set(body.hidden) } }, title);
  const set = open => {
    body.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    remember(name, open ? '' : 'closed');
  };
  set(remember(name) !== 'closed');
  return { el: h('section', { class: `${name}-pane` }, h('div', { class: 'pane-head' }, h('h2', {}, button))), body, button, title };
}
