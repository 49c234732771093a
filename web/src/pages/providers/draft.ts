const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Whether the server takes it as the name of a provider or of a key. */
export const isName = (text: string) => NAME.test(text);

/** What is wrong with an address, or nothing; an empty one is the kind's own service. */
export function wrongURL(text: string): 'address' | 'secret' | 'rest' | undefined {
  if (!text) return undefined;
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return 'address';
  const { username, password, search, hash } = new URL(text);
  if (username || password) return 'secret';
  if (search || hash) return 'rest';
  return undefined;
}

/** Whether what was pasted cannot be a key, so that it is said before it is sent. */
export const isSecret = (text: string) => /^[\x21-\x7e]{1,4096}$/.test(text.trim());
