// The rate windows of the tokens, as bars.

import { h, keyed, fill, style, folding } from './dom.js';
import { remember } from './kept.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import * as api from './api.js';
import { state, view, now, readState } from './store.js';
import { attempt, menu } from './overlay.js';

export function quota() {
  const list = h('div', { class: 'meters' });
  const { el, body, title, button } = folding('quota', remember, list);
  el.append(body);
  button.prepend(icon('down'));

  // The window of the chosen instance, that of the account, and any that runs short.
  const wanted = () => state.windows.filter(w => w.key === state.route.instance || w.key === 'account' && w.class !== 'create_20' || w.remaining < w.limit / 2)
    .sort((a, b) => (b.key === state.route.instance) - (a.key === state.route.instance));

  view(['all', 'state', 'route'], () => {
    title.textContent = t('quota');
    keyed(list, wanted().slice(0, 4), {
      key: w => `${w.key} ${w.class}`, signature: w => `${w.key}${w.class}${document.documentElement.lang}`, render: meter, update: refresh,
    });
    el.hidden = !list.childElementCount;
  });
  setInterval(() => {
    for (const node of list.children) if (node.window) refresh(node, node.window);
  }, 1000);

  function meter(w) {
    const node = h('div', { class: 'meter' }, h('div', { class: 'meter-line' },
      h('b', { text: w.key === 'account' ? t('account') : w.key }), h('small', { text: t(w.class === 'create_20' ? 'windowCreate' : 'windowGlobal') }),
      h('button', { class: 'round', 'aria-label': t('useUpOf', { name: w.key }), title: t('useUp'), 'aria-haspopup': 'menu', hidden: w.class === 'create_20', on: { click: event => eatMenu(node.window, event.currentTarget) } }, icon('dots'))),
    h('div', { class: 'bar', role: 'meter', 'aria-valuemin': 0, 'aria-label': w.key === 'account' ? t('account') : w.key }, h('i')),
    h('div', { class: 'meter-line below' }, h('span', { class: 'meter-left' }), h('span', { class: 'resets' })));
    return node;
  }

  function refresh(node, w) {
    node.window = w;
    const over = !w.reset || Date.parse(w.reset) <= now();
    const unlimited = w.limit < 0;
    const remaining = over ? w.limit : Math.max(0, w.remaining);
    const bar = node.querySelector('.bar');
    bar.setAttribute('aria-valuemax', Math.max(1, w.limit));
    bar.setAttribute('aria-valuenow', unlimited ? 1 : remaining);
    const left = unlimited ? t('unlimited') : t('leftOf', { n: remaining, of: w.limit });
    bar.setAttribute('aria-valuetext', left);
    style(bar.firstChild, { width: `${unlimited || !w.limit ? 100 : 100 * remaining / w.limit}%` });
    node.classList.toggle('low', !unlimited && remaining <= w.limit * 0.15);
    node.classList.toggle('none', !unlimited && remaining === 0);
    fill(node.querySelector('.meter-left'), left);
    fill(node.querySelector('.resets'), over ? t('windowFresh') : t('resetsIn', { n: Math.max(0, Math.ceil((Date.parse(w.reset) - now()) / 1000)) }));
  }

  function eatMenu(w, from) {
    const eat = n => () => attempt(async () => {
      await api.eat(w.key, n);
      await readState();
    });
    menu([
      { icon: 'flask', label: t('useUpN', { n: 10 }), act: eat(10) },
      { icon: 'flask', label: t('useUpHalf'), act: eat(Math.ceil(w.limit / 2)) },
      { icon: 'flask', label: t('useUpAll'), act: eat(w.limit) },
    ], { from, label: t('useUp') });
  }
  return el;
}
