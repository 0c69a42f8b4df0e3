// Icons are drawn on a grid of 24, as lines of the colour of the text.

const paths = {
  back: 'M15 5l-7 7 7 7',
  forwardTo: 'M9 5l7 7-7 7',
  down: 'M6 9l6 6 6-6',
  toEnd: 'M12 5v13M6 12l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.3 15.300L20 20',
  send: 'M4.5 4.800L20 12L4.5 19.200L7 12zM7 12h6',
  mic: 'M12 3.500a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3M5.5 11.500a6.5 6.5 0 0 0 13 0M12 18v3M9 21h6',
  stop: 'M7 7h10v10H7z',
  play: 'M8 5.500l10.5 6.500L8 18.500z',
  pause: 'M8.5 6v12M15.5 6v12',
  attach: 'M19.5 11.500l-7.600 7.600a4.800 4.800 0 0 1-6.800-6.800l8-8a3.200 3.200 0 0 1 4.5 4.500l-7.800 7.800a1.600 1.600 0 0 1-2.3-2.300l7-7',
  smile: 'M12 3.500a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17M8.5 14.200c1.700 2.400 5.3 2.400 7 0M9 9.600v.6M15 9.600v.6',
  reply: 'M10 6L4.5 11.500L10 17M4.5 11.500H14a5.5 5.5 0 0 1 5.5 5.500v1',
  forwarded: 'M14 6l5.5 5.500L14 17M19.5 11.500H10A5.5 5.5 0 0 0 4.5 17v1',
  edit: 'M4.5 19.500l1-4.500L16 4.500l3.5 3.500L9 18.500zM13.5 7l3.5 3.5',
  trash: 'M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7M10.5 10.500v5.500M13.5 10.500v5.5',
  copy: 'M9 9h10.500v10.500H9zM15 9V4.500H4.500V15H9',
  check: 'M5 12.500l4.5 4.500L19 7.5',
  clock: 'M12 3.500a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17M12 7.500V12l3 2',
  alert: 'M12 4L2.800 19.500h18.400zM12 10v4.500M12 17v.3',
  info: 'M12 3.500a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17M12 11v5.500M12 7.700v.3',
  pin: 'M9 4h6l-.7 6l3.200 3.500h-11L9.700 10zM12 13.500V20.5',
  star: 'M12 4l2.5 5.200l5.700.8l-4.100 4l1 5.700L12 17l-5.100 2.700l1-5.700l-4.100-4l5.700-.8z',
  mute: 'M4.5 9.500v5h3.500l4.5 4v-13L8 9.500zM16 9.500l5 5M21 9.500l-5 5',
  archive: 'M4 5h16v4H4zM5.5 9v10.500h13V9M10 13h4',
  ban: 'M12 3.500a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17M6 6l12 12',
  image: 'M4 5h16v14H4zM4 16.500l5-5l4.5 4.500l2.5-2.500l4 4M15.5 8.500a1.200 1.200 0 1 0 .1 0',
  video: 'M3.5 6.500h11.500v11H3.500zM15 11l5.5-3.500v9L15 13',
  audio: 'M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-2.5-2.500A2.5 2.5 0 0 1 9 18M19 16a2.5 2.5 0 1 1-2.5-2.500A2.5 2.5 0 0 1 19 16',
  file: 'M6 3.500h8L18.5 8v12.500H6zM13.5 3.500V8.500h5M9 12.500h6.500M9 16h6.5',
  sticker: 'M4.5 4.500h15v9l-6 6h-9zM19.5 13.500h-6v6M9 9v.5M15 9v.5',
  location: 'M12 21c-4-4.5-6.5-7.600-6.5-11a6.5 6.5 0 0 1 13 0c0 3.400-2.5 6.5-6.5 11M12 7.700a2.3 2.3 0 1 0 0 4.600a2.3 2.3 0 1 0 0-4.600',
  person: 'M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8M4.5 20.500c.6-4.200 3.600-6 7.5-6s6.900 1.800 7.5 6',
  group: 'M9 5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M2.5 19.500c.5-3.700 3-5 6.5-5s6 1.3 6.5 5M15.5 5.300a3.5 3.5 0 0 1 0 6.400M17.5 14.700c2.3.5 3.700 2 4 4.800',
  megaphone: 'M4 10v4h3l9 4.500v-13L7 10zM8 14l1.5 5.500h2.500L10.700 15.500M19 9.500a3.5 3.5 0 0 1 0 5',
  status: 'M12 3.500a8.5 8.5 0 0 1 8.5 8.500M19.3 16.300a8.5 8.5 0 0 1-7.3 4.200M7.700 19.300A8.5 8.5 0 0 1 4.700 7.700M7.700 4.700A8.5 8.5 0 0 1 8.5 4.300M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8',
  poll: 'M4.5 6h9M4.5 12h15M4.5 18h6',
  calendar: 'M4 6h16v14H4zM4 10.500h16M8 3.500V7.500M16 3.500V7.5',
  pix: 'M12 3.500L20.5 12L12 20.500L3.5 12zM8 8l4 4l4-4M8 16l4-4l4 4',
  form: 'M5 3.500h14v17H5zM8.5 8h7M8.5 12h7M8.5 16h4',
  list: 'M4.5 7h.2M8.5 7h11M4.5 12h.2M8.5 12h11M4.5 17h.2M8.5 17h11',
  link: 'M13 5h6v6M19 5l-9 9M10 6H5v13h13v-5',
  phone: 'M6 4h3l1.5 4.500L8.5 10c1 2.5 3 4.5 5.5 5.500l1.5-2L20 15v3c0 1.200-.8 2-2 2C10.5 20 4 13.5 4 6c0-1.200.8-2 2-2',
  download: 'M12 4v11M7 10.500l5 5l5-5M4.5 20h15',
  pulse: 'M3 12h4l2.5-6.500l5 13L17 12h4',
  bolt: 'M13 3L5 13.500h5.500L10 21l8.5-11h-6z',
  plug: 'M9 3.500V8M15 3.500V8M6.5 8h11v3.500a5.5 5.5 0 0 1-11 0zM12 17v4',
  unplug: 'M9 3.500V6M15 3.500V8M9.5 8h8v3.500c0 1-.3 2-.8 2.800M14 16.600A5.5 5.5 0 0 1 6.5 11.500V8M12 17v4M4 4l16 16',
  logout: 'M14 4.500H5v15h9M10 12h10.500M16.5 8l4 4l-4 4',
  settings: 'M4 7h9M17 7h3M15 4.800v4.400M4 17h3M11 17h9M9 14.800v4.400M4 12h16',
  eye: 'M2.5 12C5 7.5 8.3 5.5 12 5.500s7 2 9.5 6.500c-2.5 4.5-5.800 6.5-9.5 6.500S5 16.5 2.5 12M12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6',
  eyeOff: 'M4 4l16 16M9.5 6a9 9 0 0 1 2.5-.4c3.700 0 7 2 9.5 6.400a15 15 0 0 1-3 3.800M6.5 7.500A14 14 0 0 0 2.5 12C5 16.5 8.3 18.5 12 18.500a9 9 0 0 0 4-.9M10 10.200a3 3 0 0 0 4 4',
  refresh: 'M19.5 8A8.3 8.3 0 1 0 20.3 13M20 3.500V8.500h-5',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2',
  webhook: 'M4 8h10M10.5 4.500L14 8l-3.5 3.500M20 16H10M13.5 12.500L10 16l3.5 3.5',
  stream: 'M4 12h2M9 7v10M13 4v16M17 8v8M20.5 11v2',
  skip: 'M5 5.500l8 6.500l-8 6.500zM13 5.500l7 6.500l-7 6.500z',
  terminal: 'M3.5 5h17v14h-17zM7 9.500l3 2.500l-3 2.500M12.5 15h4',
  dots: 'M5.5 12h.1M12 12h.1M18.5 12h.1',
  wifiOff: 'M4 4l16 16M3 10c1.5-1.3 3-2.3 4.800-2.900M12 6.500c3.400 0 6.400 1.200 9 3.500M6.5 13.500c1-.9 2.200-1.600 3.5-1.900M15 12c.9.400 1.700.9 2.5 1.500M12 18v.1',
  chat: 'M4 5h16v11.500H11L6.5 20.500v-4H4z',
  camera: 'M4 7.500h4l1.5-2.500h5L16 7.500h4v11.500H4zM12 9.500a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7',
  at: 'M12 8.500a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M15.5 8.500V13.500a2.5 2.5 0 0 0 5 0V12A8.5 8.5 0 1 0 16.5 19.200',
  wave: 'M4 10v4M8 7v10M12 9v6M16 5v14M20 10v4',
  flask: 'M9.5 3.500h5M10.5 3.500V9.500L5 19c-.5 1 .1 1.5 1 1.500h12c.9 0 1.5-.5 1-1.500L13.5 9.500V3.500M8 15h8',
};

const filled = new Set(['play', 'stop', 'skip']);

/** icon makes a picture that says nothing to screen readers. */
export function icon(name, size) {
  const svg = svgElement('svg', { viewBox: '0 0 24 24', class: `icon icon-${name}`, 'aria-hidden': 'true', focusable: 'false' });
  if (size) {
    svg.setAttribute('width', size);
    svg.setAttribute('height', size);
  }
  svg.append(svgElement('path', {
    d: paths[name] || paths.info, fill: filled.has(name) ? 'currentColor' : 'none', stroke: 'currentColor',
    'stroke-width': name === 'dots' ? 2.6 : 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round',
  }));
  return svg;
}

/** ticks draws how far a message got: clock, one tick, two, or a warning. */
export function ticks(status, label) {
  const double = status === 'delivered' || status === 'read' || status === 'played' || status === 'received';
  const svg = svgElement('svg', {
    viewBox: '0 0 18 12', class: `ticks ${status === 'read' || status === 'played' ? 'read' : ''} ${status === 'error' ? 'bad' : ''}`,
    role: 'img', 'aria-label': label,
  });
  svg.append(Object.assign(svgElement('title', {}), { textContent: label }));
  const line = d => svgElement('path', { d, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
  if (status === 'pending') svg.append(line('M9 1.500a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M9 3.800V6l1.700 1'));
  else if (status === 'error') svg.append(line('M9 1.500a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M9 3.700V6.500M9 8.500v.1'));
  else {
    svg.append(line(double ? 'M1.5 6.500l3.200 3.300L11 2.5' : 'M4.5 6.500l3.200 3.300L14 2.5'));
    if (double) svg.append(line('M8.200 9.300l.6.500L15.5 2.5'));
  }
  return svg;
}

export function svgElement(tag, attributes) {
  const el = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  return el;
}
