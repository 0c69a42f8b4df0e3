// Sheets that a message or a chat opens.

import { h, arrows, copyText } from './dom.js';
import { icon } from './icons.js';
import { t, dateTime, phone, size } from './i18n.js';
import * as api from './api.js';
import { contactOf, state, readState, loadChats } from './store.js';
import { formParts } from './message.js';
import { avatar, chatName, chatDetail, memberList } from './people.js';
import { dialog, ask, notice, attempt } from './overlay.js';

/** openList shows the rows of a list message; done is called with the row. */
export function openList(m, done) {
  const rows = h('div', { class: 'rows' }, (m.list.sections || []).map(s => h('section', {}, s.title ? h('h3', { dir: 'auto', text: s.title }) : '',
    (s.rows || []).map(row => h('button', { class: 'list-row', on: { click: () => { d.close(); done(row); } } },
      h('span', {}, h('b', { dir: 'auto', text: row.title || row.id }), row.description ? h('small', { dir: 'auto', text: row.description }) : ''),
      h('i', { class: 'radio', 'aria-hidden': 'true' }))))));
  arrows(rows, '.list-row');
  const d = dialog({ title: m.list.button || t('options'), className: 'sheet-low', body: rows });
  rows.querySelector('button')?.focus();
}

/** openForm lets a customer fill in a form. */
export function openForm(m, who, send) {
  const parts = formParts(m);
  const example = { fullName: who?.name, phoneNumber: phone(who?.from) };
  ask({
    title: parts.button || t('form'), note: t('formNote', { name: who?.name || '' }), submit: t('send'),
    fields: parts.fields.length ? parts.fields.map(f => ({ name: f.name, label: f.label, type: { tel: 'tel', email: 'email', address: 'textarea' }[f.kind], value: example[f.name] || '' })) : [{ name: 'answer', label: t('answer') }],
    done: values => send(Object.fromEntries(Object.entries(values).filter(([, v]) => v !== '')), parts.token),
  });
}

export function openPicture({ url, media }, m) {
  const image = h('img', { src: url, alt: media.fileName || t('picture') });
  dialog({
    title: media.fileName || t('picture'), className: 'light-box', body: [image, m.text ? h('p', { dir: 'auto', text: m.text }) : ''],
    actions: [h('small', { text: [media.mime, size(media.size)].filter(Boolean).join(' · ') }), h('a', { class: 'button', href: url, download: media.fileName || '' }, icon('download'), t('download'))],
  });
}

/** openDetails shows everything that the simulator has of a message. */
export async function openDetails(m, name) {
  const fresh = await attempt(() => api.getMessage(name, m.id));
  if (!fresh) return;
  const text = JSON.stringify(fresh, (key, value) => (typeof value === 'string' && value.length > 4000 ? value.slice(0, 4000) + '…' : value), 2);
  const pairs = [['id', fresh.id], [t('type'), fresh.kind], [t('stateLabel'), fresh.status], [t('sourceLabel'), fresh.source || (fresh.fromMe ? t('thePhone') : '')], [t('timeLabel'), dateTime(new Date(fresh.timestamp))]];
  dialog({
    title: t('details'), className: 'wide',
    body: [h('dl', { class: 'pairs' }, pairs.filter(([, v]) => v).map(([k, v]) => [h('dt', { text: k }), h('dd', { text: v })])), h('pre', { class: 'code', tabindex: '0', text })],
    actions: [h('button', { on: { click: async () => notice((await copyText(text)) ? t('copied') : t('notCopied')) } }, icon('copy'), t('copyJSON'))],
  });
}

/** openContact shows who a chat is with, and lets change it. */
export function openContact(chat, name) {
  const head = h('div', { class: 'profile' }, avatar(chat, 'large'), h('b', { dir: 'auto', text: chatName(chat) }), h('small', { text: chatDetail(chat) }));
  const facts = [['JID', chat.jid], ['LID', chat.lid], [t('pinned'), chat.pinned && t('yes')], [t('archived'), chat.archived && t('yes')], [t('muted'), chat.muted && t('yes')], [t('blocked'), chat.blocked && t('blockedBy', { name })]];
  const list = h('dl', { class: 'pairs' }, facts.filter(([, v]) => v).map(([k, v]) => [h('dt', { text: k }), h('dd', { text: v })]));
  if (chat.kind === 'group') {
    dialog({ title: t('group'), body: [head, list, h('h3', { text: t('members', { n: memberList(chat).length }) }), h('ul', { class: 'member-list' }, memberList(chat).map(m => h('li', {}, avatar({ jid: m.jid, name: m.name }), h('span', {}, h('b', { text: m.name }), h('small', { text: phone(m.phone) || m.jid })))))] });
    return;
  }
  const contact = contactOf(chat.phone || chat.jid);
  const d = dialog({
    title: t('contact'), body: [head, list, contact?.about ? h('p', { class: 'explain', text: contact.about }) : ''],
    actions: contact || chat.phone ? [h('button', { class: 'primary', on: { click: () => { d.close(); editContact(contact || { phone: chat.phone, name: chat.name, lid: chat.lid, reachable: true }); } } }, icon('edit'), t('change'))] : [],
  });
}

export function editContact(contact) {
  ask({
    title: contact.phone ? t('change') : t('newContact'), submit: t('save'),
    fields: [
      { name: 'name', label: t('name'), value: contact.name || '', required: true },
      { name: 'about', label: t('about'), value: contact.about || '' },
      { name: 'lid', label: 'LID', value: String(contact.lid || '').split('@')[0], hint: t('lidHint'), inputmode: 'numeric' },
      { name: 'reachable', type: 'check', label: t('reachable'), hint: t('reachableHint'), value: contact.reachable !== false },
    ],
    async done(values) {
      await api.saveContact({ ...values, lid: values.lid || undefined, phone: contact.phone });
      await readState();
      await loadChats(state.route.instance);
    },
  });
}
