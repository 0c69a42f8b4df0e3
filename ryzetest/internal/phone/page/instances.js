// The numbers that the simulator has: their state, and the code to scan.

import { h, keyed, arrows, copyText, fill } from './dom.js';
import { icon } from './icons.js';
import { t, phone } from './i18n.js';
import * as api from './api.js';
import { state, view, now, readState } from './store.js';
import { menu, ask, attempt, confirm, dialog, notice } from './overlay.js';

const good = new Set(['connected']);
export const waits = new Set(['qr', 'qr_code', 'connecting', 'pairing']);

export const stateClass = s => (good.has(s) ? 'good' : waits.has(s) ? 'wait' : s === 'banned' || s === 'loggedout' ? 'bad' : 'off');
export const stateName = s => t('state_' + (s === 'qr_code' ? 'qr' : s));

export function instances(go) {
  const list = h('ul', { class: 'instances' });
  const none = h('p', { class: 'explain pad', hidden: true });
  const title = h('h2', { id: 'instances-title' });
  const add = h('button', { class: 'round', on: { click: newInstance } }, icon('plus'));
  const el = h('section', { class: 'instances-pane', 'aria-labelledby': 'instances-title' }, h('div', { class: 'pane-head' }, title, add), none, list);

  view(['all', 'state', 'route'], () => {
    title.textContent = t('instances');
    add.setAttribute('aria-label', t('newInstance'));
    add.title = t('newInstance');
    none.textContent = state.phase === 'loading' ? '' : t('noInstancesHint');
    none.hidden = state.instances.length > 0 || state.phase === 'loading';
    if (state.phase === 'loading') {
      list.replaceChildren(h('li', { class: 'instance ghost' }), h('li', { class: 'instance ghost' }));
      return;
    }
    keyed(list, state.instances, {
      key: i => i.name,
      signature: i => i.name + document.documentElement.lang, render: i => card(i.name, go), update: refresh,
    });
    tick();
  });
  setInterval(tick, 1000);
  arrows(list, '.instance-open');

  function tick() {
    for (const el of list.querySelectorAll('[data-expires]')) {
      const left = Math.max(0, Math.ceil((Number(el.dataset.expires) - now()) / 1000));
      el.textContent = left ? t('codeExpires', { n: left }) : t('codeExpired');
    }
  }
  return el;
}

const named = name => state.instances.find(i => i.name === name);

// A card stays while what it says changes, so that a click on it is never lost.
function card(name, go) {
  return h('li', { class: 'instance' },
    h('button', { class: 'instance-open', on: { click: () => go(name) } }),
    h('button', { class: 'round instance-more', 'aria-label': t('actionsFor', { name }), 'aria-haspopup': 'menu', on: { click: event => instanceMenu(named(name), event.currentTarget) } }, icon('dots')),
    h('div', { class: 'instance-extra' }));
}

function refresh(el, i) {
  const on = i.name === state.route.instance;
  const [open, , extra] = el.children;
  el.classList.toggle('on', on);
  if (on) open.setAttribute('aria-current', 'true');
  else open.removeAttribute('aria-current');

  const hooks = (i.webhooks || []).filter(w => w.enabled !== false);
  const failing = hooks.some(w => w.lastAt && (w.lastStatus < 200 || w.lastStatus > 299));
  const facts = [i.streams ? t('streams', { n: i.streams }) : '', hooks.map(w => `webhook${w.lastAt ? ` ${w.lastStatus || t('noReply')}` : ''}`).join(', ')].filter(Boolean).join(' · ');
  once(open, [i.state, i.phone, i.unread, facts], () => [
    h('span', { class: 'instance-name' }, h('b', { dir: 'auto', text: i.name }), i.unread ? h('span', { class: 'count', title: t('unreadBy', { n: i.unread, name: i.name }) }, String(i.unread)) : ''),
    h('span', { class: `pill ${stateClass(i.state)}` }, h('i', { 'aria-hidden': 'true' }), stateName(i.state)),
    h('small', { text: i.phone ? phone(i.phone) : t('noPhone') }),
    facts ? h('small', { class: failing ? 'bad' : '', text: facts }) : '']);

  const showCode = waits.has(i.state) && (i.qrPNG || i.pairingCode);
  const pairs = !showCode && i.state !== 'connected' && i.state !== 'banned';
  once(extra, [i.state, i.phone, showCode && Boolean(i.qrPNG), showCode && i.pairingCode], () => (showCode ? code(i) : pairs ? h('div', { class: 'instance-do' },
    i.state === 'disconnected' && i.phone ? h('button', { class: 'small', on: { click: () => attempt(() => api.act(i.name, 'reconnect')) } }, icon('plug'), t('reconnect'))
      : h('button', { class: 'small primary', on: { click: () => attempt(() => api.act(i.name, 'pair')) } }, icon('phone'), t('pairNow'))) : ''));
  // The next code of a series takes the place of the last.
  const picture = extra.querySelector('.qr');
  if (picture && picture.src !== i.qrPNG) picture.src = i.qrPNG;
  const expires = extra.querySelector('.expires');
  if (expires) expires.dataset.expires = String(Date.parse(i.codeExpires));
}

// once draws when what is drawn has changed.
function once(el, what, draw) {
  const sign = JSON.stringify(what);
  if (el.dataset.sign === sign) return;
  el.dataset.sign = sign;
  fill(el, draw());
}

function code(i) {
  return h('div', { class: 'code-box' },
    i.qrPNG?.startsWith('data:image/png;') ? h('img', { src: i.qrPNG, class: 'qr', alt: t('qrOf', { name: i.name }) }) : '',
    h('div', { class: 'code-side' },
      i.pairingCode ? h('div', {}, h('small', { text: t('pairingCode') }), h('b', { class: 'pairing', text: i.pairingCode.replace(/^(\w{4})(\w{4})$/, '$1-$2') })) : h('small', { text: t('qrHint') }),
      i.codeExpires ? h('small', { class: 'expires', data: { expires: '' } }) : '',
      h('button', { class: 'primary', on: { click: () => attempt(() => api.act(i.name, 'pair'), t('paired', { name: i.name })) } }, icon('qr'), i.qrPNG ? t('scan') : t('enterCode'))));
}

function instanceMenu(i, from) {
  const act = (action, done) => () => attempt(() => api.act(i.name, action), done);
  const connected = i.state === 'connected';
  menu([
    { icon: 'terminal', label: t('connectProgram'), act: () => environment(i.name) },
    { line: true },
    connected ? null : { icon: 'qr', label: t('pairOther'), act: () => ask({
      title: t('pairOther'), submit: t('scan'), fields: [{ name: 'phone', label: t('phone'), type: 'tel', required: true, value: i.phone || '5511900000001', hint: t('phoneHint') }],
      done: v => api.act(i.name, 'pair', { phone: v.phone.replace(/\D/g, '') }),
    }) },
    waits.has(i.state) ? { icon: 'alert', label: t('failPairing'), act: act('fail-pairing') } : null,
    connected ? { icon: 'unplug', label: t('disconnect'), act: act('disconnect') } : null,
    i.state === 'disconnected' ? { icon: 'plug', label: t('reconnect'), act: act('reconnect') } : null,
    i.streams ? { icon: 'stream', label: t('dropStreams'), act: act('drop-streams') } : null,
    i.phone ? { icon: 'logout', label: t('logOut'), act: act('logout') } : null,
    i.state === 'banned' ? null : { icon: 'ban', label: t('ban'), bad: true, act: act('ban') },
    { line: true },
    { icon: 'trash', label: t('deleteInstance'), bad: true, act: () => confirm({ title: t('deleteInstance'), note: t('deleteInstanceNote', { name: i.name }), submit: t('delete'), done: async () => { await api.deleteInstance(i.name); await readState(); } }) },
  ], { from, label: t('actionsFor', { name: i.name }) });
}

export function newInstance() {
  ask({
    title: t('newInstance'), submit: t('create'), note: t('newInstanceNote'),
    fields: [{ name: 'name', label: t('name'), required: true, placeholder: 'shop' }],
    async done(v) {
      await api.createInstance(v.name);
      await readState();
      location.hash = `#/${encodeURIComponent(v.name)}`;
    },
  });
}

/** environment shows what a program needs to use an instance. */
export function environment(name) {
  const i = state.instances.find(x => x.name === name) || state.instances[0];
  const env = state.server.environment || {};
  const base = env.RYZE_BASE_URL || state.server.url || location.origin;
  const parts = [
    i ? { title: t('forInstance', { name: i.name }), values: { RYZE_BASE_URL: base, RYZE_INSTANCE: i.name, RYZE_INSTANCE_TOKEN: i.token } } : null,
    env.RYZE_ACCOUNT_TOKEN ? { title: t('forAccount'), values: { RYZE_BASE_URL: base, RYZE_ACCOUNT_TOKEN: env.RYZE_ACCOUNT_TOKEN } } : null,
  ].filter(Boolean);
  const secret = key => /TOKEN/.test(key);
  let open = false;
  const draw = values => Object.entries(values).filter(([, v]) => v).map(([k, v]) => `export ${k}=${secret(k) && !open ? '•'.repeat(12) : shell(v)}`).join('\n');
  const blocks = parts.map(p => {
    const pre = h('pre', { class: 'code', tabindex: '0', text: draw(p.values) });
    p.pre = pre;
    return h('section', { class: 'env' }, h('div', { class: 'env-head' }, h('h3', { text: p.title }), h('button', {
      class: 'small', on: {
        click: async () => {
          const text = Object.entries(p.values).filter(([, v]) => v).map(([k, v]) => `export ${k}=${shell(v)}`).join('\n');
          notice((await copyText(text + '\n')) ? t('copied') : t('notCopied'));
        },
      },
    }, icon('copy'), t('copy'))), pre);
  });
  const eye = h('button', { 'aria-pressed': 'false', on: { click: () => {
    open = !open;
    eye.setAttribute('aria-pressed', String(open));
    eye.replaceChildren(icon(open ? 'eyeOff' : 'eye'), t(open ? 'hideTokens' : 'showTokens'));
    parts.forEach(p => { p.pre.textContent = draw(p.values); });
  } } }, icon('eye'), t('showTokens'));
  dialog({ title: t('connectProgram'), className: 'wide', body: [h('p', { class: 'explain', text: t('connectProgramNote') }), blocks], actions: [eye] });
}

const shell = v => (/^[\w./:@%+=-]+$/.test(v) ? v : `'${String(v).replaceAll("'", `'\\''`)}'`);
