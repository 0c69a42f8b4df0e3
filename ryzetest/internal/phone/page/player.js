// One player for all voice notes and sounds: a note goes on while its bubble is
// drawn anew or scrolled away, and starting one stops the other.

const audio = new Audio();
audio.preload = 'metadata';
let current = '';
let speed = 1;
const listeners = new Map();

const tell = () => listeners.get(current)?.();
for (const event of ['timeupdate', 'play', 'pause', 'ended', 'loadedmetadata', 'error']) {
  audio.addEventListener(event, tell);
}

let frame = 0;
function smooth() {
  frame = 0;
  tell();
  if (!audio.paused) frame = requestAnimationFrame(smooth);
}
audio.addEventListener('play', () => { if (!frame) smooth(); });

/** watch tells a bubble of its note; the last bubble drawn for it is told. */
export function watch(id, f) {
  listeners.set(id, f);
}

export function toggle(id, url) {
  if (current === id) {
    if (audio.paused) start();
    else audio.pause();
    return;
  }
  const before = current;
  audio.pause();
  current = id;
  audio.src = url;
  audio.playbackRate = speed;
  listeners.get(before)?.();
  start();
}

function start() {
  if (audio.ended) audio.currentTime = 0;
  audio.play().catch(error => {
    // A pause that came in between is none.
    if (error.name !== 'AbortError') tell();
  });
}

export function seek(id, url, share) {
  if (current !== id) toggle(id, url);
  const go = () => { if (isFinite(audio.duration)) audio.currentTime = share * audio.duration; };
  if (audio.readyState) go();
  else audio.addEventListener('loadedmetadata', go, { once: true });
}

export function faster() {
  speed = speed === 1 ? 1.5 : speed === 1.5 ? 2 : 1;
  audio.playbackRate = speed;
  tell();
}

/** progress of a note: {playing, time, duration, failed, speed}. */
export function progress(id) {
  if (id !== current) return { playing: false, time: 0, duration: 0, active: false, speed };
  return {
    playing: !audio.paused && !audio.ended, time: audio.ended ? 0 : audio.currentTime, active: true, speed,
    duration: isFinite(audio.duration) ? audio.duration : 0, failed: Boolean(audio.error),
  };
}

export function silence() {
  audio.pause();
}

// ---- the shape of a sound

const shapes = new Map();
let context;

/** shape returns how loud a note is, in so many parts, each 0 to 1. */
export async function shape(id, url, parts) {
  if (shapes.has(id)) return shapes.get(id);
  const work = (async () => {
    const response = await fetch(url);
    const bytes = await response.arrayBuffer();
    context ||= new OfflineAudioContext(1, 1, 8000);
    const sound = await context.decodeAudioData(bytes);
    const data = sound.getChannelData(0);
    const step = Math.max(1, Math.floor(data.length / parts));
    const loud = Array.from({ length: parts }, (_, i) => {
      let sum = 0;
      const end = Math.min(data.length, (i + 1) * step);
      for (let k = i * step; k < end; k += 8) sum += Math.abs(data[k]);
      return sum / (step / 8);
    });
    const top = Math.max(...loud, 0.001);
    return { loud: loud.map(v => v / top), duration: sound.duration };
  })().catch(() => null); // a format that this browser cannot read
  shapes.set(id, work);
  if (shapes.size > 200) shapes.delete(shapes.keys().next().value);
  return work;
}
