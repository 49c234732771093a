// The project the reader was in last, so that / leads back to it.
const KEY = 'matrix-project';

export function rememberedProject(): number {
  try {
    return Number(localStorage.getItem(KEY)) || 0;
  } catch {
    return 0;
  }
}

export function rememberProject(id: number) {
  try {
    localStorage.setItem(KEY, String(id));
  } catch {
    // Forbidden storage: / then leads to the first project.
  }
}
