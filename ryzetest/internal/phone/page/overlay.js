// What lies over the page: dialogs, menus, notices. Escape closes each, and the
// focus goes back to where it was.

import { h, arrows, style, uid } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';

/** dialog shows a dialog; the body is nodes, actions are buttons. */
export function dialog({ title, body, actions = [], className = '', onClose }) {
  const from = document.activeElement;
  const id = uid('dialog');
  const el = h('dialog', { class: `dialog ${className}`, 'aria-labelledby': id });
  const close = () => el.close();
  const head = h('header', {}, h('h2', { id, text: title }), h('button', { type: 'button', class: 'round', 'aria-label': t('close'), on: { click: close } }, icon('close')));
  const foot = actions.length ? h('footer', {}, actions) : '';
  el.append(head, h('div', { class: 'dialog-body' }, body), foot);
  el.addEventListener('click', event => {
    if (event.target === el) close(); // the backdrop
  });
  el.addEventListener('close', () => {
    el.remove();
    onClose?.();
    if (from?.isConnected && (document.activeElement === document.body || !document.activeElement)) from.focus();
  });
  document.body.append(el);
  el.showModal();
  return { el, close };
}

/** ask shows a form; done is called with its values and may throw a message. */
export function ask({ title, fields, submit, done, note, danger, className }) {
  const form = h('form', { class: 'form', method: 'dialog' });
  const inputs = new Map();
  const error = h('p', { class: 'error', role: 'alert' });
  if (note) form.append(h('p', { class: 'explain', text: note }));
  for (const f of fields) {
    const id = uid('field');
    let input;
    if (f.type === 'checks') {
      input = h('fieldset', { class: 'checks' }, h('legend', { text: f.label }), f.options.map(o => h('label', {},
        h('input', { type: 'checkbox', value: o.value, checked: o.checked }), h('span', { text: o.label }), o.detail ? h('small', { text: o.detail }) : '')));
      input.read = () => [...input.querySelectorAll('input:checked')].map(i => i.value);
      form.append(input);
    } else if (f.type === 'check') {
      const box = h('input', { type: 'checkbox', id, checked: f.value });
      form.append(h('label', { class: 'check' }, box, h('span', {}, f.label, f.hint ? h('small', { text: f.hint }) : '')));
      input = box;
      input.read = () => box.checked;
    } else {
      const attributes = { id, name: f.name, value: f.value ?? '', placeholder: f.placeholder, required: f.required, autocomplete: 'off', 'aria-describedby': f.hint ? id + 'h' : null };
      if (f.type === 'select') input = h('select', { id }, f.options.map(o => h('option', { value: o.value, text: o.label })));
      else if (f.type === 'textarea') input = h('textarea', { ...attributes, rows: 3 });
      else input = h('input', { ...attributes, type: f.type || 'text', min: f.min, max: f.max, step: f.step, inputmode: f.inputmode });
      if (f.type === 'select' && f.value !== undefined) input.value = f.value;
      input.read = () => input.value.trim();
      form.append(h('div', { class: 'field' }, h('label', { for: id, text: f.label }), input, f.hint ? h('small', { id: id + 'h', text: f.hint }) : ''));
    }
    inputs.set(f.name, input);
  }
  form.append(error);
  const send = h('button', { class: danger ? 'danger' : 'primary', text: submit, type: 'submit' });
  form.id = uid('form');
  send.setAttribute('form', form.id);
  const d = dialog({ title, className, body: form, actions: [h('button', { type: 'button', text: t('cancel'), on: { click: () => d.close() } }), send] });
  form.addEventListener('submit', async event => {
    event.preventDefault();
    if (send.disabled) return;
    error.textContent = '';
    send.disabled = true;
    try {
      await done(Object.fromEntries([...inputs].map(([name, i]) => [name, i.read()])));
      d.close();
    } catch (e) {
      error.textContent = e.message || t('failed');
    }
    send.disabled = false;
  });
  const first = [...inputs.values()][0];
  (first?.matches?.('fieldset') ? first.querySelector('input') : first)?.focus();
  if (!first) send.focus();
  return d;
}

/** confirm asks before something that cannot be undone. */
export const confirm = ({ title, note, submit, done }) => ask({ title, note, fields: [], submit, done, danger: true });

let open = null;

/** menu shows choices at an element or a point: {label, icon, act, bad} or nodes. */
export function menu(items, { from, x, y, label }) {
  closeMenu();
  const back = document.activeElement;
  const el = h('div', { class: 'menu', role: 'menu', 'aria-label': label || t('actions') });
  for (const item of items.filter(Boolean)) {
    if (item.nodeType) el.append(item);
    else if (item === 'line' || item.line) el.append(h('hr'));
    else {
      el.append(h('button', {
        role: item.checked === undefined ? 'menuitem' : 'menuitemradio', 'aria-checked': item.checked === undefined ? null : String(item.checked),
        class: item.bad ? 'bad' : '', tabindex: '-1', disabled: item.disabled,
        on: { click: () => { closeMenu(); item.act(); } },
      }, item.icon ? icon(item.icon) : h('span', { class: 'no-icon' }), h('span', { text: item.label }), item.detail ? h('small', { text: item.detail }) : '', item.checked ? icon('check') : ''));
    }
  }
  // A modal dialog makes everything outside of it inert.
  (document.querySelector('dialog[open]') || document.body).append(el);
  const box = from?.getBoundingClientRect();
  const width = el.offsetWidth;
  const height = el.offsetHeight;
  let left = x ?? (box.left + width > innerWidth - 8 ? box.right - width : box.left);
  let top = y ?? (box.bottom + 4 + height > innerHeight - 8 && box.top > height ? box.top - 4 - height : box.bottom + 4);
  left = Math.max(8, Math.min(left, innerWidth - width - 8));
  top = Math.max(8, Math.min(top, innerHeight - height - 8));
  style(el, { left: `${left}px`, top: `${top}px` });
  arrows(el, 'button');
  arrows(el, '.quick button', { horizontal: true });
  const outside = event => {
    if (!el.contains(event.target)) closeMenu(false);
  };
  const keys = event => {
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      event.stopPropagation();
      closeMenu();
    }
  };
  el.addEventListener('keydown', keys);
  setTimeout(() => document.addEventListener('pointerdown', outside, true));
  from?.setAttribute?.('aria-expanded', 'true');
  open = {
    close(giveBack) {
      document.removeEventListener('pointerdown', outside, true);
      el.remove();
      from?.removeAttribute?.('aria-expanded');
      open = null;
      if (giveBack && back?.isConnected) back.focus();
    },
  };
  (el.querySelector('[aria-checked="true"]') || el.querySelector('button'))?.focus();
}

export function closeMenu(giveBack = true) {
  open?.close(giveBack);
}

let notices;
/** notice tells something for some seconds. */
export function notice(text, { bad = false } = {}) {
  if (!notices) notices = h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });
  const root = document.querySelector('dialog[open]') || document.body;
  if (notices.parentElement !== root) root.append(notices);
  const el = h('div', { class: `notice ${bad ? 'bad' : ''}` }, icon(bad ? 'alert' : 'check'), h('span', { text }),
    h('button', { class: 'round', 'aria-label': t('close'), on: { click: () => el.remove() } }, icon('close')));
  notices.append(el);
  while (notices.childElementCount > 3) notices.firstChild.remove();
  setTimeout(() => {
    el.remove();
    if (notices.parentElement !== document.body && !document.querySelector('dialog[open]')) document.body.append(notices);
  }, bad ? 8000 : 3500);
}

/** attempt runs something that a person asked for, and tells when it failed. */
export async function attempt(work, success) {
  try {
    const value = await work();
    if (success) notice(success);
    return value ?? true;
  } catch (error) {
    notice(error.name === 'LostError' || error.constructor.name === 'LostError' ? t('noAnswer') : error.message, { bad: true });
    return undefined;
  }
}

export const emojis = '👍 ❤️ 😂 😮 😢 🙏 😀 😊 😍 😘 😎 🤔 😅 😭 😡 🥳 🎉 🔥 ✨ 💯 👏 🙌 👀 💪 🤝 👋 ✅ ❌ ⏰ 📦 🍕 🍝 🥗 ☕ 🎁 💚'.split(' ');

/** emojiMenu lets choose one of some emojis, or another. */
export function emojiMenu(place, done, { current } = {}) {
  const grid = h('div', { class: 'emoji-grid', role: 'none' }, emojis.map(e => h('button', {
    role: 'menuitem', tabindex: '-1', text: e, class: e === current ? 'on' : '', on: { click: () => { closeMenu(); done(e); } },
  })));
  menu([grid], { ...place, label: t('emoji') });
  grid.addEventListener('keydown', event => {
    const all = [...grid.children];
    const columns = Math.max(1, Math.round(grid.clientWidth / all[0].offsetWidth));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const i = all.indexOf(event.target);
    if (!step || !all[i + step]) return;
    event.preventDefault();
    event.stopPropagation();
    all[i + step].focus();
  });
}
