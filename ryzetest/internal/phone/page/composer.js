// Where people write: as a customer, as a member of a group, or as the owner on
// the phone itself.

import { h, fill } from './dom.js';
import { icon } from './icons.js';
import { t, length } from './i18n.js';
import { view, state, currentChat, instance, touch } from './store.js';
import { writers, writer, chooseWriter, writeAs, hue, nameOf, chatName, initial } from './people.js';
import { menu, ask, notice, emojiMenu } from './overlay.js';
import { summary } from './message.js';
import { samplePicture, sampleVoice, sampleSticker, sampleDocument, encode, recorder, canRecord } from './samples.js';

const biggest = 20 << 20;

export function composer(hooks) {
  const drafts = new Map();
  let reply = null;
  let editing = null;
  let recording = null;
  let busy = false;

  const field = h('textarea', { class: 'field-text', rows: 1, dir: 'auto', enterkeyhint: 'send', autocomplete: 'off' });
  const who = h('button', { class: 'who', 'aria-haspopup': 'menu', on: { click: () => chooseWho() } });
  const attach = h('button', { class: 'round', 'aria-haspopup': 'menu', on: { click: () => attachMenu() } }, icon('attach'));
  const smile = h('button', { class: 'round smile', 'aria-haspopup': 'menu', on: { click: () => emojiMenu({ from: smile }, insert) } }, icon('smile'));
  const voice = h('button', { class: 'round', 'aria-haspopup': 'menu', on: { click: () => voiceMenu() } }, icon('mic'));
  const send = h('button', { class: 'round send', on: { click: () => submit() } }, icon('send'));
  const banner = h('div', { class: 'banner', hidden: true });
  const record = h('div', { class: 'recording', hidden: true });
  const file = h('input', { type: 'file', hidden: true, multiple: true, 'aria-hidden': 'true', tabindex: '-1' });
  const line = h('div', { class: 'compose-line' }, attach, h('div', { class: 'field-box' }, field, smile), voice, send);
  const el = h('footer', { class: 'composer', hidden: true }, banner, h('div', { class: 'who-line' }, who), line, record, file);

  const key = () => `${state.route.instance}\n${state.route.chat}`;
  let shownKey = '';

  function draw() {
    const chat = currentChat();
    el.hidden = !chat;
    if (!chat) return;
    if (key() !== shownKey) {
      if (shownKey) drafts.set(shownKey, field.value);
      shownKey = key();
      field.value = drafts.get(shownKey) || '';
      reply = editing = null;
      cancelRecording();
      grow();
    }
    const me = writer(chat, state.route.instance);
    const lost = state.phase !== 'ready';
    const offline = me.owner && instance(state.route.instance)?.state !== 'connected';
    const sign = JSON.stringify([me.label, lost, offline, document.documentElement.lang, reply?.id, editing?.message.id]);
    if (el.dataset.sign !== sign) {
      el.dataset.sign = sign;
      fill(who, h('span', { class: `avatar tiny ${me.owner ? 'own' : 'hue-' + hue(me.jid)}`, 'aria-hidden': 'true' }, me.owner ? icon('phone') : initial(me.name)),
        h('span', { class: 'who-label' }, t('writeAs'), ' ', h('b', { dir: 'auto', text: me.label })), icon('down'));
      field.placeholder = lost ? t('noAnswer') : offline ? t('ownerOffline') : t('message');
      field.setAttribute('aria-label', `${t('message')}, ${t('writeAs')} ${me.label}`);
      for (const [button, label] of [[attach, 'attach'], [smile, 'emoji'], [voice, 'voiceNote'], [send, editing ? 'save' : 'send']]) {
        button.setAttribute('aria-label', t(label));
        button.title = t(label);
      }
      drawBanner();
    }
    for (const b of [attach, voice, field]) b.disabled = lost || offline;
    drawSend();
  }

  function drawSend() {
    const some = field.value.trim() !== '';
    send.disabled = busy || !some || state.phase !== 'ready' || field.disabled;
    send.hidden = false;
    fill(send, icon(editing ? 'check' : 'send'));
    voice.hidden = some || Boolean(editing);
    attach.hidden = Boolean(editing);
  }

  function drawBanner() {
    const m = editing?.message || reply;
    banner.hidden = !m;
    if (!m) return;
    const s = summary(m);
    const name = m.fromMe ? state.route.instance : nameOf(m.sender, m.senderName);
    fill(banner, icon(editing ? 'edit' : 'reply'), h('div', { class: 'banner-text' }, h('b', { text: editing ? t('editing', { name }) : t('replyTo', { name }) }), h('span', { dir: 'auto' }, s.text)),
      h('button', { class: 'round', 'aria-label': t('cancel'), on: { click: stopBanner } }, icon('close')));
  }

  function stopBanner() {
    if (editing) field.value = '';
    reply = editing = null;
    grow();
    draw();
    field.focus();
  }

  function chooseWho() {
    const chat = currentChat();
    const name = state.route.instance;
    const now = writer(chat, name);
    menu([
      ...writers(chat, name).filter(w => !w.owner).map(w => ({ label: w.label, icon: w.hidden ? 'eyeOff' : 'person', checked: w.id === now.id, act: () => pick(w) })),
      { line: true },
      ...writers(chat, name).filter(w => w.owner).map(w => ({ label: w.label, icon: 'phone', checked: w.id === now.id, act: () => pick(w) })),
    ], { from: who, label: t('writeAs') });
    function pick(w) {
      chooseWriter(chat, name, w.id);
      touch('writer');
      setTimeout(() => field.focus());
    }
  }

  // ---- sending

  async function deliver(what, chat = currentChat(), name = state.route.instance) {
    const me = writer(chat, name);
    const quoted = reply && key() === shownKey ? { replyTo: reply.id } : {};
    busy = true;
    drawSend();
    try {
      const id = await writeAs(me, chat, name, { ...what, ...(what.edit ? {} : quoted) });
      if (!id && id !== undefined) notice(t('nothingCame'), { bad: true });
      reply = null;
      hooks.sent(id, chat);
      return true;
    } catch (error) {
      notice(error.status ? error.message : t('noAnswer'), { bad: true });
      return false;
    } finally {
      busy = false;
      delete el.dataset.sign;
      draw();
    }
  }

  async function submit() {
    const text = field.value.trim();
    if (!text || busy || field.disabled) return;
    const chat = currentChat();
    const name = state.route.instance;
    if (editing) {
      const { message, author } = editing;
      busy = true;
      try {
        await writeAs(author, chat, name, { edit: message.id, text });
        editing = null;
        field.value = '';
      } catch (error) {
        notice(error.status ? error.message : t('noAnswer'), { bad: true });
      }
      busy = false;
      delete el.dataset.sign;
      grow();
      draw();
      field.focus();
      return;
    }
    field.value = '';
    grow();
    const mentions = mentioned(text, chat);
    if (!(await deliver({ text: mentions.text, mentions: mentions.jids.length ? mentions.jids : undefined }, chat, name)) && !field.value) field.value = text;
    grow();
    draw();
    field.focus();
  }

  // "@Ana" of a member becomes the number that a mention is sent as.
  function mentioned(text, chat) {
    const jids = [];
    if (chat.kind !== 'group') return { text, jids };
    for (const w of writers(chat, state.route.instance).filter(x => !x.owner)) {
      if (w.name && text.includes('@' + w.name)) {
        text = text.replaceAll('@' + w.name, '@' + String(w.from).split('@')[0]);
        jids.push(w.from);
      }
    }
    return { text, jids };
  }

  function insert(text) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end');
    grow();
    draw();
    field.focus();
  }

  // ---- files

  async function sendFile(f, options = {}) {
    if (f.size > biggest) {
      notice(t('tooBig', { name: f.name }), { bad: true });
      return;
    }
    const mime = (f.type || 'application/octet-stream').split(';')[0];
    const kind = options.kind || (/^(image|video|audio)\//.test(mime) && mime !== 'image/svg+xml' ? mime.split('/')[0] : 'document');
    const caption = field.value.trim();
    const media = { data: await encode(f), mime: f.type || mime, kind, fileName: options.voice || kind === 'sticker' ? undefined : f.name, voice: options.voice || undefined, duration: options.duration };
    const text = kind !== 'sticker' && kind !== 'audio' && caption ? caption : undefined;
    if (text) field.value = '';
    await deliver({ media, text });
    grow();
  }

  function pickFile(accept, options = {}) {
    file.accept = accept;
    file.multiple = !options.kind;
    file.onchange = async () => {
      for (const f of [...file.files]) await sendFile(f, options);
      file.value = '';
    };
    file.click();
  }

  function attachMenu() {
    menu([
      { icon: 'image', label: t('photoOrVideo'), act: () => pickFile('image/*,video/*') },
      { icon: 'file', label: t('document'), act: () => pickFile('', { kind: 'document' }) },
      { icon: 'audio', label: t('audio'), act: () => pickFile('audio/*', { kind: 'audio' }) },
      { icon: 'sticker', label: t('stickerFile'), act: () => pickFile('image/webp,image/png', { kind: 'sticker' }) },
      { line: true },
      { icon: 'camera', label: t('samplePicture'), act: async () => sendFile(await samplePicture()) },
      { icon: 'sticker', label: t('sampleSticker'), act: async () => sendFile(await sampleSticker(), { kind: 'sticker' }) },
      { icon: 'file', label: t('sampleDocument'), act: async () => sendFile(sampleDocument(), { kind: 'document' }) },
      { line: true },
      { icon: 'location', label: t('location'), act: askLocation },
      { icon: 'person', label: t('contact'), act: askContact },
      { icon: 'poll', label: t('poll'), act: askPoll },
    ], { from: attach });
  }

  const askLocation = () => ask({
    title: t('location'), submit: t('send'),
    fields: [
      { name: 'name', label: t('placeName'), value: 'MASP' }, { name: 'address', label: t('address'), value: 'Av. Paulista, 1578 - São Paulo' },
      { name: 'latitude', label: t('latitude'), type: 'number', step: 'any', min: -90, max: 90, value: '-23.561414', required: true },
      { name: 'longitude', label: t('longitude'), type: 'number', step: 'any', min: -180, max: 180, value: '-46.655881', required: true },
    ],
    done: v => must(deliver({ location: { latitude: Number(v.latitude), longitude: Number(v.longitude), name: v.name, address: v.address } })),
  });

  const askContact = () => ask({
    title: t('contact'), submit: t('send'),
    fields: [{ name: 'name', label: t('name'), required: true, value: 'Beatriz Lima' }, { name: 'phone', label: t('phone'), required: true, type: 'tel', value: '5521987651234' }],
    done: v => must(deliver({ card: { name: v.name, phone: v.phone.replace(/\D/g, '') } })),
  });

  const askPoll = () => ask({
    title: t('poll'), submit: t('send'),
    fields: [{ name: 'question', label: t('question'), required: true }, { name: 'options', label: t('pollOptions'), type: 'textarea', required: true, hint: t('onePerLine') }, { name: 'several', type: 'check', label: t('severalAnswers') }],
    done(v) {
      const options = [...new Set(v.options.split('\n').map(o => o.trim()).filter(Boolean))];
      if (options.length < 2 || options.length > 12) throw new Error(t('pollCount'));
      return must(deliver({ poll: { question: v.question, options, max: v.several ? options.length : 1 } }));
    },
  });

  // A dialog stays open when what it sent did not arrive.
  const must = async promise => {
    if (!(await promise)) throw new Error(t('failed'));
  };

  // ---- voice notes

  function voiceMenu() {
    menu([
      { icon: 'mic', label: t('record'), disabled: !canRecord(), detail: canRecord() ? '' : t('noMicrophone'), act: startRecording },
      { icon: 'wave', label: t('sampleVoice', { n: 3 }), act: () => sendFile(sampleVoice(3), { kind: 'audio', voice: true, duration: 3 }) },
      { icon: 'wave', label: t('sampleVoice', { n: 12 }), act: () => sendFile(sampleVoice(12), { kind: 'audio', voice: true, duration: 12 }) },
      { icon: 'file', label: t('voiceFromFile'), act: () => pickFile('audio/*', { kind: 'audio', voice: true }) },
    ], { from: voice });
  }

  async function startRecording() {
    try {
      recording = await recorder();
    } catch {
      notice(t('noMicrophone'), { bad: true });
      return;
    }
    line.hidden = true;
    record.hidden = false;
    const time = h('span', { class: 'record-time', role: 'timer', text: '0:00' });
    fill(record, h('span', { class: 'record-dot', 'aria-hidden': 'true' }), h('span', { class: 'record-label', text: t('recordingNow') }), time,
      h('button', { class: 'round', 'aria-label': t('discard'), title: t('discard'), on: { click: () => { cancelRecording(); voice.focus(); } } }, icon('trash')),
      h('button', { class: 'round send', 'aria-label': t('send'), title: t('send'), on: { click: finishRecording } }, icon('send')));
    record.querySelector('.send').focus();
    recording.timer = setInterval(() => { time.textContent = length(recording.seconds()); }, 250);
  }

  function endRecording() {
    if (recording) clearInterval(recording.timer);
    recording = null;
    line.hidden = false;
    record.hidden = true;
  }

  function cancelRecording() {
    recording?.cancel();
    endRecording();
  }

  async function finishRecording() {
    const seconds = Math.max(1, Math.round(recording.seconds()));
    const blob = await recording.finish();
    endRecording();
    await sendFile(blob, { kind: 'audio', voice: true, duration: seconds });
    field.focus();
  }

  // ---- keys

  function grow() {
    field.style.setProperty('height', 'auto');
    if (!field.scrollHeight) return; // nobody sees it yet
    field.style.setProperty('height', `${Math.min(field.scrollHeight, 160)}px`);
  }
  field.addEventListener('input', () => { grow(); drawSend(); });
  addEventListener('resize', grow);
  // Some keyboards write the line break whatever becomes of the key.
  let entered = false;
  field.addEventListener('keyup', () => { entered = false; });
  field.addEventListener('beforeinput', event => {
    if (entered && event.inputType === 'insertLineBreak') event.preventDefault();
  });
  field.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      entered = true;
      submit();
    } else if (event.key === 'Escape' && (reply || editing)) {
      event.stopPropagation();
      stopBanner();
    } else if (event.key === 'ArrowUp' && !field.value && !event.shiftKey) {
      event.preventDefault();
      hooks.up();
    }
  });
  record.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      cancelRecording();
      voice.focus();
    }
  });
  field.addEventListener('paste', event => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length) return;
    event.preventDefault();
    files.forEach(f => sendFile(f));
  });

  view(['all', 'route', 'chats', 'state', 'writer', 'messages'], draw);
  return {
    el, focus: () => field.focus(),
    reply(m) {
      editing = null;
      reply = m;
      draw();
      field.focus();
    },
    edit(m, author) {
      reply = null;
      editing = { message: m, author };
      field.value = m.text || '';
      grow();
      draw();
      field.focus();
    },
    async drop(files) {
      for (const f of files) await sendFile(f);
    },
    name: () => chatName(currentChat()),
  };
}
