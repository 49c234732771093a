// Sets the colour scheme and the language of the page before the first paint.
(() => {
  const root = document.documentElement;
  let scheme;
  let language;
  try {
    scheme = localStorage.getItem('matrix-color-scheme');
    language = localStorage.getItem('matrix-language');
  } catch {
    // Storage may be forbidden: the system's own choices hold then.
  }
  if (scheme !== 'light' && scheme !== 'dark') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  root.setAttribute('data-mantine-color-scheme', scheme);
  root.lang = language || (navigator.language.startsWith('ko') ? 'ko' : 'en');
})();
