// Switches that break things, to see what the program makes of it.

import { h, fill, keyed, folding } from './dom.js';
import { remember } from './kept.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import * as api from './api.js';
import { state, view, instance, readState } from './store.js';
import { waits } from './instances.js';
import { attempt, confirm, menu, ask } from './overlay.js';

const routes = [
  '', 'POST /api/message/text/:instance', 'POST /api/message/media/:instance', 'POST /api/message/button/:instance', 'POST /api/message/list/:instance',
  'POST /api/message/poll/:instance', 'POST /api/message/reaction/:instance', 'GET /api/instance/info/:instance',
];

const faults = [
  ['429', 'clock'], ['throttled', 'clock'], ['503', 'alert'], ['proxy', 'alert'], ['slow', 'clock'], ['accept-then-die', 'unplug'], ['die', 'unplug'], ['no-answer', 'unplug'],
];

export function switches() {
  const phone = h('div', { class: 'switch-row' });
  const times = h('select', { id: 'fault-times' });
  const route = h('select', { id: 'fault-route' });
  const timesLabel = h('label', { for: 'fault-times' });
  const routeLabel = h('label', { for: 'fault-route' });
  const next = h('div', { class: 'switch-row' });
  const waiting = h('ul', { class: 'faults' });
  const { el, body, title, button } = folding('switches', remember, phone,
    h('div', { class: 'fault-form' }, h('div', {}, timesLabel, times), h('div', {}, routeLabel, route)), next, waiting);
  el.append(body);
  button.prepend(icon('down'));

  let drawn = '';
  view(['all', 'state', 'route', 'log'], () => {
    title.textContent = t('breakSomething');
    drawPhone();
    const language = document.documentElement.lang;
    const seen = [...new Set(state.requests.map(r => r.route).filter(r => r && !routes.includes(r) && /^[A-Z]+ \//.test(r)))].sort();
    const sign = language + seen.join();
    if (sign !== drawn) {
      drawn = sign;
      timesLabel.textContent = t('nextTimes');
      routeLabel.textContent = t('ofRoute');
      const was = [times.value || '1', route.value];
      fill(times, [1, 2, 3, 5, 10, 1000].map(n => h('option', { value: n, text: n === 1000 ? t('manyTimes') : t('requestsN', { n }) })));
      fill(route, [...routes, ...seen].map(r => h('option', { value: r, text: r ? r.replace('/api/', '').replace('/:instance', '') : t('anyRoute') })));
      [times.value, route.value] = was;
    }
    keyed(next, faults, {
      key: ([what]) => what, signature: () => language,
      render: ([what, sign_]) => h('button', { class: 'switch', title: t('faultHint_' + what), data: { fault: what }, on: { click: () => add(what) } }, icon(sign_), t('fault_' + what)),
    });
    keyed(waiting, state.faults, {
      key: f => f.id, signature: f => JSON.stringify([f, language]),
      render: f => h('li', {}, icon('bolt'), h('span', {}, h('b', { text: known(f.what) }), ` × ${f.left}`, h('small', { text: f.route ? f.route.replace('/api/', '').replace('/:instance', '') : t('anyRoute') })),
        h('button', { class: 'round', 'aria-label': t('takeBack', { what: f.what }), title: t('takeBack', { what: f.what }), on: { click: () => attempt(async () => { await api.removeFault(f.id); await readState(); }) } }, icon('close'))),
    });
    waiting.hidden = !state.faults.length;
  });

  const known = what => (faults.some(([w]) => w === what) ? t('fault_' + what) : what);

  const add = what => attempt(async () => {
    await api.addFault({ route: route.value || undefined, what, times: Number(times.value) || 1 });
    await readState();
  });

  function drawPhone() {
    const i = instance(state.route.instance);
    const offline = i && i.state !== 'connected';
    const back = offline && i.phone && i.state === 'disconnected';
    const list = [
      back ? { name: 'reconnect', sign: 'plug', label: t('reconnect') } : { name: 'disconnect', sign: 'unplug', label: t('disconnect'), off: offline },
      { name: 'drop-streams', sign: 'stream', label: t('dropStreams'), off: !i?.streams },
      { name: 'logout', sign: 'logout', label: t('logOut'), off: !i?.phone || i.state === 'loggedout', ask: 'logOutNote' },
      { name: 'ban', sign: 'ban', label: t('ban'), off: i?.state === 'banned', ask: 'banNote' },
      offline ? { name: 'fail-pairing', sign: 'alert', label: t('failPairing'), off: !waits.has(i.state) } : null,
    ].filter(Boolean);
    // A button that is pressed must not be replaced meanwhile.
    keyed(phone, list, {
      key: s => s.name, signature: s => s.label, update: (el, s) => { el.disabled = !i || Boolean(s.off); },
      render: s => h('button', { class: 'switch', data: { act: s.name }, on: { click: () => press(s) } }, icon(s.sign), s.label),
    });
  }

  function press(s) {
    const name = state.route.instance;
    if (s.ask) confirm({ title: `${s.label}: ${name}`, note: t(s.ask), submit: s.label, done: () => api.act(name, s.name) });
    else attempt(() => api.act(name, s.name));
  }
  return el;
}

/** clockMenu moves the time of the simulator. */
export function clockMenu(from) {
  const steps = [['10s', 'seconds', 10], ['1m', 'minutes', 1], ['10m', 'minutes', 10], ['1h', 'hours', 1], ['24h', 'days', 1]];
  const go = by => attempt(async () => { await api.advance(by); await readState(); });
  menu([
    ...steps.map(([by, unit, n]) => ({ icon: 'skip', label: t('advanceBy', { time: t(unit, { n }) }), act: async () => { await go(by); } })),
    { line: true },
    { icon: 'clock', label: t('otherTime'), act: () => ask({
      title: t('advanceClock'), submit: t('advance'), note: t('advanceNote'),
      fields: [{ name: 'by', label: t('duration'), value: '30s', required: true, hint: t('durationHint') }], done: async v => { await api.advance(v.by); await readState(); },
    }) },
  ], { from, label: t('advanceClock') });
}
