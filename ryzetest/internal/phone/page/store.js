// What the page knows of the simulator, kept fresh by the stream of changes.
// Views subscribe to topics and are drawn at most once a frame.

import * as api from './api.js';

export const state = {
  phase: 'loading', // loading, ready, lost, refused
  retryAt: 0,
  server: {}, offset: 0,
  instances: [], windows: [], faults: [], contacts: [],
  chats: new Map(), // of an instance: {list, loaded}
  talks: new Map(), // of a chat: Talk
  requests: [], deliveries: [],
  logLoaded: false,
  route: { instance: '', chat: '', activity: false },
  writer: new Map(), // who writes in a chat
};

/** now is the simulator's time, in milliseconds. */
export const now = () => Date.now() + state.offset;

// ---- topics

const views = [];
const dirty = new Set();
let frame = 0;

export function view(topics, draw) {
  views.push({ topics, draw });
}

export function touch(...topics) {
  for (const topic of topics) dirty.add(topic);
  // A page in the background draws nothing, and must not fall behind either.
  if (!frame) frame = document.hidden ? setTimeout(flush, 100) : requestAnimationFrame(flush);
}

function flush() {
  frame = 0;
  const topics = new Set(dirty);
  dirty.clear();
  for (const { topics: wanted, draw } of views) {
    if (wanted.some(topic => topics.has(topic) || topics.has('all'))) draw(topics);
  }
}

// ---- reading

const keyOf = (instance, chat) => `${instance}\n${chat}`;

export const instance = name => state.instances.find(i => i.name === name);
export const chatsOf = name => state.chats.get(name)?.list || [];
/** currentChat is what is open; a chat of which nothing is known (any more) can be begun. */
export const currentChat = () => {
  const { instance: name, chat: jid } = state.route;
  return chatsOf(name).find(c => c.jid === jid) || (jid && state.chats.get(name)?.loaded ? unknownChat(jid) : undefined);
};
const unknownChat = jid => ({
  jid, name: '', draft: true, phone: /@s\.whatsapp\.net$/.test(jid) ? jid.split('@')[0] : '',
  kind: jid === 'status@broadcast' ? 'status' : /@g\.us$/.test(jid) ? 'group' : /@newsletter$/.test(jid) ? 'newsletter' : 'private',
});
export const contactOf = who => {
  const user = String(who || '').split('@')[0].split(':')[0];
  return user ? state.contacts.find(c => c.phone === user || String(c.lid || '').split('@')[0] === user) : undefined;
};

/** Talk is the messages of a chat, as far as they were read. */
class Talk {
  constructor(instanceName, chat) {
    this.instance = instanceName;
    this.chat = chat;
    this.messages = [];
    this.more = false;
    this.loaded = false;
    this.loading = null;
    this.failed = false;
    this.arrived = []; // ids that came while it was open
    this.prepended = 0; // so many were put before what there was
    this.replaced = 0; // so often the list has become another one
    this.late = null; // ids that came while the list is read anew
  }

  at(id) {
    for (let i = this.messages.length - 1; i >= 0; i--) if (this.messages[i].id === id) return i;
    return -1;
  }

  // merge takes a page, oldest first, whatever of it is known already.
  merge(page) {
    const index = new Map(this.messages.map((m, i) => [m.id, i]));
    const fresh = [];
    for (const m of page) {
      const i = index.get(m.id);
      if (i === undefined) fresh.push(m);
      else this.messages[i] = m;
    }
    return fresh;
  }

  latest() {
    return this.once(async () => {
      const page = await api.getMessages(this.instance, this.chat, { limit: 100 });
      const known = this.messages.length && page.messages.some(m => this.at(m.id) >= 0);
      if (!known) {
        const first = !this.loaded;
        this.messages = page.messages;
        this.more = page.more;
        this.replaced++;
        if (!first) this.arrived.push(...page.messages.map(m => m.id));
      } else {
        const fresh = this.merge(page.messages);
        this.messages.push(...fresh);
        this.arrived.push(...fresh.map(m => m.id));
      }
      this.loaded = true;
    });
  }

  older() {
    if (!this.more || !this.messages.length) return Promise.resolve();
    return this.once(async () => {
      const page = await api.getMessages(this.instance, this.chat, { limit: 100, before: this.messages[0].id });
      const fresh = this.merge(page.messages);
      this.messages = fresh.concat(this.messages);
      this.more = page.more && fresh.length > 0;
      this.prepended += fresh.length;
    });
  }

  async once(work) {
    while (this.loading) await this.loading;
    this.loading = work().then(() => { this.failed = false; }, error => {
      this.failed = true;
      this.loaded = true;
      if (!(error instanceof api.APIError && error.status === 404)) trouble(error);
    }).finally(() => {
      this.loading = null;
      touch('messages');
    });
    touch('messages');
    return this.loading;
  }

  // reread reads as much as there was, of a simulator that may have become another one.
  async reread() {
    this.late = [];
    const fresh = new Talk(this.instance, this.chat);
    await fresh.latest();
    for (let pages = 0; fresh.more && !fresh.failed && fresh.messages.length < this.messages.length && pages < 20; pages++) await fresh.older();
    const late = this.late;
    this.late = null;
    if (fresh.failed) return;
    const known = new Set(this.messages.map(m => m.id));
    const end = fresh.messages.findLastIndex(m => known.has(m.id));
    if (end >= 0) this.arrived.push(...fresh.messages.slice(end + 1).map(m => m.id));
    Object.assign(this, { messages: fresh.messages, more: fresh.more, failed: false, loaded: true });
    this.replaced++;
    touch('messages');
    if (late.length) await this.refresh(late);
  }

  async refresh(ids) {
    this.late?.push(...ids);
    const found = await Promise.all(ids.map(id => api.getMessage(this.instance, id).catch(error => {
      if (error instanceof api.APIError && error.status === 404) return { id, gone: true };
      throw error;
    })));
    for (const m of found) {
      const i = this.at(m.id);
      if (m.gone) {
        if (i >= 0) this.messages.splice(i, 1);
      } else if (i >= 0) {
        this.messages[i] = m;
      } else if (!m.chat || m.chat === this.chat) {
        const last = this.messages[this.messages.length - 1];
        // One that is not the newest belongs to a page that was not read.
        if (last && m.timestamp < last.timestamp && this.more && m.timestamp < this.messages[0].timestamp) continue;
        this.messages.push(m);
        this.arrived.push(m.id);
      }
    }
    touch('messages');
    // A reaction changes the message that it is for.
    const targets = found.filter(m => m.kind === 'reaction').map(m => m.reaction?.messageId || m.replyTo || m.quoted?.id)
      .filter(id => id && this.at(id) >= 0 && !ids.includes(id));
    if (targets.length) await this.refresh([...new Set(targets)]);
  }
}

export function talk(instanceName = state.route.instance, chat = state.route.chat) {
  if (!instanceName || !chat) return null;
  const key = keyOf(instanceName, chat);
  let found = state.talks.get(key);
  if (!found) {
    found = new Talk(instanceName, chat);
    state.talks.set(key, found);
    // Chats read long ago are read again when they are wanted.
    if (state.talks.size > 12) state.talks.delete(state.talks.keys().next().value);
  }
  return found;
}

// ---- the stream of changes

let last = 0;
let stop = null;
let attempt = 0;
let retry = 0;
let onTrouble = () => {};
export const setTroubleHandler = f => { onTrouble = f; };

/** trouble tells a failed call to whoever looks at the page. */
export function trouble(error) {
  if (error?.name === 'AbortError') return;
  if (error instanceof api.LostError) lost();
  else onTrouble(error);
}

export async function connect() {
  clearTimeout(retry);
  stop?.();
  stop = null;
  try {
    const fresh = await api.getState();
    take(fresh);
    last = fresh.change || 0;
  } catch (error) {
    if (error instanceof api.APIError && (error.status === 401 || error.status === 403)) {
      state.phase = 'refused';
      touch('all');
      return;
    }
    lost();
    return;
  }
  stop = api.changes(last, {
    onOpen: () => {
      attempt = 0;
      state.phase = 'ready';
      touch('all');
    },
    onChange: change,
    onLost: lost,
  });
  state.phase = 'ready';
  touch('all');
  state.requests = [];
  state.deliveries = [];
  // What was read before the line was lost may have changed since.
  const old = talk()?.loaded ? talk() : null;
  for (const [key, t] of state.talks) if (t !== talk()) state.talks.delete(key);
  try {
    await Promise.all([loadChats(), readLog(), readDeliveries(), old?.reread()]);
  } catch (error) {
    trouble(error);
  }
}

function lost() {
  stop?.();
  stop = null;
  clearTimeout(retry);
  if (state.phase === 'refused') return;
  const wait = Math.min(15000, 500 * 2 ** attempt++);
  state.phase = 'lost';
  state.retryAt = Date.now() + wait;
  retry = setTimeout(connect, wait);
  touch('all');
}

// A browser has six connections to a server. Pages that nobody sees give
// theirs back, or the seventh tab would wait for ever.
let sleeping = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(sleeping);
  if (document.hidden) {
    sleeping = setTimeout(() => {
      stop?.();
      stop = null;
      clearTimeout(retry);
      state.asleep = true;
    }, 60000);
  } else if (state.asleep) {
    state.asleep = false;
    connect();
  }
});

function take(fresh) {
  state.server = fresh.server || {};
  state.offset = fresh.server?.now ? Date.parse(fresh.server.now) - Date.now() : 0;
  state.instances = fresh.instances || [];
  state.windows = fresh.windows || [];
  state.faults = fresh.faults || [];
  state.contacts = fresh.contacts || [];
}

// Many changes of one kind are one reading.
const waiting = new Map();
function soon(key, wait, work) {
  if (waiting.has(key)) return;
  waiting.set(key, setTimeout(async () => {
    waiting.delete(key);
    try {
      await work();
    } catch (error) {
      trouble(error);
    }
  }, wait));
}

const changed = new Map(); // of a chat: ids to read again

function change(c) {
  if (c.number) last = c.number;
  switch (c.kind) {
    case 'message': {
      const key = keyOf(c.instance, c.chat);
      const t = state.talks.get(key);
      if (t?.loaded && c.message) {
        if (!changed.has(key)) changed.set(key, new Set());
        changed.get(key).add(c.message);
        soon('messages ' + key, 40, () => rereadMessages(key, t));
      } else if (t) soon('messages ' + key, 40, () => t.latest());
      soon('chats ' + c.instance, 120, () => loadChats(c.instance));
      break;
    }
    case 'chat':
      soon('chats ' + c.instance, 120, () => loadChats(c.instance));
      break;
    case 'request':
      soon('requests', 100, readLog);
      soon('state', 300, readState);
      break;
    case 'delivery':
      soon('deliveries', 100, readDeliveries);
      soon('state', 300, readState);
      break;
    case 'instance':
      soon('state', 60, readState);
      break;
    case 'lost':
      connect();
      break;
    default:
      soon('state', 60, readState);
  }
}

async function rereadMessages(key, t) {
  const ids = [...(changed.get(key) || [])];
  changed.delete(key);
  // A flood is read by the page, and what changed in it message by message.
  if (ids.length > 15) {
    await t.latest();
    return t.refresh(ids.filter(id => { const i = t.at(id); return i >= 0 && i < t.messages.length - 100; }).slice(-50));
  }
  return t.refresh(ids);
}

export async function readState() {
  const known = new Set(state.instances.map(i => i.name));
  take(await api.getState());
  for (const i of state.instances) if (!known.has(i.name)) soon('chats ' + i.name, 10, () => loadChats(i.name));
  touch('state');
}

export async function loadChats(name) {
  const names = name ? [name] : [state.route.instance].filter(n => instance(n));
  await Promise.all(names.map(async n => {
    try {
      const { chats } = await api.getChats(n);
      state.chats.set(n, { list: (chats || []).sort(newest), loaded: true });
    } catch (error) {
      if (error instanceof api.APIError && error.status === 404) state.chats.delete(n);
      else trouble(error);
    }
  }));
  touch('chats');
}

const newest = (a, b) => (b.pinned ? 1 : 0) - (a.pinned ? 1 : 0) || String(b.lastAt || '').localeCompare(String(a.lastAt || ''));

const keptRows = 600;

async function readLog() {
  // One that was under way is read again.
  const open = state.requests.findIndex(r => r.done === false && !r.stale);
  const after = open >= 0 ? state.requests[open].number - 1 : state.requests.length ? state.requests[state.requests.length - 1].number : 0;
  const { requests } = await api.getRequests(after);
  const known = state.requests.filter(r => r.number <= after);
  state.requests = known.concat(requests || []).slice(-keptRows);
  // A stream is never done: do not read everything again because of it.
  const last = state.requests[state.requests.length - 1];
  for (const r of state.requests) if (r.done === false && last.number - r.number > 50) r.stale = true;
  state.logLoaded = true;
  touch('log');
}

async function readDeliveries() {
  const after = state.deliveries.length ? state.deliveries[state.deliveries.length - 1].number : 0;
  const { deliveries } = await api.getDeliveries(after);
  state.deliveries = state.deliveries.concat((deliveries || []).filter(d => d.number > after)).slice(-keptRows);
  touch('log');
}

/** forgetLog hides what there is so far; the last rows say from where to read on. */
export function forgetLog() {
  state.requests = state.requests.slice(-1).map(r => ({ ...r, hidden: true, stale: true }));
  state.deliveries = state.deliveries.slice(-1).map(d => ({ ...d, hidden: true }));
  touch('log');
}
