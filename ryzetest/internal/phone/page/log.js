// What happens: requests with what was wrong about them, and deliveries with the
// answer they got.

import { h, keyed, arrows, fill, copyText, roving } from './dom.js';
import { icon } from './icons.js';
import { t, secondsTime, size, number } from './i18n.js';
import * as api from './api.js';
import { state, view, touch, forgetLog } from './store.js';
import { notice } from './overlay.js';
import { environment } from './instances.js';

const filters = ['all', 'requests', 'deliveries', 'problems'];
const most = 250;

export function log() {
  let filter = 'all';
  const open = new Map(); // details, by the key of their row
  const title = h('h2', { id: 'log-title' });
  const clear = h('button', { class: 'round', on: { click: forgetLog } }, icon('trash'));
  const tabs = h('div', { class: 'segments', role: 'radiogroup' });
  const buttons = filters.map(f => h('button', { role: 'radio', on: { click: () => { filter = f; touch('log'); } } }));
  tabs.append(...buttons);
  arrows(tabs, 'button', { horizontal: true, onMove: b => b.click() });
  const list = h('ul', { class: 'log' });
  const empty = h('div', { class: 'empty' });
  const el = h('section', { class: 'log-pane', 'aria-labelledby': 'log-title' }, h('div', { class: 'pane-head' }, title, clear), tabs, h('div', { class: 'log-scroll' }, list, empty));

  // A look-up that finds nothing is an answer: clients ask so what there is.
  const refused = r => r.status >= 400 && !(r.status === 404 && r.method === 'GET' && !r.delivery) || !r.status && r.done;
  const isProblem = r => (r.delivery ? r.dead || r.error || r.status >= 400 : r.violations?.length || r.faulted || refused(r));

  function rows() {
    const all = [];
    if (filter !== 'deliveries') for (const r of state.requests) if (!r.hidden) all.push({ ...r, key: 'r' + r.number });
    if (filter !== 'requests') for (const d of state.deliveries) if (!d.hidden) all.push({ ...d, delivery: true, key: 'd' + d.number });
    const wanted = filter === 'problems' ? all.filter(isProblem) : all;
    return wanted.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : b.number - a.number)).slice(0, most);
  }

  view(['all', 'log'], () => {
    title.textContent = t('live');
    clear.setAttribute('aria-label', t('clearLog'));
    clear.title = t('clearLog');
    tabs.setAttribute('aria-label', t('show'));
    const problems = state.requests.filter(r => !r.hidden && isProblem(r)).length + state.deliveries.filter(d => !d.hidden && isProblem({ ...d, delivery: true })).length;
    buttons.forEach((b, i) => {
      const on = filters[i] === filter;
      b.setAttribute('aria-checked', String(on));
      b.tabIndex = on ? 0 : -1;
      fill(b, t('filter_' + filters[i]), filters[i] === 'problems' && problems ? h('span', { class: 'count bad', text: number(problems) }) : '');
    });
    const shown = rows();
    const language = document.documentElement.lang;
    keyed(list, shown, {
      key: r => r.key, signature: r => JSON.stringify([r, open.has(r.key), open.get(r.key)?.number, language]), render: draw,
    });
    roving(list, '.log-open', () => false);
    empty.hidden = shown.length > 0;
    const sign = filter + language + state.logLoaded + state.server.url;
    if (!shown.length && empty.dataset.sign !== sign) {
      empty.dataset.sign = sign;
      fill(empty, icon(filter === 'problems' ? 'check' : 'pulse'), h('p', { text: !state.logLoaded ? t('loading') : t('empty_' + filter) }), filter === 'problems' || !state.logLoaded ? ''
        : h('button', { class: 'small', on: { click: () => environment(state.route.instance) } }, icon('terminal'), t('connectProgram')));
    }
  });

  function draw(r) {
    const bad = isProblem(r);
    const details = open.get(r.key);
    const at = new Date(r.time);
    const button = h('button', { class: 'log-open', 'aria-expanded': String(open.has(r.key)), on: { click: () => toggle(r) } },
      h('time', { datetime: r.time, text: secondsTime(at) }),
      h('span', { class: 'log-what' }, r.delivery
        ? [icon(r.channel === 'webhook' ? 'webhook' : 'stream'), h('b', { text: r.event || t('event') }), h('small', { text: [r.instance, r.channel === 'webhook' ? where(r.url) : r.label && r.label !== 'websocket' ? r.label : ''].filter(Boolean).join(' · ') })]
        : [h('em', { class: `method m-${r.method.toLowerCase()}`, text: r.method }), h('b', { text: shortPath(r) }), r.instance ? h('small', { text: r.instance }) : '']),
      h('span', { class: `log-status ${statusClass(r)}` }, outcome(r)));
    const li = h('li', { class: `log-row ${bad ? 'bad' : ''} ${r.dead ? 'dead' : ''}` }, button);
    for (const v of r.violations || []) {
      li.append(h('p', { class: 'violation', lang: 'en' }, icon('alert'), h('span', { text: v.text || `${v.kind}: ${v.detail}` })));
    }
    if (r.faulted) li.append(h('p', { class: 'fault' }, icon('bolt'), h('span', { text: t('faulted') })));
    if (r.delivery && r.error) li.append(h('p', { class: 'violation', lang: 'en' }, icon('alert'), h('span', { text: r.error })));
    if (r.dead) li.append(h('p', { class: 'violation' }, icon('ban'), h('span', { text: t('givenUp', { n: r.attempt || 1 }) })));
    if (details) li.append(detailsOf(r, details));
    return li;
  }

  const where = url => {
    try {
      const u = new URL(url);
      return `${/^(127\.|localhost|\[::1\])/.test(u.hostname) ? '' : u.hostname}${u.port ? ':' + u.port : ''}${u.pathname}`;
    } catch {
      return url || '';
    }
  };

  // The name of the instance is in every path, and said beside it.
  const shortPath = r => (r.route ? r.route.replace(/^[A-Z]+ /, '') : r.path || '').replace(/^\/api\//, '').replace(/\/:instance\b/, '') || '/';

  const statusClass = r => (r.delivery ? (r.dead || r.error || r.status >= 400 ? 'bad' : 'good') : refused(r) ? 'bad' : r.status ? 'good' : '');

  function outcome(r) {
    if (r.delivery) {
      const again = r.attempt > 1 ? t('attemptNumber', { n: r.attempt }) : '';
      return [r.status || (r.error ? t('noReply') : r.channel === 'stream' ? t('sent') : '·'), again].filter(Boolean).join(' · ');
    }
    return [r.status || (r.done ? t('died') : '…'), took(r.duration)].filter(Boolean).join(' · ');
  }

  async function toggle(r) {
    if (open.has(r.key)) {
      open.delete(r.key);
      touch('log');
      return;
    }
    open.set(r.key, { loading: true });
    touch('log');
    try {
      open.set(r.key, r.delivery ? { ...r, done: true } : await api.getRequest(r.number));
    } catch (error) {
      open.delete(r.key);
      notice(error.message, { bad: true });
    }
    touch('log');
  }

  function detailsOf(r, d) {
    if (d.loading) return h('div', { class: 'details' }, h('span', { class: 'spinner' }, h('span', { class: 'unseen', text: t('loading') })));
    const parts = [h('p', { class: 'path', text: r.delivery ? `${r.channel === 'webhook' ? 'POST ' : ''}${r.url || r.label || r.channel}` : `${r.method} ${r.path}` })];
    if (!r.delivery) parts.push(h('p', { class: 'facts', text: [r.proto, size(r.size), r.instance].filter(Boolean).join(' · ') }));
    if (d.headers && Object.keys(d.headers).length) {
      parts.push(h('details', {}, h('summary', { text: t('headers') }), h('dl', { class: 'pairs mono' }, Object.entries(d.headers).map(([k, v]) => [h('dt', { text: k }), h('dd', { text: Array.isArray(v) ? v.join(', ') : v })]))));
    }
    if (d.body) parts.push(code(t(r.delivery ? 'eventBody' : 'body'), d.body));
    if (d.replyBody) parts.push(code(t('reply'), d.replyBody));
    if (!d.body && !d.replyBody) parts.push(h('p', { class: 'facts', text: t('noBody') }));
    return h('div', { class: 'details' }, parts);
  }

  function code(label, text) {
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch { /* it is shown as it is */ }
    const long = shown.length > 20000;
    return h('div', { class: 'code-block' }, h('div', { class: 'env-head' }, h('h3', { text: label }),
      h('button', { class: 'round', 'aria-label': t('copy'), title: t('copy'), on: { click: async () => notice((await copyText(shown)) ? t('copied') : t('notCopied')) } }, icon('copy'))),
    h('pre', { class: 'code', tabindex: '0' }, highlight(long ? shown.slice(0, 20000) + '\n…' : shown)));
  }
  arrows(list, '.log-open');
  return el;
}

/** took writes a Go duration shorter: "14.21ms" is "14 ms". */
export function took(text) {
  const m = /^([\d.]+)(ns|µs|us|ms|s)$/.exec(text || '');
  if (!m) return text && text !== '0s' ? text : '';
  const value = Number(m[1]);
  if (m[2] === 'ns' || m[2] === 'µs' || m[2] === 'us') return value === 0 ? '' : '< 1 ms';
  if (m[2] === 'ms') return `${Math.round(value)} ms`;
  return value ? `${number(Math.round(value * 10) / 10)} s` : '';
}

/** highlight colours JSON: names, texts, numbers. */
function highlight(text) {
  const out = [];
  const tokens = /("(?:[^"\\\n]|\\.)*")(\s*:)?|\b(true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\b/g;
  let last = 0;
  for (let m; (m = tokens.exec(text));) {
    if (m.index > last) out.push(text.slice(last, m.index));
    if (m[1]) out.push(h('span', { class: m[2] ? 'j-name' : 'j-text', text: m[1] }), m[2] || '');
    else out.push(h('span', { class: 'j-value', text: m[3] }));
    last = tokens.lastIndex;
  }
  out.push(text.slice(last));
  return out;
}
