/** Saves a text as a file of the reader's; the moment becomes part of its name. */
export function save(text: string, type: string, name: string, ending: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = `${name}-${new Date().toISOString().slice(0, 19).replace(/:/g, '')}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
