// The page: three panes, or one at a time where there is no room.

import { h, fill } from './dom.js';
import { icon } from './icons.js';
import { t, choose, secondsTime } from './i18n.js';
import * as api from './api.js';
import { state, view, touch, connect, currentChat, instance, loadChats, setTroubleHandler, now } from './store.js';
import { instances, newInstance, environment } from './instances.js';
import { chats, newPerson } from './chats.js';
import { conversation } from './conversation.js';
import { composer } from './composer.js';
import { log } from './log.js';
import { quota } from './quota.js';
import { switches, clockMenu } from './switches.js';
import { chatName } from './people.js';
import { menu, confirm, notice, closeMenu } from './overlay.js';
import { kept } from './kept.js';

function theme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}
choose(kept.read('language'));
theme(kept.read('theme'));

// ---- where we are: #/instance/chat, or #/instance/chat/activity

function readRoute() {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(p => {
    try {
      return decodeURIComponent(p);
    } catch {
      return p;
    }
  });
  const activity = parts[parts.length - 1] === '~activity';
  if (activity) parts.pop();
  const before = state.route;
  state.route = { instance: parts[0] || '', chat: parts[1] || '', activity };
  if (state.route.instance !== before.instance) loadChats();
  closeMenu(false);
  touch('route', 'chats', 'state', 'messages');
}

const hash = (...parts) => '#/' + parts.filter(Boolean).map(encodeURIComponent).join('/');

function go(name, chat, { write } = {}) {
  const target = hash(name, chat);
  const wide = matchMedia('(min-width: 45rem)').matches;
  if (location.hash === target) readRoute();
  // On a phone the browser's own way back leads to the list.
  else if (wide && state.route.chat && chat) history.replaceState(null, '', target), readRoute();
  else location.hash = target;
  if (write) setTimeout(() => compose.focus(), 50);
  else if (!wide && chat) setTimeout(() => talkPane.querySelector('.back')?.focus({ preventScroll: true }), 50);
}

const back = () => {
  location.hash = hash(state.route.instance);
  setTimeout(() => (document.querySelector('.chat.on') || document.querySelector('.chat'))?.focus(), 60);
};

function activity(open = !state.route.activity) {
  location.hash = hash(state.route.instance, state.route.chat, open ? '~activity' : '');
  setTimeout(() => (open ? document.querySelector('.side .back') : document.querySelector('.top .activity'))?.focus(), 60);
}
addEventListener('hashchange', readRoute);

// ---- the panes

const talk = conversation({
  reply: m => compose.reply(m), edit: (m, author) => compose.edit(m, author), back, activity: () => activity(true),
  newInstance, newChat: () => newPerson(go),
});
const compose = composer({
  up: () => talk.focusList(),
  async sent(id, chat) {
    talk.toEnd();
    // The first message of a new chat says what the chat is called.
    if (!chat.draft || !id) return;
    const name = state.route.instance;
    try {
      const m = await api.getMessage(name, id);
      await loadChats(name);
      if (state.route.chat !== chat.jid || name !== state.route.instance) return;
      if (m.chat && m.chat !== chat.jid) {
        history.replaceState(null, '', hash(name, m.chat));
        readRoute();
      }
    } catch { /* the stream of changes tells it too */ }
  },
});
const list = chats(go);

const top = h('header', { class: 'top' });
const brand = h('span', { class: 'brand' }, h('img', { src: new URL('icon.svg', import.meta.url).href, alt: '' }), h('h1', { text: 'ryzesim' }));
const lostBar = h('div', { class: 'lost-bar', role: 'alert', hidden: true });
const left = h('nav', { class: 'left' }, instances(go), list.el);
const talkPane = h('main', { class: 'middle', id: 'talk' }, talk.el, compose.el);
const sideHead = h('div', { class: 'side-head' });
const side = h('aside', { class: 'side' }, sideHead, quota(), switches(), log());
const skip = h('a', { class: 'skip', href: '#talk', on: { click: event => { event.preventDefault(); (talk.focusList(), compose.focus()); } } });
const shade = h('div', { class: 'shade', on: { click: () => activity(false) } });
const app = h('div', { class: 'app' }, top, lostBar, h('div', { class: 'panes' }, left, talkPane, shade, side));
document.body.append(skip, app);

let begins = true;
view(['all', 'route', 'state', 'chats'], () => {
  const { route } = state;
  app.dataset.pane = route.activity ? 'side' : route.chat ? 'talk' : 'list';
  app.dataset.phase = state.phase;
  const chat = currentChat();
  document.title = [chat ? chatName(chat) : route.instance, 'ryzesim'].filter(Boolean).join(' · ');
  // Buttons stay while they can be pressed.
  if (top.dataset.sign !== topSign()) drawTop();
  top.querySelector('.activity').setAttribute('aria-expanded', String(route.activity));
  left.setAttribute('aria-label', t('instancesAndChats'));
  talkPane.setAttribute('aria-label', t('conversation'));
  side.setAttribute('aria-label', t('activity'));
  drawLost();
  // Where there is room for both, the page begins with the newest chat.
  if (begins && state.phase === 'ready' && state.chats.get(route.instance)?.loaded) {
    begins = false;
    const newest = state.chats.get(route.instance).list[0];
    if (newest && !route.chat && !route.activity && matchMedia('(min-width: 45rem)').matches) {
      history.replaceState(null, '', hash(route.instance, newest.jid));
      readRoute();
    }
  }
  // The page begins with the instance that there is.
  if (!route.instance && state.instances.length && state.phase === 'ready') {
    history.replaceState(null, '', hash(state.instances[0].name));
    readRoute();
  } else if (route.instance && state.phase === 'ready' && !instance(route.instance)) {
    history.replaceState(null, '', state.instances.length ? hash(state.instances[0].name) : '#/');
    readRoute();
  }
});

const topSign = () => JSON.stringify([state.server.url, state.server.layout, state.server.skew, document.documentElement.lang]);

function drawTop() {
  top.dataset.sign = topSign();
  skip.textContent = t('skip');
  const address = (state.server.url || location.origin).replace(/^https?:\/\//, '');
  const clock = h('button', { class: 'fact', 'aria-haspopup': 'menu', title: t('advanceClock'), on: { click: event => clockMenu(event.currentTarget) } }, icon('clock'), h('span', { class: 'server-time' }), h('span', { class: 'unseen', text: t('advanceClock') }));
  fill(top,
    brand,
    h('span', { class: 'facts-line' }, h('span', { text: address }), state.server.layout ? h('span', { text: t('layoutOf', { name: state.server.layout }) }) : '',
      state.server.skew && !/^0s?$/.test(state.server.skew) ? h('span', { text: t('skewOf', { by: state.server.skew }) }) : ''),
    h('span', { class: 'top-do' }, clock,
      h('button', { class: 'primary connect', on: { click: () => environment(state.route.instance) } }, icon('terminal'), h('span', { text: t('connectProgram') })),
      h('button', { class: 'round activity only-narrow', 'aria-label': t('activity'), title: t('activity'), on: { click: () => activity() } }, icon('pulse')),
      h('button', { class: 'round', 'aria-label': t('settings'), title: t('settings'), 'aria-haspopup': 'menu', on: { click: event => settings(event.currentTarget) } }, icon('settings'))));
  fill(sideHead, h('button', { class: 'round back', 'aria-label': t('back'), on: { click: () => activity(false) } }, icon('back')), h('b', { text: t('activity') }));
  tick();
}

function tick() {
  const el = top.querySelector('.server-time');
  if (el) el.textContent = state.server.now ? secondsTime(new Date(now())) : '';
  if (state.phase === 'lost') drawLost();
}
setInterval(tick, 1000);

function drawLost() {
  const phase = state.phase;
  lostBar.hidden = phase !== 'lost' && phase !== 'refused';
  if (lostBar.hidden) {
    lostBar.textContent = '';
    return;
  }
  if (phase === 'refused') {
    if (!lostBar.querySelector('.refused')) fill(lostBar, icon('ban'), h('span', { class: 'refused', text: t('refused') }));
    return;
  }
  // The words stay while the seconds run, or they would be read out each time.
  if (!lostBar.querySelector('.lost-text')) {
    fill(lostBar, icon('wifiOff'), h('span', { class: 'lost-text', text: t('lost') }), h('small', { class: 'lost-in', 'aria-hidden': 'true' }), h('button', { class: 'small', on: { click: () => connect() } }, icon('refresh'), t('tryNow')));
  }
  const left = Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
  lostBar.querySelector('.lost-in').textContent = left ? t('againIn', { n: left }) : t('trying');
}

function settings(from) {
  const language = kept.read('language');
  const look = kept.read('theme');
  const setLanguage = l => () => {
    kept.write('language', l);
    choose(l);
    touch('all');
  };
  const setTheme = name => () => {
    kept.write('theme', name);
    theme(name);
  };
  const title = text => h('p', { class: 'menu-title', text });
  menu([
    title(t('look')),
    { label: t('asSystem'), checked: !look, act: setTheme('') }, { label: t('lightLook'), checked: look === 'light', act: setTheme('light') }, { label: t('darkLook'), checked: look === 'dark', act: setTheme('dark') },
    { line: true },
    title(t('language')),
    { label: t('asBrowser'), checked: !language, act: setLanguage('') }, { label: 'English', checked: language === 'en', act: setLanguage('en') }, { label: 'Português (Brasil)', checked: language === 'pt', act: setLanguage('pt') },
    { line: true },
    { icon: 'file', label: t('apiDocument'), act: () => open(new URL('openapi.yaml', import.meta.url), '_blank', 'noopener') },
    { icon: 'refresh', label: t('reset'), bad: true, act: () => confirm({ title: t('reset'), note: t('resetNote'), submit: t('reset'), done: async () => { await api.reset(); await connect(); } }) },
  ], { from, label: t('settings') });
}

// ---- keys, and files that are dropped

addEventListener('keydown', event => {
  if (event.target.closest('input, textarea, select, dialog, .menu')) return;
  if (event.key === '/') {
    event.preventDefault();
    list.focusSearch();
  } else if (event.key === 'Escape') {
    if (state.route.activity) activity(false);
    else if (state.route.chat && !matchMedia('(min-width: 45rem)').matches) back();
  }
});
addEventListener('dragover', event => {
  if ([...(event.dataTransfer?.types || [])].includes('Files')) {
    event.preventDefault();
    talkPane.classList.add('drop');
  }
});
addEventListener('dragleave', event => {
  if (!event.relatedTarget) talkPane.classList.remove('drop');
});
addEventListener('drop', event => {
  talkPane.classList.remove('drop');
  const files = [...(event.dataTransfer?.files || [])];
  if (!files.length) return;
  event.preventDefault();
  if (currentChat()) compose.drop(files);
});
addEventListener('unhandledrejection', event => {
  event.preventDefault();
  notice(event.reason?.message || t('failed'), { bad: true });
});
setTroubleHandler(error => notice(error.message, { bad: true }));
addEventListener('online', () => { if (state.phase === 'lost') connect(); });

// A day passes while the page is open.
let today = new Date().toDateString();
setInterval(() => {
  const d = new Date().toDateString();
  if (d !== today) {
    today = d;
    touch('all');
  }
}, 30000);

readRoute();
touch('all');
connect();

