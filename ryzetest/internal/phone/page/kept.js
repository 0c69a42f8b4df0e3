// What a person has chosen, kept in the browser when it lets us.

export const kept = {
  read(name) {
    try {
      return localStorage.getItem('ryzesim.' + name) || '';
    } catch {
      return '';
    }
  },
  write(name, value) {
    try {
      localStorage.setItem('ryzesim.' + name, value);
    } catch { /* it is forgotten with the page */ }
  },
};

/** remember reads a choice, or writes it when there is a value. */
export const remember = (name, value) => (value === undefined ? kept.read(name) : kept.write(name, value));
