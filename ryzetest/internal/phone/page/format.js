// WhatsApp's formatting, as nodes. Nothing is ever parsed as HTML.

import { h, address } from './dom.js';
import { t } from './i18n.js';

const marks = { '*': 'strong', '_': 'em', '~': 's' };
const word = /[\p{L}\p{N}]/u;
// An address ends before a character that turns the direction: it would be read as another.
const urls = /\bhttps?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giy;
const longest = 3000;

/** rich returns the nodes of a message's text. */
export function rich(text, { mentions = [], everyone = false } = {}) {
  const names = new Map();
  for (const m of mentions) {
    if (m.jid) names.set(m.jid.split('@')[0].split(':')[0], m.name || m.jid.split('@')[0]);
  }
  const box = h('div', { class: 'text', dir: 'auto' });
  const show = part => blocks(part, { names, everyone }).forEach(n => box.append(n));
  if (text.length <= longest * 1.2) {
    show(text);
    return box;
  }
  // Cut at a space, so that a word is not torn.
  const cut = Math.max(text.lastIndexOf(' ', longest), text.lastIndexOf('\n', longest), longest - 200);
  show(text.slice(0, cut) + '…');
  box.append(h('button', {
    class: 'link-button', text: t('readMore'), on: { click: () => { box.textContent = ''; show(text); } },
  }));
  return box;
}

function blocks(text, context) {
  const out = [];
  // Every second part lies between two fences.
  const parts = text.split('```');
  const fences = parts.length % 2 ? parts.length : parts.length - 1;
  for (let i = 0; i < parts.length; i++) {
    if (i % 2 && i < fences) {
      if (parts[i].trim()) out.push(h('pre', { text: parts[i].replace(/^\n|\n$/g, ''), tabindex: '0' }));
      continue;
    }
    const part = (i % 2 ? '```' : '') + parts[i];
    out.push(...lines(i ? part.replace(/^\n/, '') : part, context));
  }
  return out;
}

const kinds = [
  ['quote', /^> (.*)$/],
  ['bullets', /^[-*] (.+)$/],
  ['numbers', /^(\d{1,3})\. (.+)$/],
];

function lines(text, context) {
  const out = [];
  let open = null; // the list or quote that the last line went into
  let plain = null;
  for (const line of text.split('\n')) {
    const found = kinds.map(([kind, re]) => [kind, re.exec(line)]).find(([, m]) => m);
    if (!found) {
      open = null;
      if (plain) plain.append(h('br'));
      else out.push(plain = h('p'));
      inline(line, context, plain);
      continue;
    }
    plain = null;
    const [kind, m] = found;
    if (!open || open.kind !== kind) {
      const el = h({ quote: 'blockquote', bullets: 'ul', numbers: 'ol' }[kind], kind === 'numbers' && m[1] !== '1' ? { start: m[1] } : {});
      open = { kind, el };
      out.push(el);
    }
    if (kind === 'quote') {
      if (open.el.childNodes.length) open.el.append(h('br'));
      inline(m[1], context, open.el);
    } else {
      const li = h('li');
      inline(m[m.length - 1], context, li);
      open.el.append(li);
    }
  }
  return out;
}

// inline costs time in proportion to the text: what has no end on this line is
// looked for once, and marks of one kind do not nest in themselves.
function inline(text, context, into, within = '') {
  const hopeless = {};
  let plain = '';
  const flush = () => {
    if (plain) into.append(plain);
    plain = '';
  };
  for (let i = 0; i < text.length;) {
    const c = text[i];
    const free = i === 0 || !word.test(text[i - 1]);
    if ((marks[c] && !within.includes(c) || c === '`') && free && !hopeless[c]) {
      const end = closing(text, i, c);
      if (end > 0) {
        flush();
        if (c === '`') into.append(h('code', { text: text.slice(i + 1, end) }));
        else {
          const el = h(marks[c]);
          inline(text.slice(i + 1, end), context, el, within + c);
          into.append(el);
        }
        i = end + 1;
        continue;
      }
      if (end === 0) hopeless[c] = true;
    }
    if (c === '@' && free) {
      const m = /^@(\d{5,20})/.exec(text.slice(i, i + 21));
      const name = m && context.names.get(m[1]);
      const all = context.everyone && /^@(all|todos|everyone)\b/i.exec(text.slice(i, i + 10));
      if (name || all) {
        flush();
        into.append(h('span', { class: 'mention', text: name ? '@' + name.replace(/^@/, '') : all[0] }));
        i += (name ? m : all)[0].length;
        continue;
      }
    }
    if ((c === 'h' || c === 'H') && free) {
      urls.lastIndex = i;
      const m = urls.exec(text);
      const shown = m && m[0].replace(/[.,;:!?)\]*_~]+$/, '');
      if (shown && address(shown)) {
        flush();
        into.append(link(shown));
        i += shown.length;
        continue;
      }
    }
    plain += c;
    i++;
  }
  flush();
}

// closing finds the end of a mark: 0 when the line has none, -1 when the mark
// at i opens nothing.
function closing(text, i, c) {
  if (i + 1 >= text.length || text[i + 1] === ' ' || text[i + 1] === c) return -1;
  for (let end = text.indexOf(c, i + 2); end > 0; end = text.indexOf(c, end + 1)) {
    if (text[end - 1] !== ' ' && (end + 1 >= text.length || !word.test(text[end + 1]))) return end;
  }
  return 0;
}

/** link shows the whole address: a link is where it says that it goes. */
export function link(text, label = text) {
  const href = address(text);
  if (!href) return h('span', { text: label });
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow', text: label, title: text });
}

// Letters of zero width, and those that are blank.
const unseen = /[\s\p{C}\p{Z}\p{Mn}\u115f\u1160\u2800\u3164\uffa0]/gu;

/** visible says whether any of a text can be seen. */
export const visible = text => text.length > 200 || text.replace(unseen, '') !== '';

/** plainText is the text of a message without its marks, for one line. */
export function plainText(text) {
  return String(text || '').replace(/```/g, '').replace(/(^|[^\p{L}\p{N}])([*_~`])(?=\S)([^\n]*?\S)\2(?![\p{L}\p{N}])/gu, '$1$3').replace(/\s+/g, ' ').slice(0, 160);
}
