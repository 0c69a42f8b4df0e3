// The conversation: what was said in a chat, of which only what is near is in
// the document.

import { h, keyed, announce, arrows, copyText, fill } from './dom.js';
import { icon } from './icons.js';
import { t, day } from './i18n.js';
import * as api from './api.js';
import { state, view, talk, currentChat, chatsOf, now, instance, contactOf } from './store.js';
import { bubble, reactions, refreshTicks, summary, kindOf } from './message.js';
import { avatar, chatName, chatDetail, customer, writer, writeAs, nameOf, memberList } from './people.js';
import { menu, notice, attempt, emojiMenu, confirm, closeMenu } from './overlay.js';
import { openList, openForm, openPicture, openDetails, openContact } from './sheets.js';

const most = 240; // messages in the document
const step = 80; // as many are added at an end

export function conversation(hooks) {
  const header = h('header', { class: 'talk-head' });
  const about = h('button', { class: 'talk-who', on: { click: () => openContact(currentChat(), state.route.instance) } });
  const marks = h('span', { class: 'chat-marks' });
  const list = h('div', { class: 'talk-list', role: 'list', 'aria-label': t('messages') });
  const top = h('div', { class: 'talk-top' });
  const scroller = h('div', { class: 'talk-scroll' }, h('div', { class: 'talk-width' }, top, list));
  const jump = h('button', { class: 'to-end', hidden: true, on: { click: () => { toEnd(); focusLast(); } } });
  const empty = h('div', { class: 'talk-empty' });
  const body = h('div', { class: 'talk-body' }, scroller, empty, jump);

  let shown = null; // the Talk that is drawn
  let start = 0;
  let end = 0;
  let stick = true;
  let unseen = 0;
  let prepended = 0;
  let seenArrived = 0;
  let replaced = 0;

  const visible = t_ => t_.messages.filter(m => m.kind !== 'reaction');

  function context(chat, name) {
    return { chat, instance: name, ownJID: instance(name)?.phone, group: chat?.kind === 'group' || chat?.kind === 'status', voter: customer(chat, name), act };
  }

  // ---- drawing

  function draw() {
    const { instance: name, chat: jid } = state.route;
    const chat = currentChat() || (jid ? { jid, kind: 'private', name: '' } : null);
    const current = talk();
    drawHeader(chat, name);
    if (current === shown) {
      noteScroll();
    } else {
      shown = current;
      start = end = 0;
      stick = true;
      unseen = 0;
      replaced = current?.replaced || 0;
      seenArrived = current?.arrived.length || 0;
      prepended = current?.prepended || 0;
      list.textContent = '';
      if (current && !current.loaded && !current.loading) current.latest();
    }
    body.dataset.state = !current ? 'none' : !current.loaded ? 'loading' : 'ready';
    if (!current) {
      drawEmpty(name);
      top.textContent = '';
      jump.hidden = true;
      return;
    }
    const all = visible(current);
    if (current.loaded && !all.length) drawEmpty(name, chat);
    else empty.hidden = true;
    if (!current.loaded) {
      fill(list, Array.from({ length: 6 }, (_, i) => h('div', { class: `row ${i % 3 ? 'theirs' : 'mine'} ghost`, role: 'listitem' }, h('div', { class: 'bubble' }, h('span', { class: 'unseen', text: t('loading') })))));
      return;
    }

    // The window moves with what was put before it.
    const added = current.prepended - prepended;
    prepended = current.prepended;
    if (added) {
      start += added;
      end += added;
    }
    // The list is another one: the window goes where the messages are that it shows.
    if (current.replaced !== replaced) {
      replaced = current.replaced;
      const ids = new Set([...list.children].map(row => row.dataset.id).filter(Boolean));
      const first = all.findIndex(m => ids.has(m.id));
      end = first < 0 ? 0 : Math.min(all.length, first + Math.max(step, end - start));
      start = Math.max(0, first);
      if (first < 0) stick = true;
    }
    const fresh = current.arrived.length - seenArrived;
    if (stick || end === 0) {
      end = all.length;
      start = Math.max(0, end - Math.max(step, Math.min(most, end - start)));
    } else if (fresh > 0 && end >= all.length - fresh) {
      end = all.length;
    }
    end = Math.min(end, all.length);
    start = Math.max(0, Math.min(start, end - 1));
    tellFresh(current, all, name);
    place(() => { drawRows(all, chat, name); drawTop(current, chat); });
    drawJump(all);
    reach();
  }

  function drawRows(all, chat, name) {
    const c = context(chat, name);
    const rows = [];
    let lastDay = start > 0 ? dayKey(all[start - 1]) : '';
    for (let i = start; i < end; i++) {
      const m = all[i];
      const d = dayKey(m);
      if (d !== lastDay) rows.push({ day: d, at: new Date(m.timestamp) });
      const before = all[i - 1];
      const after = all[i + 1];
      rows.push({ m, first: d !== lastDay || !together(before, m), last: !after || dayKey(after) !== d || !together(m, after) });
      lastDay = d;
    }
    const presence = chat?.presence;
    if ((presence === 'typing' || presence === 'composing' || presence === 'recording') && end === all.length) rows.push({ presence });
    const language = document.documentElement.lang;
    keyed(list, rows, {
      key: r => (r.m ? 'm' + r.m.id : r.day ? 'd' + r.day : 'presence'),
      signature(r) {
        if (r.day) return day(r.at, new Date(now()));
        if (r.presence) return r.presence + name + language;
        const { status, reactions: _, ...rest } = r.m;
        return JSON.stringify([rest, r.first, r.last, language, c.voter?.name, name]);
      },
      render(r) {
        if (r.day) return h('div', { class: 'day', role: 'listitem' }, h('span', { text: day(r.at, new Date(now())) }));
        if (r.presence) return typing(r.presence, name);
        const el = h('div', { class: `row ${r.m.fromMe ? 'mine' : 'theirs'} ${r.first ? 'first' : ''} ${r.last ? 'last' : ''}`, role: 'listitem', data: { id: r.m.id } },
          bubble(r.m, { ...c, first: r.first, last: r.last }));
        return el;
      },
      update(el, r) {
        if (!r.m) return;
        refreshTicks(el, r.m, c);
        const sign = JSON.stringify([r.m.reactions || [], language]);
        if (el.reactionSign === sign) return;
        el.reactionSign = sign;
        el.querySelector('.reactions')?.remove();
        const marks = reactions(r.m, c);
        if (marks) el.append(marks);
      },
    });
    const bubbles = list.querySelectorAll('.bubble');
    const focused = document.activeElement?.closest?.('.bubble');
    bubbles.forEach(b => { b.tabIndex = -1; });
    const stop = focused && list.contains(focused) ? focused : bubbles[bubbles.length - 1];
    if (stop) stop.tabIndex = 0;
  }

  const dayKey = m => {
    const d = new Date(m.timestamp);
    return `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`;
  };
  const together = (a, b) => a && b && a.fromMe === b.fromMe && a.sender === b.sender && new Date(b.timestamp) - new Date(a.timestamp) < 5 * 60000 && a.kind !== 'status';

  function typing(presence, name) {
    return h('div', { class: 'row mine first last presence', role: 'listitem' }, h('div', { class: 'bubble' },
      presence === 'recording' ? icon('mic') : h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')),
      h('small', { text: t(presence === 'recording' ? 'isRecording' : 'isTyping', { name }) })));
  }

  // place draws while what is being read stays where it is.
  function place(work) {
    const edge = scroller.getBoundingClientRect().top;
    let anchor = null;
    let offset = 0;
    if (!stick) {
      for (const row of list.children) {
        const box = row.getBoundingClientRect();
        if (box.bottom > edge && row.dataset.id) {
          anchor = row.dataset.key;
          offset = box.top;
          break;
        }
      }
    }
    work();
    if (stick) scrollTo(scroller.scrollHeight);
    else if (anchor) {
      const row = [...list.children].find(r => r.dataset.key === anchor);
      if (row) scrollTo(scroller.scrollTop + row.getBoundingClientRect().top - offset);
    }
  }

  function drawTop(current, chat) {
    if (start > 0) fill(top);
    else if (current.failed) fill(top, h('button', { class: 'small', on: { click: () => (current.messages.length ? current.older() : current.latest()) } }, icon('refresh'), t('tryAgain')));
    else if (current.more) fill(top, h('span', { class: 'spinner', role: 'status' }, h('span', { class: 'unseen', text: t('loadingOlder') })));
    else if (current.messages.length) fill(top, h('small', { class: 'beginning', text: t('beginning', { name: chatName(chat) }) }));
    else fill(top);
  }

  function drawJump(all) {
    const away = !stick || end < all.length;
    jump.hidden = !away;
    const label = unseen ? t('newMessages', { n: unseen }) : t('toEnd');
    jump.setAttribute('aria-label', label);
    fill(jump, icon('toEnd'), unseen ? h('span', { text: String(unseen) }) : '');
  }

  function tellFresh(current, all, name) {
    const ids = current.arrived.slice(seenArrived);
    seenArrived = current.arrived.length;
    const fresh = ids.map(id => all[current.at(id)] || all.find(m => m.id === id)).filter(Boolean);
    if (!fresh.length) return;
    if (!stick) unseen += fresh.length;
    if (fresh.length > 3) announce(t('newMessages', { n: fresh.length }));
    else for (const m of fresh) announce(`${m.fromMe ? name : nameOf(m.sender, m.senderName)}: ${summary(m).text}`);
  }

  function drawEmpty(name, chat) {
    const sign = `${name}|${chat?.jid}|${state.instances.length}|${document.documentElement.lang}|${instance(name)?.state}|${chatsOf(name).length > 0}`;
    empty.hidden = false;
    if (empty.dataset.sign === sign) return;
    empty.dataset.sign = sign;
    if (chat) {
      fill(empty, h('span', { class: 'empty-art' }, icon('chat')), h('h2', { text: t('noMessages') }), h('p', { text: t('noMessagesHint', { name: chatName(chat) }) }));
      return;
    }
    if (!state.instances.length) {
      fill(empty, h('span', { class: 'empty-art' }, icon('qr')), h('h2', { text: t('noInstances') }), h('p', { text: t('noInstancesHint') }),
        h('button', { class: 'primary', on: { click: hooks.newInstance } }, icon('plus'), t('newInstance')));
      return;
    }
    const i = instance(name);
    if (i && !i.paired && !chatsOf(name).length) {
      fill(empty, h('span', { class: 'empty-art' }, icon('qr')), h('h2', { text: t('pairFirst', { name }) }), h('p', { text: t('pairFirstHint') }),
        h('button', { class: 'primary', on: { click: () => attempt(() => api.act(name, 'pair')) } }, icon('phone'), t('pairNow')));
      return;
    }
    const none = !chatsOf(name).length;
    fill(empty, h('span', { class: 'empty-art' }, icon('chat')), h('h2', { text: t(none ? 'noChatsTitle' : 'chooseChat') }), h('p', { text: t(none ? 'noMessagesHint' : 'chooseChatHint') }),
      name ? h('button', { class: 'primary', on: { click: hooks.newChat } }, icon('plus'), t('writeAsCustomer')) : '');
  }

  function drawHeader(chat, name) {
    if (!chat) {
      header.hidden = true;
      return;
    }
    header.hidden = false;
    const presence = { typing: t('isTyping', { name }), composing: t('isTyping', { name }), recording: t('isRecording', { name }) }[chat.presence];
    const sign = JSON.stringify([chat.jid, chatName(chat), chatDetail(chat), presence, chat.archived, chat.muted, chat.blocked, document.documentElement.lang]);
    if (header.dataset.sign === sign) return;
    header.dataset.sign = sign;
    const details = chat.kind === 'private' || chat.kind === 'group';
    if (header.dataset.language !== document.documentElement.lang) {
      header.dataset.language = document.documentElement.lang;
      fill(header, h('button', { class: 'round back', 'aria-label': t('backToChats'), on: { click: hooks.back } }, icon('back')), about, marks,
        h('button', { class: 'round only-narrow', 'aria-label': t('activity'), on: { click: hooks.activity } }, icon('pulse')));
    }
    about.disabled = !details;
    about.title = details ? t('detailsOf', { name: chatName(chat) }) : '';
    fill(about, avatar(chat), h('span', { class: 'talk-names' }, h('b', { dir: 'auto', text: chatName(chat) }),
      h('small', { class: presence ? 'active' : '' }, presence || [chatDetail(chat), chat.kind === 'group' ? memberList(chat).map(m => m.name).join(', ') : ''].filter(Boolean).join(' · '))));
    fill(marks, chat.muted ? h('span', { class: 'state-mark', title: t('muted') }, icon('mute')) : '', chat.blocked ? h('span', { class: 'state-mark bad', title: t('blockedBy', { name }) }, icon('ban')) : '');
  }

  // ---- scrolling

  let last = 0; // where the page has scrolled to, or was found
  let up = false; // somebody has scrolled up last
  let away = false; // another pane stands in the place of the conversation

  function scrollTo(place) {
    scroller.scrollTop = place;
    if (scroller.clientHeight) last = scroller.scrollTop;
  }

  const below = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;

  // noteScroll finds out whether somebody has scrolled. What grows moves the end away,
  // and what shrinks brings it near; that is nobody's scrolling. It is asked before
  // every drawing, too: the event of scrolling comes a frame late.
  function noteScroll() {
    if (!shown?.loaded) return;
    if (!scroller.clientHeight || away) {
      away = !scroller.clientHeight;
      if (!away) scrollTo(stick ? scroller.scrollHeight : last);
      return;
    }
    const at = scroller.scrollTop;
    const back = at < last;
    if (back || at === 0) up = true;
    else if (at > last) up = false;
    last = at;
    const all = visible(shown);
    const atEnd = below() < 40 && end >= all.length;
    if (stick && !atEnd && !back) {
      scrollTo(scroller.scrollHeight);
    } else if (stick !== atEnd) {
      stick = atEnd;
      if (stick) unseen = 0;
      drawJump(all);
    }
  }

  // reach adds messages at an end that is near. It is asked after whatever may have
  // brought one near: scrolling, drawing, loading, another size. A chat that does not
  // fill its place cannot be scrolled to ask for more.
  function reach() {
    if (!shown?.loaded || !scroller.clientHeight) return;
    const full = scroller.scrollHeight > scroller.clientHeight + 1;
    if (full && stick) return;
    if (!full || (up && scroller.scrollTop < 900)) {
      if (start > 0) {
        start = Math.max(0, start - step);
        end = Math.min(end, start + most);
        redraw();
      } else if (shown.more && !shown.loading && !shown.failed) {
        shown.older();
      } else if (!full && end < visible(shown).length) {
        end = Math.min(visible(shown).length, end + step);
        redraw();
      }
    } else if (!up && below() < 900 && end < visible(shown).length) {
      end = Math.min(visible(shown).length, end + step);
      start = Math.max(start, end - most);
      redraw();
    }
  }

  function scrolled() {
    noteScroll();
    reach();
  }
  scroller.addEventListener('scroll', scrolled, { passive: true });

  function redraw() {
    const chat = currentChat() || { jid: state.route.chat, kind: 'private' };
    const all = visible(shown);
    place(() => { drawRows(all, chat, state.route.instance); drawTop(shown, chat); });
    drawJump(all);
    reach();
  }

  // Pictures that come late, and a composer that grows, must not push the end away.
  const sizes = new ResizeObserver(() => {
    noteScroll();
    requestAnimationFrame(reach);
  });
  sizes.observe(list);
  sizes.observe(scroller);

  function toEnd() {
    stick = true;
    unseen = 0;
    if (shown) {
      end = visible(shown).length;
      start = Math.max(0, end - step);
      redraw();
    }
  }

  const focusLast = () => list.querySelector('.row:last-of-type .bubble')?.focus({ preventScroll: true });

  async function goTo(id) {
    const t_ = shown;
    for (let pages = 0; t_.at(id) < 0 && t_.more && pages < 20; pages++) await t_.older();
    const all = visible(t_);
    const i = all.findIndex(m => m.id === id);
    if (i < 0 || t_ !== shown) {
      notice(t('notFound'), { bad: true });
      return;
    }
    if (i < start || i >= end) {
      start = Math.max(0, i - step / 2);
      end = Math.min(all.length, start + step);
    }
    stick = false;
    redraw();
    const row = [...list.children].find(r => r.dataset.id === id);
    row?.scrollIntoView({ block: 'center' });
    row?.classList.add('found');
    setTimeout(() => row?.classList.remove('found'), 1600);
    row?.querySelector('.bubble')?.focus({ preventScroll: true });
  }

  // ---- what can be done with a message

  async function act(what, m, value) {
    const { instance: name } = state.route;
    const chat = currentChat();
    const who = customer(chat, name);
    switch (what) {
      case 'menu': return messageMenu(m, value);
      case 'reply': return hooks.reply(m);
      case 'jump': return goTo(value);
      case 'copy':
        notice((await copyText(value)) ? t('copied') : t('notCopied'), {});
        return undefined;
      case 'react': return emojiMenu(value, emoji => react(m, emoji), { current: myReaction(m) });
      case 'tap':
        return attempt(() => writeAs(who, chat, name, {
          answer: value.card === undefined ? { kind: 'button', id: value.id, title: value.title } : { kind: 'carousel', id: value.id, title: value.title, card: value.card },
          replyTo: m.id,
        }));
      case 'list': return openList(m, row => attempt(() => writeAs(who, chat, name, { answer: { kind: 'list', id: row.id, title: row.title }, replyTo: m.id })));
      case 'form': return openForm(m, who, (values, token) => writeAs(who, chat, name, { answer: { kind: 'form', id: token, values }, replyTo: m.id }));
      case 'vote': {
        const has = value.mine.includes(value.option);
        const options = value.max === 1 ? (has ? [] : [value.option]) : has ? value.mine.filter(o => o !== value.option) : [...value.mine, value.option];
        if (options.length > value.max) return notice(t('pollFull', { n: value.max }), { bad: true });
        return attempt(() => api.vote(name, m.id, who.from, options));
      }
      case 'open': return openPicture(value, m);
      default: return undefined;
    }
  }

  function myReaction(m) {
    const me = writer(currentChat(), state.route.instance);
    return m.reactions?.find(r => (me.owner ? r.fromMe : !r.fromMe && (contactOf(r.who)?.phone === me.from || r.who?.split('@')[0] === me.from || r.who === me.jid)))?.emoji;
  }

  function react(m, emoji) {
    const chat = currentChat();
    const me = writer(chat, state.route.instance);
    return attempt(() => writeAs(me, chat, state.route.instance, { reaction: { emoji: emoji === myReaction(m) ? '' : emoji, messageId: m.id } }));
  }

  function messageMenu(m, placeAt) {
    const { instance: name } = state.route;
    const chat = currentChat();
    const me = writer(chat, name);
    const author = m.fromMe ? { owner: true } : { id: m.sender, from: contactOf(m.sender)?.phone || m.sender.split('@')[0], name: nameOf(m.sender, m.senderName), jid: m.sender, hidden: /@lid$/.test(m.sender) };
    const mine = myReaction(m);
    const quick = h('div', { class: 'quick', role: 'none' }, '👍 ❤️ 😂 😮 😢 🙏'.split(' ').map(e => h('button', {
      role: 'menuitem', tabindex: '-1', text: e, class: e === mine ? 'on' : '', 'aria-label': e === mine ? t('takeBackReaction', { emoji: e }) : t('reactWith', { emoji: e }),
      on: { click: () => { closeMenu(); react(m, e); } },
    })), h('button', { role: 'menuitem', tabindex: '-1', 'aria-label': t('moreEmojis'), on: { click: () => act('react', m, { ...placeAt, from: placeAt.from }) } }, icon('plus')));
    const text = m.text || summary(m).text;
    const kind = kindOf(m);
    // What can still come: a status never goes back.
    const receipts = m.fromMe && !m.revoked ? ['delivered', 'read', ...(m.media?.voice ? ['played'] : [])].filter(status => !(rank[m.status] >= rank[status])) : [];
    menu([
      m.revoked ? null : quick,
      m.revoked ? null : { icon: 'reply', label: t('replyAs', { name: me.label }), act: () => hooks.reply(m) },
      text ? { icon: 'copy', label: t('copyText'), act: () => act('copy', m, text) } : null,
      !m.revoked && (kind === 'text' || kind === 'image' || kind === 'video' || kind === 'document') ? { icon: 'edit', label: t('editAs', { name: author.owner ? t('asOwner', { name }) : author.name }), act: () => hooks.edit(m, author) } : null,
      receipts.length ? { line: true } : null,
      ...receipts.map(status => ({
        icon: 'check', label: t('receipt_' + status), act: () => attempt(() => api.receipt(name, status, [m.id])),
      })),
      { line: true },
      { icon: 'info', label: t('details'), act: () => openDetails(m, name) },
      m.revoked ? null : { icon: 'trash', label: t('deleteForAll'), bad: true, act: () => confirm({
        title: t('deleteForAll'), note: t('deleteNote', { text: summary(m).text.slice(0, 80) || t('messages') }), submit: t('delete'),
        done: () => writeAs(author, chat, name, { revoke: m.id }),
      }) },
    ], placeAt);
  }
  const rank = { pending: 0, sent: 1, delivered: 2, read: 3, played: 4 };

  // ---- keys

  arrows(list, '.bubble', { onMove: el => el.scrollIntoView({ block: 'nearest' }) });
  list.addEventListener('focusin', event => {
    const b = event.target.closest('.bubble');
    if (!b) return;
    list.querySelectorAll('.bubble[tabindex="0"]').forEach(o => { o.tabIndex = -1; });
    b.tabIndex = 0;
  });
  list.addEventListener('keydown', event => {
    if (!event.target.matches('.bubble') || event.ctrlKey || event.metaKey || event.altKey) return;
    const m = shown.messages[shown.at(event.target.parentElement.dataset.id)];
    if (!m) return;
    const key = event.key.toLowerCase();
    if (event.key === 'Enter' || event.key === 'ContextMenu') act('menu', m, { from: event.target });
    else if (key === 'r') hooks.reply(m);
    else return;
    event.preventDefault();
  });

  view(['all', 'messages', 'chats', 'state', 'route', 'writer'], draw);
  return { el: h('div', { class: 'talk' }, header, body), toEnd, draw, focusList: () => list.querySelector('.bubble[tabindex="0"]')?.focus() };
}
