import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type catalogue from './en.json';

export type Language = 'ko' | 'en';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof catalogue };
  }
}

/** The languages by their own names, which are the same in every language. */
export const LANGUAGES: Record<Language, string> = { ko: '한국어', en: 'English' };

const load = {
  ko: () => import('./ko.json'),
  en: () => import('./en.json'),
};

/** The language index.html was given by boot.js: the reader's choice, else the browser's. */
export const startLanguage = (): Language => (document.documentElement.lang === 'ko' ? 'ko' : 'en');

export async function startI18n(language: Language) {
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { translation: (await load[language]()).default } },
    fallbackLng: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

export async function changeLanguage(language: Language) {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await load[language]()).default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  try {
    localStorage.setItem('matrix-language', language);
  } catch {
    // Forbidden storage only means the choice is asked for again next time.
  }
}
