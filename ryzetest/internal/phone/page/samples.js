// Things to send for those who have nothing at hand, and the microphone.

/** encode turns a file into base64. */
export async function encode(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

const canvas = (w, height) => Object.assign(document.createElement('canvas'), { width: w, height });
const blobOf = (c, type, name) => new Promise(done => c.toBlob(b => done(new File([b], name, { type: b.type })), type, 0.9));

/** samplePicture paints hills under a sun, new ones each time. */
export async function samplePicture() {
  const c = canvas(960, 640);
  const g = c.getContext('2d');
  const hue = Math.random() * 360;
  const sky = g.createLinearGradient(0, 0, 0, 640);
  sky.addColorStop(0, `hsl(${hue} 60% 62%)`);
  sky.addColorStop(1, `hsl(${(hue + 45) % 360} 80% 86%)`);
  g.fillStyle = sky;
  g.fillRect(0, 0, 960, 640);
  g.fillStyle = '#fff8e0';
  g.beginPath();
  g.arc(200 + Math.random() * 560, 170 + Math.random() * 60, 62, 0, 7);
  g.fill();
  for (let k = 0; k < 4; k++) {
    g.fillStyle = `hsl(${(hue + 130 + k * 12) % 360} ${30 + k * 4}% ${58 - k * 11}%)`;
    g.beginPath();
    g.moveTo(0, 640);
    const [a, b, p] = [60 - k * 8, 0.004 + k * 0.0015, Math.random() * 7];
    for (let x = 0; x <= 960; x += 8) g.lineTo(x, 320 + k * 80 + a * Math.sin(x * b + p) + 14 * Math.sin(x * b * 3.1 + p * 2));
    g.lineTo(960, 640);
    g.fill();
  }
  return blobOf(c, 'image/jpeg', 'picture.jpg');
}

export async function sampleSticker() {
  const c = canvas(320, 320);
  const g = c.getContext('2d');
  g.lineJoin = g.lineCap = 'round';
  const star = r => {
    g.beginPath();
    for (let i = 0; i < 10; i++) {
      const radius = i % 2 ? r * 0.56 : r;
      g.lineTo(160 + radius * Math.sin(i * Math.PI / 5), 168 - radius * Math.cos(i * Math.PI / 5));
    }
    g.closePath();
  };
  star(128);
  g.lineWidth = 34;
  g.strokeStyle = '#fff';
  g.stroke();
  g.fillStyle = '#f9c440';
  g.fill();
  g.lineWidth = 14;
  g.strokeStyle = '#f9c440';
  g.stroke();
  g.fillStyle = g.strokeStyle = '#4a3200';
  for (const x of [132, 188]) {
    g.beginPath();
    g.arc(x, 152, 9, 0, 7);
    g.fill();
  }
  g.lineWidth = 8;
  g.beginPath();
  g.arc(160, 170, 32, 0.35, Math.PI - 0.35);
  g.stroke();
  return blobOf(c, 'image/webp', 'sticker.webp');
}

export function sampleDocument() {
  const lines = ['Pedido 1042', '2 x Margherita', 'Total: R$ 84,00'];
  const text = `BT /F1 20 Tf 60 760 Td 30 TL ${lines.map(l => `(${l}) Tj T*`).join(' ')} ET`;
  const objects = ['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>',
    `<</Length ${text.length}>>stream\n${text}\nendstream`];
  let pdf = '%PDF-1.4\n';
  const at = objects.map((o, i) => {
    const offset = pdf.length;
    pdf += `${i + 1} 0 obj${o}endobj\n`;
    return offset;
  });
  const table = pdf.length;
  pdf += `xref\n0 5\n0000000000 65535 f \n${at.map(o => String(o).padStart(10, '0') + ' 00000 n \n').join('')}trailer<</Size 5/Root 1 0 R>>\nstartxref\n${table}\n%%EOF`;
  return new File([pdf], 'order-1042.pdf', { type: 'application/pdf' });
}

/** sampleVoice hums something that looks like speech. */
export function sampleVoice(seconds) {
  const rate = 8000;
  const n = rate * seconds;
  const data = new DataView(new ArrayBuffer(44 + n * 2));
  const ascii = (at, text) => [...text].forEach((c, i) => data.setUint8(at + i, c.charCodeAt(0)));
  ascii(0, 'RIFF');
  data.setUint32(4, 36 + n * 2, true);
  ascii(8, 'WAVEfmt ');
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, rate, true);
  data.setUint32(28, rate * 2, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  ascii(36, 'data');
  data.setUint32(40, n * 2, true);
  let phase = 0;
  let pitch = 150;
  for (let i = 0; i < n; i++) {
    const time = i / rate;
    if (i % 1200 === 0) pitch = 130 + Math.random() * 70;
    phase += 2 * Math.PI * pitch / rate;
    const syllable = Math.max(0, Math.sin(time * 2 * Math.PI * 3.2)) ** 0.7 * (0.55 + 0.45 * Math.sin(time * 2.1 + 1)) * (Math.sin(time * 1.3) > -0.75 ? 1 : 0.05);
    const sound = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3 * phase);
    data.setInt16(44 + i * 2, Math.round(9000 * syllable * sound / 1.75), true);
  }
  return new File([data.buffer], 'voice.wav', { type: 'audio/wav' });
}

export const canRecord = () => Boolean(window.MediaRecorder && navigator.mediaDevices?.getUserMedia);

/** recorder starts the microphone: {seconds(), finish(), cancel()}. */
export async function recorder() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mime = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4'].find(m => MediaRecorder.isTypeSupported(m)) || '';
  const machine = new MediaRecorder(stream, mime ? { mimeType: mime } : {});
  const parts = [];
  const began = Date.now();
  machine.addEventListener('dataavailable', event => parts.push(event.data));
  const over = new Promise(done => machine.addEventListener('stop', done));
  machine.start(500);
  const end = async () => {
    if (machine.state !== 'inactive') machine.stop();
    await over;
    stream.getTracks().forEach(track => track.stop());
  };
  return {
    seconds: () => (Date.now() - began) / 1000,
    cancel: () => { end(); },
    async finish() {
      await end();
      const type = (machine.mimeType || mime || 'audio/webm').split(';')[0];
      return new File(parts, `voice.${type.split('/')[1]}`, { type });
    },
  };
}
