// One message, drawn as people know it. Everything that comes from a message
// becomes text nodes; addresses that it names are never loaded.

import { h, style, address } from './dom.js';
import { icon, ticks, svgElement } from './icons.js';
import { t, clockTime, dateTime, day, length, size, phone, money, month, number } from './i18n.js';
import { rich, visible, plainText, link } from './format.js';
import { local } from './api.js';
import { now } from './store.js';
import { nameOf, hue, avatar } from './people.js';
import { player } from './voice.js';

/** kindOf says how a message is drawn, whatever the service calls its type. */
export function kindOf(m) {
  if (m.revoked) return 'revoked';
  if (m.answer) return 'answer';
  for (const kind of ['poll', 'location', 'carousel', 'list', 'buttons', 'form', 'pix', 'event']) if (m[kind]) return kind;
  if (m.cards?.length) return 'cards';
  if (m.media) return m.media.kind || 'document';
  if (m.text || m.kind === 'text' || m.kind === 'status') return 'text';
  return 'unknown';
}

// A quote, or the last message of a chat, says its kind and its text only.
const shortNames = {
  image: 'picture', video: 'video', audio: 'audio', document: 'document', sticker: 'sticker', location: 'location', contact: 'contact',
  poll: 'poll', list: 'options', buttons: 'options', interactive: 'form', pix: 'pix', event: 'event', buttons_response: 'tapped', list_response: 'row', template_button_reply: 'tapped',
};
const shortIcons = { contact: 'person', event: 'calendar', buttons_response: 'check', list_response: 'list', template_button_reply: 'check' };

function shortSummary(m) {
  if (m.revoked) return { icon: 'ban', text: t('revoked') };
  if (m.kind === 'reaction') return { text: m.text };
  const name = m.kind === 'pix' ? 'PIX' : m.voice ? t('voiceNote') : shortNames[m.kind] ? t(shortNames[m.kind]) : '';
  const sign = m.voice ? 'mic' : shortIcons[m.kind] || (['buttons', 'interactive'].includes(m.kind) ? '' : pictured[m.kind]);
  return { icon: sign, text: oneLine(m.text) || name || t('unknownKind', { kind: m.kind }) };
}

const pictured = {
  image: 'image', video: 'video', audio: 'audio', voice: 'mic', document: 'file', sticker: 'sticker', location: 'location',
  cards: 'person', poll: 'poll', pix: 'pix', event: 'calendar', form: 'form', list: 'list', carousel: 'list', revoked: 'ban',
};

const oneLine = text => (text && !visible(text) ? t('invisibleText') : plainText(text));

/** summary is a message in one line: {icon, text}. */
export function summary(m) {
  // Only whole messages have a chat.
  if (!m.chat) return shortSummary(m);
  const kind = kindOf(m);
  const voice = m.media?.voice && kind === 'audio';
  const text = {
    revoked: () => t('revoked'),
    answer: () => answerText(m.answer, m),
    poll: () => m.poll.question,
    location: () => m.location.name || t('location'),
    cards: () => m.cards.map(c => c.name).join(', '),
    list: () => m.list.body || m.list.title,
    buttons: () => m.buttons.body || m.buttons.header,
    carousel: () => m.carousel.body || m.carousel.cards?.[0]?.title || t('carousel'),
    form: () => formParts(m).body || t('form'),
    pix: () => `PIX · ${pixParts(m.pix).merchant}`,
    event: () => m.event.name,
    document: () => m.text || m.media?.fileName || t('document'),
    audio: () => m.text || `${voice ? t('voiceNote') : t('audio')}${m.media?.duration ? ' · ' + length(m.media.duration) : ''}`,
    image: () => m.text || t('picture'), video: () => m.text || t('video'), sticker: () => t('sticker'),
    unknown: () => t('unknownKind', { kind: m.kind }),
  }[kind];
  return { icon: pictured[voice ? 'voice' : kind], text: oneLine(text ? text() || m.text : m.text) };
}

/**
 * bubble draws a message. context: {chat, instance, first, last, group, act,
 * voter}; act(name, message, value) does what was tapped.
 */
export function bubble(m, context) {
  const kind = kindOf(m);
  const mine = m.fromMe;
  const who = mine ? context.instance : nameOf(m.sender, m.senderName);
  const bare = (kind === 'sticker') && !m.quoted;
  const box = h('article', {
    class: `bubble is-${kind} ${bare ? 'bare' : ''}`, tabindex: '-1',
    'aria-label': `${who}, ${clockTime(new Date(m.timestamp))}`,
    on: {
      contextmenu: event => {
        if (event.target.closest('a, input, video') || String(getSelection())) return;
        event.preventDefault();
        context.act('menu', m, { x: event.clientX, y: event.clientY, from: box });
      },
      dblclick: event => {
        if (!event.target.closest('button, a, input, video, .text')) context.act('reply', m);
      },
    },
  });
  if (!mine && context.group && context.first && !bare) {
    box.append(h('div', { class: `author name-${hue(m.sender)}` }, h('b', { text: who }), h('small', { text: phoneOf(m) })));
  }
  if (m.forwarded && kind !== 'revoked') box.append(h('div', { class: 'note' }, icon('forwarded'), t('forwarded')));
  if (m.quoted && kind !== 'revoked') box.append(quote(m.quoted, context));
  if (m.mentionAll) box.append(h('div', { class: 'note' }, icon('at'), t('mentionsAll')));
  const draw = drawers[kind] || drawers.unknown;
  box.append(...[draw(m, context)].flat().filter(Boolean));
  box.append(foot(m, kind));
  // Buttons lie below the time, as on a phone.
  const taps = tapArea(m, kind, context);
  if (taps) box.append(taps);
  box.append(h('button', {
    class: 'more', 'aria-label': t('actionsFor', { name: who }), title: t('actions'), 'aria-haspopup': 'menu', tabindex: '-1',
    on: { click: event => { event.stopPropagation(); context.act('menu', m, { from: event.currentTarget }); } },
  }, icon('down')));
  return box;
}

const phoneOf = m => {
  const text = phone(m.sender?.split('@')[0]);
  return /@lid$/.test(m.sender || '') || m.senderName === text ? '' : text;
};

function quote(q, context) {
  const mine = q.fromMe;
  const name = mine ? context.instance : nameOf(q.sender, q.senderName);
  const line = summary(q);
  return h('button', {
    class: `quote edge-${mine ? 'own' : hue(q.sender)}`, title: t('toQuoted'),
    on: { click: () => context.act('jump', null, q.id) },
  }, h('b', { class: mine ? 'own' : `name-${hue(q.sender)}`, text: name }),
  h('span', {}, line.icon ? icon(line.icon) : '', h('span', { dir: 'auto', text: line.text || '' })));
}

function foot(m, kind) {
  const at = new Date(m.timestamp);
  const marks = [];
  if (m.starred) marks.push(h('span', { class: 'mark', title: t('starred') }, icon('star')));
  if (m.pinned) marks.push(h('span', { class: 'mark', title: t('pinned') }, icon('pin')));
  if (m.deleted) marks.push(h('span', { class: 'mark', title: t('deletedHere') }, icon('trash'), t('deletedHere')));
  return h('div', { class: 'foot' },
    marks,
    m.answer ? h('span', { class: 'source', text: answerNote(m.answer) }) : '',
    m.fromMe && m.source ? h('span', { class: 'source', text: m.source, title: t('sourceTitle') }) : '',
    m.fromMe && !m.source ? h('span', { class: 'source', title: t('fromPhoneTitle') }, icon('phone')) : '',
    m.edited && kind !== 'revoked' ? h('span', { text: t('edited') }) : '',
    h('time', { datetime: m.timestamp, title: dateTime(at), text: clockTime(at) }),
    h('span', { class: 'tick-place' }));
}

/** refreshTicks draws how far a message got, in place. */
export function refreshTicks(el, m, context) {
  const place = el.querySelector('.tick-place');
  if (!place) return;
  const sign = `${m.status}${context.instance}${document.documentElement.lang}`;
  if (place.dataset.sign === sign) return;
  place.dataset.sign = sign;
  place.textContent = '';
  if (m.revoked || !m.status) return;
  const label = m.fromMe ? t(`status_${m.status}`) : m.status === 'read' ? t('readBy', { name: context.instance }) : t('notReadBy', { name: context.instance });
  place.append(ticks(m.status, label));
}

/** reactions draws the emojis that a message got. */
export function reactions(m, context) {
  const groups = new Map();
  for (const r of m.reactions || []) {
    if (!r.emoji) continue;
    if (!groups.has(r.emoji)) groups.set(r.emoji, []);
    groups.get(r.emoji).push(r.fromMe ? context.instance : nameOf(r.who, r.name));
  }
  if (!groups.size) return null;
  const names = [...groups].map(([emoji, who]) => `${emoji} ${who.join(', ')}`).join('\n');
  const total = [...groups.values()].reduce((n, who) => n + who.length, 0);
  return h('button', {
    class: 'reactions', title: names, 'aria-label': `${t('reactions')}: ${names.replace(/\n/g, '; ')}`,
    on: { click: event => context.act('react', m, { from: event.currentTarget }) },
  }, [...groups.keys()].slice(0, 5).map(e => h('span', { text: e })), total > 1 ? h('small', { text: number(total) }) : '');
}

// ---- the kinds

const textOf = (text, m) => (text && !visible(text) ? h('div', { class: 'note' }, t('invisibleText')) : text ? rich(text, { mentions: m.mentions || [], everyone: m.mentionAll }) : null);

// legible is black or white, whichever can be read on a colour.
function legible(hex) {
  const full = hex.length === 4 ? hex.slice(1).replace(/./g, '$&$&') : hex.slice(1);
  const [r, g, b] = [0, 2, 4].map(i => (parseInt(full.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#000' : '#fff';
}

const onlyEmoji = /^(?:\p{Extended_Pictographic}[\p{Emoji_Modifier}\u200d\ufe0f]*|\p{Regional_Indicator}{2}){1,3}$/u;

const drawers = {
  revoked: () => h('div', { class: 'gone' }, icon('ban'), h('span', { text: t('revoked') })),

  text(m) {
    const el = textOf(m.text || '', m) || h('div', { class: 'text' });
    if (m.style) {
      el.classList.add('status-card');
      if (m.style.backgroundColor) style(el, { background: m.style.backgroundColor, color: legible(m.style.backgroundColor) });
    }
    if (m.text && m.text.length < 40 && onlyEmoji.test(m.text.trim())) el.classList.add('emoji');
    return el;
  },

  answer: m => [
    h('div', { class: 'answer' }, icon(m.answer.kind === 'form' ? 'form' : m.answer.kind === 'list' ? 'list' : 'check'), h('span', { text: answerText(m.answer, m) })),
    m.answer.values && Object.keys(m.answer.values).length ? h('dl', { class: 'values' }, Object.entries(m.answer.values).map(([name, value]) => [
      h('dt', { text: fieldLabel(name) }), h('dd', { text: typeof value === 'string' ? value : JSON.stringify(value) }),
    ])) : null,
  ],

  image: (m, c) => [picture(m.media, m, c), textOf(m.text, m)],
  video: (m, c) => [video(m.media, c), textOf(m.text, m)],
  audio: (m, c) => [sound(m, c), textOf(m.text, m)],
  document: (m, c) => [fileCard(m.media, c), m.text && m.text !== m.media?.fileName ? textOf(m.text, m) : null],

  sticker(m) {
    const url = local(m.media.url);
    if (!url) return [missing(m.media, 'sticker')];
    return h('img', { class: 'sticker-image', src: url, alt: t('sticker'), loading: 'lazy', decoding: 'async', on: { error: event => event.target.replaceWith(missing(m.media, 'sticker')) } });
  },

  location(m) {
    const { name, address: place } = m.location;
    const [lat, long] = [m.location.latitude ?? 0, m.location.longitude ?? 0];
    return h('div', { class: 'place' }, map(lat, long), h('div', { class: 'place-text' },
      name ? h('b', { text: name }) : '', place ? h('span', { text: place }) : '',
      h('small', { text: `${lat.toFixed(5)}, ${long.toFixed(5)}` })));
  },

  cards: m => h('div', { class: 'contacts' }, m.cards.map(card => h('div', { class: 'contact' },
    avatar({ jid: card.phones?.[0] || card.name, name: card.name }),
    h('div', {}, h('b', { dir: 'auto', text: card.name || t('contact') }), (card.phones || []).map(p => h('span', { text: phone(p) || p })),
      [card.organization, card.email, card.url].filter(Boolean).map(x => h('span', { dir: 'auto', text: x })))))),

  poll(m, c) {
    const options = m.poll.options || [];
    const max = m.poll.max || 1;
    const most = Math.max(1, ...options.map(o => o.votes || 0));
    const voters = new Set(options.flatMap(o => o.voters || []));
    const mine = option => c.voter && (option.voters || []).includes(c.voter.name);
    return h('div', { class: 'poll', role: 'group', 'aria-label': m.poll.question },
      h('b', { class: 'poll-question', dir: 'auto', text: m.poll.question }),
      h('small', { class: 'hint' }, icon('check'), max === 1 ? t('pollOne') : t('pollMax', { n: max })),
      options.map(option => h('button', {
        class: 'option', role: max === 1 ? 'radio' : 'checkbox', 'aria-checked': String(Boolean(mine(option))), disabled: !c.voter || !m.fromMe,
        title: (option.voters || []).join(', '),
        on: { click: () => c.act('vote', m, { option: option.title, max, mine: options.filter(mine).map(o => o.title) }) },
      },
      h('span', { class: 'option-mark' }, icon('check')),
      h('span', { class: 'option-title', dir: 'auto', text: option.title }),
      h('span', { class: 'option-count', text: number(option.votes || 0) }),
      h('span', { class: 'option-bar' }, style(h('i'), { width: `${100 * (option.votes || 0) / most}%` })))),
      h('small', { class: 'hint', text: t('voters', { n: voters.size || options.reduce((n, o) => n + (o.votes || 0), 0) }) }));
  },

  buttons(m, c) {
    const b = m.buttons;
    const media = b.media && typeof b.media === 'object' ? b.media : null;
    return [media ? anyMedia(media, m, c) : null, b.header ? h('b', { class: 'head', dir: 'auto', text: b.header }) : null,
      textOf(b.body || m.text, m), b.footer ? h('small', { class: 'foot-text', dir: 'auto', text: b.footer }) : null];
  },

  list(m) {
    const l = m.list;
    return [l.title ? h('b', { class: 'head', dir: 'auto', text: l.title }) : null, textOf(l.body || m.text, m),
      l.footer ? h('small', { class: 'foot-text', dir: 'auto', text: l.footer }) : null];
  },

  carousel(m, c) {
    const cards = m.carousel.cards || [];
    return [textOf(m.carousel.body, m), h('div', { class: 'cards', tabindex: '0', role: 'group', 'aria-label': t('carouselOf', { n: cards.length }) },
      cards.map((card, i) => h('div', { class: 'card', role: 'group', 'aria-label': card.title || t('card', { n: i + 1 }) },
        card.media && typeof card.media === 'object' ? anyMedia(card.media, m, c) : h('div', { class: 'card-art' }, icon('image')),
        h('div', { class: 'card-text' }, card.title ? h('b', { dir: 'auto', text: card.title }) : '',
          card.subtitle ? h('span', { dir: 'auto', text: card.subtitle }) : '',
          textOf(card.body, m), card.footer ? h('small', { dir: 'auto', text: card.footer }) : ''),
        taps(card.buttons || [], m, c, { card: i })))),
    m.carousel.footer ? h('small', { class: 'foot-text', dir: 'auto', text: m.carousel.footer }) : null];
  },

  form: m => [h('div', { class: 'form-head' }, icon('form'), h('small', { text: formParts(m).offer ? t('offer') : t('form') })),
    formParts(m).offer ? h('b', { class: 'head', dir: 'auto', text: formParts(m).offer }) : null, textOf(formParts(m).body, m),
    formParts(m).offerText ? h('small', { class: 'foot-text', dir: 'auto', text: formParts(m).offerText }) : null],

  pix(m, c) {
    const p = pixParts(m.pix);
    return [p.message ? textOf(p.message, m) : null, h('div', { class: 'pix' },
      h('div', { class: 'pix-head' }, h('span', { class: 'pix-mark' }, icon('pix')), h('div', {}, h('b', { dir: 'auto', text: p.merchant }), h('small', { text: t('pixKey', { type: pixType(p.keyType) }) }))),
      p.items.length ? h('ul', { class: 'items' }, p.items.map(i => h('li', {},
        h('span', {}, h('b', { text: `${number(i.quantity || 1)}×` }), ' ', i.name || '', i.description ? h('small', { text: i.description }) : ''),
        h('span', { text: money((i.unitPrice || 0) * (i.quantity || 1)) }))),
      h('li', { class: 'total' }, h('span', { text: t('total') }), h('b', { text: money(p.total) }))) : '',
      h('code', { class: 'pix-code', text: p.key }))];
  },

  event(m, c) {
    const e = m.event;
    const start = date(e.startAt);
    const end = date(e.endAt);
    const same = start && end && start.toDateString() === end.toDateString();
    const place = e.location;
    return h('div', { class: `event ${e.canceled ? 'canceled' : ''}` },
      start ? h('div', { class: 'sheet', 'aria-hidden': 'true' }, h('small', { text: month(start) }), h('b', { text: start.getDate() })) : icon('calendar'),
      h('div', { class: 'event-text' },
        h('b', { dir: 'auto', text: e.name }),
        e.canceled ? h('span', { class: 'bad', text: t('canceled') }) : '',
        start ? h('span', {}, icon('clock'), h('span', { text: `${day(start, new Date(now()))}, ${clockTime(start)}${end ? '–' + (same ? clockTime(end) : dateTime(end)) : ''}` })) : '',
        place?.name || place?.address ? h('span', {}, icon('location'), h('span', { text: [place.name, place.address].filter(Boolean).join(', ') })) : '',
        e.joinLink ? h('span', {}, icon(e.scheduledCall ? 'phone' : 'link'), link(e.joinLink)) : '',
        e.reminderOffsetSec ? h('span', {}, icon('info'), h('span', { text: t('reminderBefore', { time: spoken(e.reminderOffsetSec) }) })) : '',
        e.description ? textOf(e.description, m) : ''));
  },

  unknown: m => h('div', { class: 'gone' }, icon('info'), h('span', { text: t('unknownKind', { kind: m.kind || '?' }) })),
};

const date = text => {
  const d = text ? new Date(text) : null;
  return d && !isNaN(d) ? d : null;
};

function spoken(seconds) {
  if (seconds % 86400 === 0) return t('days', { n: seconds / 86400 });
  if (seconds % 3600 === 0) return t('hours', { n: seconds / 3600 });
  return t('minutes', { n: Math.round(seconds / 60) });
}

// ---- what can be tapped

function tapArea(m, kind, c) {
  if (m.revoked) return null;
  switch (kind) {
    case 'buttons': return taps(m.buttons.buttons || [], m, c, {});
    case 'list': return h('div', { class: 'taps' }, tap('list', m.list.button || t('options'), () => c.act('list', m), !c.voter || !m.fromMe));
    case 'form': return h('div', { class: 'taps' }, tap('form', formParts(m).button || t('fillIn'), () => c.act('form', m), !c.voter || !m.fromMe));
    case 'pix': return h('div', { class: 'taps' }, tap('copy', t('copyPix'), () => c.act('copy', m, pixParts(m.pix).key)));
    case 'cards': return h('div', { class: 'taps' }, tap('copy', t('copyNumber'), () => c.act('copy', m, (m.cards[0].phones || []).join(', '))));
    case 'location': return h('div', { class: 'taps' }, tap('copy', t('copyCoordinates'), () => c.act('copy', m, `${m.location.latitude},${m.location.longitude}`)));
  }
  return null;
}

const tap = (name, label, f, disabled) => h('button', { class: 'tap', disabled, on: { click: f } }, icon(name), h('span', { dir: 'auto', text: label }));

const buttonIcons = { reply: 'reply', url: 'link', call: 'phone', copy: 'copy', pix: 'pix' };

function taps(buttons, m, c, { card }) {
  if (!buttons.length) return null;
  return h('div', { class: 'taps' }, buttons.map(b => {
    const kind = String(b.kind || b.type || 'reply').toLowerCase();
    const label = b.label || b.displayText || b.id || '';
    const value = b.value || b.id || '';
    if (kind === 'url' && address(value)) {
      return h('a', { class: 'tap', href: address(value), target: '_blank', rel: 'noopener noreferrer nofollow', title: value },
        icon('link'), h('span', { class: 'tap-text' }, h('span', { dir: 'auto', text: label }), h('small', { text: value })));
    }
    if (kind === 'reply') return tap('reply', label, () => c.act('tap', m, { id: b.id || value, title: label, card }), !c.voter || !m.fromMe);
    return h('button', { class: 'tap', title: value, on: { click: () => c.act('copy', m, value) } }, icon(buttonIcons[kind] || 'link'),
      h('span', { class: 'tap-text' }, h('span', { dir: 'auto', text: label }), kind === 'call' ? h('small', { text: phone(value) || value }) : ''));
  }));
}

// ---- answers, forms, PIX

export function answerText(a, m) {
  if (a.title) return a.title;
  if (a.kind === 'form') return t('formFilled');
  return m?.text || a.id || '';
}

function answerNote(a) {
  const kind = a.kind === 'list' ? t('row') : a.kind === 'form' ? t('form') : t('tapped');
  return a.id && a.kind !== 'form' ? `${kind} · id “${a.id.length > 24 ? a.id.slice(0, 22) + '…' : a.id}”` : kind;
}

const known = ['fullName', 'phoneNumber', 'email', 'cpfOrCnpj', 'deliveryAddress'];
export const fieldLabel = name => (known.includes(name) ? t('field_' + name) : name);

/** formParts is what a form shows, and asks for. */
export function formParts(m) {
  const f = m.form || {};
  return {
    body: f.body || m.text, button: f.button, token: f.token || '', offer: f.offerName, offerText: f.offerDescription,
    fields: (f.fields || []).map(x => ({ name: x.id, label: fieldLabel(x.id), kind: x.kind })),
  };
}

const pixParts = p => ({ merchant: p.merchant || 'PIX', key: p.key || '', keyType: p.keyType || '', message: p.message, items: p.items || [], total: p.total || 0 });

function pixType(type) {
  const key = 'pixType_' + type;
  const text = t(key);
  return text === key ? type : text;
}

// ---- media

function anyMedia(media, m, c) {
  const kind = media.kind || (media.mime || '').split('/')[0];
  if (kind === 'image') return picture(media, m, c);
  if (kind === 'video') return video(media, c);
  return fileCard(media, c);
}

function picture(media, m, c) {
  const url = local(media.url);
  if (!url) return missing(media, 'image');
  const label = `${t('picture')}${media.size ? ', ' + size(media.size) : ''}`;
  return h('button', { class: 'picture', 'aria-label': `${t('open')}: ${label}`, on: { click: () => c.act('open', m, { url, media }) } },
    h('img', {
      src: url, alt: label, loading: 'lazy', decoding: 'async',
      on: {
        load: event => event.target.parentElement.classList.add('here'),
        error: event => event.target.parentElement.replaceWith(missing(media, 'image')),
      },
    }));
}

function video(media, c) {
  const url = local(media.url);
  if (!url) return missing(media, 'video');
  const el = h('video', { controls: true, preload: 'metadata', playsinline: true, class: 'video', 'aria-label': `${t('video')}${media.size ? ', ' + size(media.size) : ''}` });
  el.src = url;
  el.addEventListener('error', () => el.replaceWith(fileCard(media, c, 'video')), { once: true });
  return el;
}

function sound(m, c) {
  const url = local(m.media.url);
  if (!url) return missing(m.media, 'audio');
  return player(m, url, c);
}

const extension = name => (/\.([A-Za-z0-9]{1,5})$/.exec(name || '')?.[1] || '').toUpperCase();

function fileCard(media, c, kind = 'file') {
  const url = local(media.url);
  const name = media.fileName || t('document');
  const type = extension(name) || (media.mime || '').split('/').pop().split(';')[0].toUpperCase().slice(0, 8);
  const inside = [
    h('span', { class: 'file-icon', 'aria-hidden': 'true' }, icon(kind), h('small', { text: type.slice(0, 4) })),
    h('span', { class: 'file-text' }, h('b', { dir: 'auto', text: name }), h('small', { text: [type, size(media.size)].filter(Boolean).join(' · ') })),
  ];
  if (!url) return media.external ? missing(media, 'file') : h('div', { class: 'file' }, inside);
  return h('a', { class: 'file', href: url, download: name, }, inside, h('span', { class: 'unseen', text: t('download') }), icon('download'));
}

// A file that was given by its address is not fetched: the page asks nobody else.
function missing(media, name) {
  return h('div', { class: 'missing' }, h('span', { class: 'missing-icon' }, icon(name)), h('div', {},
    h('b', { text: media.fileName || t({ image: 'picture', video: 'video', audio: 'audio', sticker: 'sticker' }[name] || 'document') }),
    media.external ? [h('small', { text: t('notLoaded') }), link(media.external)] : h('small', { text: t('noBytes') })));
}

// ---- a map that nobody has to be asked for

/** map draws streets that are invented, the same for the same place. */
function map(lat, long) {
  const svg = svgElement('svg', { viewBox: '0 0 280 150', class: 'map', role: 'img', 'aria-label': t('drawnMap'), preserveAspectRatio: 'xMidYMid slice' });
  let seed = Math.abs(Math.round(lat * 10007) * 31 + Math.round(long * 10009)) % 2147483647 || 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const add = (tag, attributes, into = svg) => {
    const el = svgElement(tag, attributes);
    into.append(el);
    return el;
  };
  add('rect', { width: 280, height: 150, class: 'map-land' });
  const tilt = add('g', { transform: `rotate(${Math.round(random() * 36 - 18)} 140 75)` });
  const edge = 60 + random() * 200;
  add('path', { class: 'map-water', d: `M-80 ${edge + 80}C40 ${edge + 30} 160 ${edge + 120} 380 ${edge + 40}V320H-80Z` }, tilt);
  add('rect', { class: 'map-park', x: 20 + random() * 150, y: -10 + random() * 60, width: 50 + random() * 50, height: 34 + random() * 30, rx: 4 }, tilt);
  const streets = [];
  for (let x = -90; x < 380; x += 26 + random() * 30) streets.push(`M${x.toFixed(0)} -90V260`);
  for (let y = -80; y < 260; y += 24 + random() * 24) streets.push(`M-90 ${y.toFixed(0)}H380`);
  add('path', { class: 'map-street', d: streets.join('') }, tilt);
  add('path', { class: 'map-avenue', d: `M-90 ${20 + random() * 60}L380 ${60 + random() * 70}M${80 + random() * 120} -90L${60 + random() * 160} 260` }, tilt);
  add('ellipse', { class: 'map-shade', cx: 140, cy: 77, rx: 7, ry: 2.6 });
  add('path', { class: 'map-pin', d: 'M140 76c-8-11-14-17-14-25a14 14 0 0 1 28 0c0 8-6 14-14 25' });
  add('circle', { class: 'map-hole', cx: 140, cy: 51, r: 5 });
  return svg;
}
