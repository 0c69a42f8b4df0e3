// Texts in English and Brazilian Portuguese. {name} is replaced; a list of two
// is one and several, chosen by {n}.

import { en } from './text_en.js';
import { pt } from './text_pt.js';

export const languages = { en, pt };
let language = 'en';
let texts = en;
let locale = 'en';

/** choose takes a language, or '' for the browser's. */
export function choose(wanted) {
  const asked = wanted ? [wanted] : navigator.languages?.length ? navigator.languages : [navigator.language || 'en'];
  const first = asked.find(l => /^(en|pt)\b/i.test(l)) || 'en';
  language = first.slice(0, 2).toLowerCase();
  texts = languages[language];
  // The browser's own variant writes dates as its user does (en-GB, pt-PT).
  locale = language === 'pt' && !wanted ? first : language === 'pt' ? 'pt-BR' : first;
  document.documentElement.lang = language === 'pt' ? 'pt-BR' : 'en';
  formats.clear();
}

export function t(key, values = {}) {
  let text = texts[key] ?? en[key] ?? key;
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : value;
  });
}

const formats = new Map();
function format(name, options, kind = Intl.DateTimeFormat) {
  if (!formats.has(name)) formats.set(name, new kind(locale, options));
  return formats.get(name);
}

export const number = n => format('number', {}, Intl.NumberFormat).format(n);
export const clockTime = date => format('clock', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(date);
export const secondsTime = date => format('seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(date);
export const dateTime = date => format('dateTime', { dateStyle: 'medium', timeStyle: 'short' }).format(date);
export const longDay = date => format('longDay', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(date);
export const month = date => format('month', { month: 'short' }).format(date).replace('.', '');
export const money = n => format('money', { style: 'currency', currency: 'BRL' }, Intl.NumberFormat).format(n);

const dayNumber = date => Math.floor((date.getTime() - date.getTimezoneOffset() * 60000) / 86400000);

/** day names a date as people do, seen from now. */
export function day(date, now) {
  const ago = dayNumber(now) - dayNumber(date);
  if (ago === 0) return t('today');
  if (ago === 1) return t('yesterday');
  if (ago > 1 && ago < 7) return format('weekday', { weekday: 'long' }).format(date);
  return longDay(date);
}

/** shortMoment is the time of today, the day of others. */
export function shortMoment(date, now) {
  const ago = dayNumber(now) - dayNumber(date);
  if (ago === 0) return clockTime(date);
  if (ago === 1) return t('yesterday');
  return format('short', { day: '2-digit', month: '2-digit' }).format(date);
}

export function size(bytes) {
  if (!bytes) return '';
  const units = ['B', 'KB', 'MB', 'GB'];
  let i = 0;
  while (bytes >= 1000 && i < 3) {
    bytes /= 1000;
    i++;
  }
  return `${format('size', { maximumFractionDigits: 1 }, Intl.NumberFormat).format(bytes)} ${units[i]}`;
}

export function length(seconds) {
  const s = Math.max(0, Math.round(seconds || 0));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** phone groups the digits of a number. */
export function phone(digits) {
  const d = String(digits || '').replace(/\D/g, '');
  if (!d) return '';
  const br = /^55(\d{2})(\d{4,5})(\d{4})$/.exec(d);
  if (br) return `+55 ${br[1]} ${br[2]}-${br[3]}`;
  const us = /^1(\d{3})(\d{3})(\d{4})$/.exec(d);
  if (us) return `+1 ${us[1]} ${us[2]}-${us[3]}`;
  return '+' + d.replace(/(\d{3})(?=\d{3})/g, '$1 ');
}
