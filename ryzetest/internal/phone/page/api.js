// The control API of the simulator, and its stream of changes.

// The page is served at /_sim/ whatever the path that it was asked by.
const root = new URL('./api/', import.meta.url);

export class APIError extends Error {
  constructor(status, message, field) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

/** LostError: nobody answered. */
export class LostError extends Error {}

async function call(method, path, body, signal) {
  let response;
  try {
    response = await fetch(new URL(path, root), {
      method, signal, cache: 'no-store', credentials: 'same-origin',
      headers: body === undefined && method === 'GET' ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? (method === 'GET' ? undefined : '{}') : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new LostError('no answer');
  }
  const text = await response.text();
  let value = null;
  if (text) {
    try {
      value = JSON.parse(text);
    } catch {
      value = { error: { message: text.slice(0, 200) } };
    }
  }
  if (!response.ok) throw new APIError(response.status, value?.error?.message || response.statusText || String(response.status), value?.error?.field);
  return value || {};
}

const seg = encodeURIComponent;
const instancePath = name => `instances/${seg(name)}`;

export const getState = () => call('GET', 'state');
export const getChats = name => call('GET', `${instancePath(name)}/chats`);
export const getMessages = (name, jid, { limit = 100, before } = {}) =>
  call('GET', `${instancePath(name)}/chats/${seg(jid)}/messages?limit=${limit}${before ? `&before=${seg(before)}` : ''}`);
export const getMessage = (name, id) => call('GET', `${instancePath(name)}/messages/${seg(id)}`);
export const getRequests = (after, limit = 200) => call('GET', `requests?after=${after}&limit=${limit}`);
export const getRequest = number => call('GET', `requests/${number}`);
export const getDeliveries = (after, limit = 200) => call('GET', `deliveries?after=${after}&limit=${limit}`);

export const createInstance = name => call('POST', 'instances', { name });
export const deleteInstance = name => call('DELETE', instancePath(name));
/** act: pair, disconnect, reconnect, logout, ban, fail-pairing, drop-streams. */
export const act = (name, action, body = {}) => call('POST', `${instancePath(name)}/${action}`, body);
export const receive = (name, incoming) => call('POST', `${instancePath(name)}/receive`, incoming);
export const type = (name, outgoing) => call('POST', `${instancePath(name)}/type`, outgoing);
export const vote = (name, poll, voter, options) => call('POST', `${instancePath(name)}/vote`, { poll, voter, options });
export const receipt = (name, status, ids) => call('POST', `${instancePath(name)}/receipt`, { status, ids });
export const saveContact = contact => call('POST', 'contacts', contact);
export const createGroup = group => call('POST', 'groups', group);
export const addFault = fault => call('POST', 'faults', fault);
export const removeFault = id => call('DELETE', `faults/${seg(id)}`);
export const advance = by => call('POST', 'clock/advance', { by });
export const eat = (key, n) => call('POST', 'windows/eat', { key, n });
export const reset = () => call('POST', 'reset');

/**
 * changes opens the stream of changes after a number. The browser's own
 * reconnecting is not used: it cannot tell what it does, and gives up at an
 * answer that is none.
 */
export function changes(after, { onOpen, onChange, onLost }) {
  const source = new EventSource(new URL(`changes?after=${after}`, root));
  source.addEventListener('open', onOpen);
  source.addEventListener('change', event => {
    try {
      onChange(JSON.parse(event.data));
    } catch (error) {
      console.warn('a change that cannot be read', error);
    }
  });
  source.addEventListener('error', () => {
    source.close();
    onLost();
  });
  return () => source.close();
}

/** local makes an address of the simulator absolute, or '' for any other. */
export function local(path) {
  if (!path) return '';
  const url = new URL(path, root);
  return url.origin === root.origin ? url.href : '';
}
