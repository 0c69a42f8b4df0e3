// A voice note or sound in its bubble.

import { h, style } from './dom.js';
import { icon, svgElement } from './icons.js';
import { t, length, number } from './i18n.js';
import * as sounds from './player.js';
import { avatar } from './people.js';

const bars = 44;

// Waves are drawn when their bubble comes into sight.
const seen = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    entry.target.load?.();
  }
});

export function player(m, url, context) {
  const media = m.media;
  const wave = svgElement('svg', { viewBox: `0 0 ${bars * 4} 28`, class: 'wave', 'aria-hidden': 'true', preserveAspectRatio: 'none' });
  const drawn = [];
  for (let i = 0; i < bars; i++) {
    const bar = svgElement('rect', { x: i * 4 + 0.6, y: 12.5, width: 2.6, height: 3, rx: 1.3 });
    wave.append(bar);
    drawn.push(bar);
  }
  const slider = h('input', { type: 'range', min: 0, max: 1000, step: 1, value: 0, class: 'seek', 'aria-label': t('position') });
  const time = h('span', { class: 'length', text: length(media.duration) });
  const button = h('button', { class: 'play', on: { click: () => sounds.toggle(m.id, url) } });
  const rate = h('button', { class: 'rate', hidden: true, title: t('speed'), on: { click: sounds.faster } });
  const dot = h('i', { class: 'dot' });
  const box = h('div', { class: `voice ${media.voice ? 'spoken' : ''}` },
    media.voice ? h('span', { class: 'voice-who' }, avatar(m.fromMe ? { jid: context.instance, name: context.instance } : { jid: m.sender, name: m.senderName }), h('span', { class: 'voice-mic' }, icon('mic'))) : '',
    button, h('div', { class: 'track' }, wave, dot, slider), h('div', { class: 'voice-side' }, time, rate));
  if (!media.voice && media.fileName) box.append(h('small', { class: 'voice-name', dir: 'auto', text: media.fileName }));

  let duration = media.duration || 0;
  const draw = () => {
    const p = sounds.progress(m.id);
    if (p.duration) duration = p.duration;
    const share = duration ? Math.min(1, p.time / duration) : 0;
    const name = p.playing ? 'pause' : 'play';
    if (button.dataset.icon !== name) {
      button.dataset.icon = name;
      button.replaceChildren(icon(name));
      button.setAttribute('aria-label', t(name));
    }
    drawn.forEach((bar, i) => bar.classList.toggle('past', p.active && i / bars < share));
    style(dot, { left: `${share * 100}%` });
    slider.value = Math.round(share * 1000);
    slider.setAttribute('aria-valuetext', `${length(p.time)} / ${length(duration)}`);
    time.textContent = p.failed ? t('cannotPlay') : length(p.active && (p.playing || p.time) ? p.time : duration);
    rate.hidden = !p.playing;
    rate.textContent = `${number(p.speed)}×`;
  };
  slider.addEventListener('input', () => sounds.seek(m.id, url, slider.value / 1000));
  sounds.watch(m.id, draw);
  draw();
  box.load = async () => {
    if (media.size > 2_000_000) return;
    const shape = await sounds.shape(m.id, url, bars);
    if (!shape) return;
    duration ||= shape.duration;
    shape.loud.forEach((v, i) => {
      const height = 3 + 23 * v;
      drawn[i].setAttribute('height', height.toFixed(1));
      drawn[i].setAttribute('y', (14 - height / 2).toFixed(1));
    });
    draw();
  };
  seen.observe(box);
  return box;
}
