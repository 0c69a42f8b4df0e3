// Who is who: names, avatars, and in whose name the page writes.

import { h } from './dom.js';
import { icon } from './icons.js';
import { phone, t } from './i18n.js';
import { state, contactOf, instance, talk } from './store.js';
import * as api from './api.js';

const user = jid => String(jid || '').split('@')[0].split(':')[0];

/** numberOf is the number of a JID as people write it, '' when it is hidden. */
export function numberOf(jid) {
  if (/@(lid|g\.us|newsletter|broadcast)$/.test(jid || '')) return '';
  return phone(user(jid));
}

export function nameOf(jid, given) {
  if (given) return given;
  const contact = contactOf(jid);
  if (contact?.name) return contact.name;
  const own = state.instances.find(i => i.phone && i.phone === user(jid));
  if (own) return own.name;
  return numberOf(jid) || (/@lid$/.test(jid || '') ? t('hiddenNumber') : user(jid)) || t('somebody');
}

export function chatName(chat) {
  if (!chat) return '';
  if (chat.kind === 'status') return t('statusChat');
  return chat.name || nameOf(chat.phone ? chat.phone : chat.jid);
}

export function chatDetail(chat) {
  const parts = [];
  if (chat.kind === 'group') parts.push(memberList(chat).length ? t('members', { n: memberList(chat).length }) : t('group'));
  else if (chat.kind === 'newsletter') parts.push(t('channel'));
  else if (chat.kind === 'status') parts.push(t('statusDetail'));
  else if (/@lid$/.test(chat.jid)) parts.push(t('hiddenNumberLID', { lid: user(chat.jid) }));
  else parts.push([phone(chat.phone || user(chat.jid))].find(number => number !== chatName(chat)), chat.lid ? `LID ${user(chat.lid)}` : '');
  return parts.filter(Boolean).join(' · ');
}

/** hue gives everybody a colour of their own, the same on every page. */
export function hue(who) {
  let n = 2166136261;
  for (const c of user(who)) n = Math.imul(n ^ c.codePointAt(0), 16777619);
  return ((n ^ (n >>> 15)) >>> 0) % 8;
}

export function avatar(chat, size = '') {
  const el = h('span', { class: `avatar hue-${hue(chat.jid || chat.phone)} ${size}`, 'aria-hidden': 'true' });
  if (chat.kind === 'group') el.append(icon('group'));
  else if (chat.kind === 'newsletter') el.append(icon('megaphone'));
  else if (chat.kind === 'status') el.append(icon('status'));
  else {
    const name = chat.name || contactOf(chat.jid)?.name || '';
    el.append(initial(name));
  }
  return el;
}

/** initial is the first letter of a name, or a picture when it has none. */
export function initial(name) {
  const letter = [...String(name || '')].find(c => /[\p{L}\p{N}]/u.test(c));
  if (/^[+\d\s()-]*$/.test(name || '')) return icon('person'); // a number is no name
  return letter ? letter.toLocaleUpperCase() : icon('person');
}

/** memberList is the members of a group, each {jid, phone, name, me}. */
export function memberList(chat) {
  if (!Array.isArray(chat?.members)) return [];
  return chat.members.map(m => ({
    jid: m.jid, phone: m.phone || (/@lid$/.test(m.jid) ? '' : user(m.jid)), lid: m.lid, admin: m.admin || m.superAdmin, me: m.me, name: m.me ? state.route.instance : nameOf(m.jid, m.name),
  }));
}

/**
 * writers lists those who can write in a chat: {id, label, from, name, hidden}
 * for customers, and the owner of the instance, on the phone itself.
 */
export function writers(chat, instanceName) {
  if (!chat) return [];
  const own = instance(instanceName)?.phone;
  const list = [];
  const add = (jid, number, name, hidden) => list.push({
    id: `${jid}${hidden ? ' hidden' : ''}`, label: hidden ? t('asHidden', { name }) : name, from: number || jid, name, hidden, jid,
  });
  if (chat.kind === 'group') {
    for (const m of memberList(chat)) if (!m.me && (!own || m.phone !== own)) add(m.jid, m.phone, m.name, !m.phone);
    if (!list.length) for (const c of state.contacts) if (c.phone !== own) add(c.phone, c.phone, nameOf(c.phone, c.name), false);
  } else if (chat.kind === 'status') {
    for (const c of state.contacts) if (c.phone && c.phone !== own) add(c.phone, c.phone, nameOf(c.phone, c.name), false);
  } else if (chat.kind !== 'newsletter') {
    const contact = contactOf(chat.phone || chat.jid);
    const number = chat.phone || contact?.phone || (/@lid$/.test(chat.jid) ? '' : user(chat.jid));
    const name = chatName(chat);
    const hidden = /@lid$/.test(chat.jid) || chat.hidden;
    if (!hidden) add(chat.jid, number, name, false);
    if (hidden || chat.lid || contact?.lid) add(chat.jid, number, name, true);
  }
  list.push({ id: 'owner', owner: true, label: t('asOwner', { name: instanceName }), name: instanceName });
  return list;
}

export function writer(chat, instanceName) {
  const list = writers(chat, instanceName);
  const chosen = state.writer.get(`${instanceName}\n${chat?.jid}`);
  // Who hid the number goes on hiding it.
  const hid = chosen ? null : talk(instanceName, chat?.jid)?.messages.findLast(m => !m.fromMe)?.hideNumber;
  return list.find(w => w.id === chosen) || (hid && list.find(w => w.hidden)) || list[0];
}

export function chooseWriter(chat, instanceName, id) {
  state.writer.set(`${instanceName}\n${chat.jid}`, id);
}

/** customer is who taps and votes: the chosen writer, or the first customer. */
export function customer(chat, instanceName) {
  const who = writer(chat, instanceName);
  return who && !who.owner ? who : writers(chat, instanceName).find(w => !w.owner);
}

/** writeAs sends something in the name of a writer; it returns the message's id. */
export async function writeAs(who, chat, instanceName, what) {
  if (who.owner) {
    const { id } = await api.type(instanceName, { to: chat.jid, ...what });
    return id;
  }
  const incoming = { from: who.from, name: who.name === numberOf(who.jid) ? undefined : who.name, ...what };
  if (chat.kind === 'group' || chat.kind === 'status') incoming.group = chat.jid;
  if (who.hidden) incoming.hideNumber = true;
  const { id } = await api.receive(instanceName, incoming);
  return id;
}
