// The chats of the chosen instance, and how new ones begin.

import { h, keyed, arrows, fill, roving } from './dom.js';
import { icon, ticks } from './icons.js';
import { t, shortMoment, phone } from './i18n.js';
import * as api from './api.js';
import { state, view, chatsOf, now, instance, loadChats, readState, touch } from './store.js';
import { avatar, chatName, chatDetail, nameOf } from './people.js';
import { summary } from './message.js';
import { ask, menu } from './overlay.js';

export function chats(go) {
  let filter = '';
  const title = h('h2', { id: 'chats-title' });
  const add = h('button', { class: 'round', 'aria-haspopup': 'menu', on: { click: () => newChatMenu(add, go) } }, icon('plus'));
  const search = h('input', { type: 'search', class: 'search', on: { input: () => { filter = search.value.trim().toLocaleLowerCase(); draw(); } } });
  const searchBox = h('div', { class: 'search-box', hidden: true }, icon('search'), search);
  const list = h('ul', { class: 'chats' });
  const empty = h('div', { class: 'empty' });
  const el = h('section', { class: 'chats-pane', 'aria-labelledby': 'chats-title' }, h('div', { class: 'pane-head' }, title, add), searchBox, list, empty);

  function draw() {
    const name = state.route.instance;
    el.hidden = !name && state.phase !== 'loading';
    title.textContent = name ? t('chatsOf', { name }) : t('chats');
    add.setAttribute('aria-label', t('newChat'));
    add.title = t('newChat');
    add.hidden = !instance(name);
    search.placeholder = t('searchChats');
    search.setAttribute('aria-label', t('searchChats'));
    const known = state.chats.get(name);
    const all = chatsOf(name);
    searchBox.hidden = all.length < 6 && !filter;
    if (!known?.loaded && instance(name)) {
      list.replaceChildren(...Array.from({ length: 4 }, () => h('li', { class: 'chat-item ghost' })));
      empty.hidden = true;
      return;
    }
    const found = filter ? all.filter(c => [chatName(c), c.phone, c.jid].some(x => String(x || '').toLocaleLowerCase().includes(filter))) : all;
    keyed(list, found, {
      key: c => c.jid,
      signature: c => JSON.stringify([c, c.jid === state.route.chat, document.documentElement.lang, new Date(now()).toDateString(), nameOf(c.jid, c.name)]),
      render: c => row(c, name, go),
    });
    roving(list, '.chat', e => e.getAttribute('aria-current') === 'true');
    empty.hidden = found.length > 0;
    if (!found.length) {
      fill(empty, icon('chat'), h('p', { text: filter ? t('nothingFound') : t('noChats') }), filter || !instance(name) ? ''
        : h('button', { class: 'small primary', on: { click: () => newPerson(go) } }, icon('plus'), t('writeAsCustomer')));
    }
  }
  arrows(list, '.chat');
  view(['all', 'chats', 'state', 'route'], draw);
  return { el, focusSearch: () => (searchBox.hidden ? list.querySelector('.chat') : search)?.focus() };
}

function row(c, name, go) {
  const on = c.jid === state.route.chat;
  const m = c.lastMessage;
  const s = m && summary(m);
  const from = m && !m.fromMe && c.kind === 'group' ? `${nameOf(m.sender, m.senderName).split(' ')[0]}: ` : '';
  const presence = { typing: 'isTyping', composing: 'isTyping', recording: 'isRecording' }[c.presence];
  return h('li', { class: 'chat-item' }, h('button', { class: `chat ${on ? 'on' : ''}`, 'aria-current': on ? 'true' : null, on: { click: () => go(name, c.jid) } },
    avatar(c),
    h('span', { class: 'chat-name' }, h('b', { dir: 'auto', text: chatName(c) })),
    h('time', { text: c.lastAt && !c.lastAt.startsWith('0001') ? shortMoment(new Date(c.lastAt), new Date(now())) : '' }),
    h('span', { class: `chat-last ${presence ? 'active' : ''}`, dir: 'auto' }, presence ? t(presence, { name }) : m
      ? [m.fromMe && m.status ? ticks(m.status, t('status_' + m.status)) : '', s.icon ? icon(s.icon) : '', h('span', { text: from + (s.text || '') })] : h('span', { text: chatDetail(c) })),
    h('span', { class: 'chat-marks' },
      c.blocked ? mark('ban', t('blockedBy', { name })) : '', c.muted ? mark('mute', t('muted')) : '', c.pinned ? mark('pin', t('pinned')) : '',
      c.archived ? mark('archive', t('archived')) : '',
      c.unread ? h('span', { class: 'count', title: t('unreadBy', { n: c.unread, name }), text: String(c.unread) }) : '')));
}

const mark = (name, label) => h('span', { class: 'state-mark', role: 'img', 'aria-label': label, title: label }, icon(name));

function newChatMenu(from, go) {
  const name = state.route.instance;
  const known = state.contacts.filter(c => c.phone && c.phone !== instance(name)?.phone && !chatsOf(name).some(x => x.phone === c.phone || x.jid.startsWith(c.phone + '@'))).slice(0, 8);
  menu([
    { icon: 'person', label: t('newCustomer'), act: () => newPerson(go) },
    { icon: 'group', label: t('newGroup'), act: () => newGroup(go) },
    chatsOf(name).some(c => c.kind === 'status') ? null : { icon: 'status', label: t('statusChat'), act: () => begin({ jid: 'status@broadcast', kind: 'status', name: '' }, name, go) },
    known.length ? { line: true } : null,
    ...known.map(c => ({ icon: 'chat', label: c.name || phone(c.phone), detail: c.name ? phone(c.phone) : '', act: () => begin({ jid: `${c.phone}@s.whatsapp.net`, phone: c.phone, lid: c.lid, name: c.name, kind: 'private' }, name, go) })),
  ], { from, label: t('newChat') });
}

// A chat exists when somebody has written in it; until then only the page knows it.
function begin(chat, name, go) {
  const known = state.chats.get(name) || { list: [], loaded: true };
  if (!known.list.some(c => c.jid === chat.jid)) known.list = [{ ...chat, draft: true, lastAt: new Date(now()).toISOString() }, ...known.list];
  state.chats.set(name, known);
  touch('chats');
  go(name, chat.jid, { write: true });
}

const names = ['Ana Souza', 'Bruno Carvalho', 'Carla Mendes', 'Diego Rocha', 'Elisa Prado', 'Felipe Nunes', 'Gabriela Reis', 'Henrique Alves'];
const digits = n => Array.from(crypto.getRandomValues(new Uint8Array(n)), b => b % 10).join('');

export function newPerson(go) {
  const free = names.filter(n => !state.contacts.some(c => c.name === n));
  const name = state.route.instance;
  ask({
    title: t('newCustomer'), submit: t('startChat'), note: t('newCustomerNote'),
    fields: [
      { name: 'name', label: t('name'), required: true, value: free[0] || '' },
      { name: 'phone', label: t('phone'), required: true, type: 'tel', value: `55119${8}${digits(7)}`, hint: t('phoneHint') },
      { name: 'hidden', type: 'check', label: t('hideNumber'), hint: t('hideNumberHint') },
      { name: 'reachable', type: 'check', label: t('reachable'), hint: t('reachableHint'), value: true },
    ],
    async done(v) {
      const number = v.phone.replace(/\D/g, '');
      if (number.length < 8 || number.length > 15) throw new Error(t('phoneHint'));
      const lid = v.hidden ? `1${digits(14)}` : undefined;
      await api.saveContact({ phone: number, name: v.name, lid: lid && `${lid}@lid`, reachable: v.reachable });
      await readState();
      const contact = state.contacts.find(c => c.phone === number);
      begin({ jid: v.hidden && contact?.lid ? `${contact.lid.split('@')[0]}@lid` : `${number}@s.whatsapp.net`, phone: number, lid: contact?.lid, name: v.name, kind: 'private', hidden: v.hidden }, name, go);
    },
  });
}

function newGroup(go) {
  const name = state.route.instance;
  const own = instance(name)?.phone;
  const people = state.contacts.filter(c => c.phone && c.phone !== own);
  ask({
    title: t('newGroup'), submit: t('create'), note: own ? t('newGroupNote', { name }) : t('groupNeedsPhone'),
    fields: [
      { name: 'name', label: t('groupName'), required: true },
      people.length ? { name: 'members', type: 'checks', label: t('membersLabel'), options: people.slice(0, 40).map((c, k) => ({ value: c.phone, label: c.name || phone(c.phone), detail: c.name ? phone(c.phone) : '', checked: k < 3 })) } : null,
      { name: 'more', label: t('moreMembers'), hint: t('moreMembersHint') },
    ].filter(Boolean),
    async done(v) {
      const more = v.more.split(/[,;\n]/).map(x => x.replace(/\D/g, '')).filter(Boolean);
      const members = [...new Set([...(v.members || []), ...more])];
      if (!members.length) throw new Error(t('groupNeedsMembers'));
      const { jid } = await api.createGroup({ name: v.name, owner: members[0], members: [...new Set([...members, own].filter(Boolean))] });
      await loadChats(name);
      const known = chatsOf(name).find(c => c.jid === jid);
      if (known) go(name, jid, { write: true });
      else begin({ jid, kind: 'group', name: v.name, members: members.map(m => ({ jid: `${m}@s.whatsapp.net`, phone: m })) }, name, go);
    },
  });
}
